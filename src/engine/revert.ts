import { messageOf, OpError } from "../core/errors.ts";
import { equalJson } from "../core/json.ts";
import type { Commit } from "../core/ports.ts";
import { mergeResources, type Resources } from "../core/resource.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Host } from "./host.ts";
import { lasting } from "./lasting.ts";
import type { Settled } from "./settled.ts";
import { changesByPlugin, impliedChanges, ownershipForTakingBack, settleRevert, settleUnreverted, stateOf, type Changes } from "./settlement.ts";
import { changesInOrder, effectsOf, stepsBegun, takeSteps, type Effect, type Transaction } from "./steps.ts";
import { identitiesOf, type ByPlugin } from "./survey.ts";
import { leftOver, settling, type Goal, type Settling } from "./verify.ts";

export interface WayBack {
  readonly why: string;
  /** True when what was done had its time to show. */
  readonly shown: boolean;
}

/** Going back may bring about something besides, and taking that back again: more than that is no way back. */
const PASSES = 3;

/**
 * Takes the host back to the before-state and tells the ledger. Returns what is left different, in words; nothing means the
 * host is where it was. The journal stays open when that could not be recorded, and when the host cannot be read at all: that
 * throws kind unavailable, and the next start tries again.
 */
export async function revert(
  transaction: Transaction,
  chronicle: Chronicle,
  effects: readonly Effect[],
  { why, shown }: WayBack,
): Promise<readonly string[]> {
  const { host, header } = transaction;
  chronicle.goBack();
  await chronicle.note({ record: "reverting", why });
  await chronicle.log({ kind: "revert", outcome: "begun", detail: why });
  const begun = stepsBegun(host.journal.pending()?.records ?? []);
  const changes = changesInOrder(header, effects, begun);
  const settled = { header, changes, identities: {}, now: host.clock.now().toISOString() };
  const ownership = ownershipForTakingBack(changes, host.ledger, host.plugins);
  const goal = { desired: beforeOf(transaction, effects), ownership };
  const { left, readings } = await goBack(transaction, chronicle, goal, { why, shown });
  await chronicle.log({ kind: "revert", outcome: left.length === 0 ? "done" : "failed", ...(left.length > 0 && { detail: left }) });
  await settle(transaction, chronicle, { ...settled, identities: identitiesOf(readings) }, { why, left });
  return left;
}

/** Goes back, then takes back what going back brought about besides. */
async function goBack(transaction: Transaction, chronicle: Chronicle, goal: Goal, { why, shown }: WayBack): Promise<Settling> {
  const { host, observer } = transaction;
  const troubles: string[] = [];
  try {
    if (!shown) await letShow(transaction);
    for (let pass = 1; ; pass += 1) {
      const { steps } = await leftOver(host, goal);
      const besides: Changes[] = impliedChanges(steps);
      if (besides.length > 0) await chronicle.note({ record: "reverting", why, besides: stateBefore(besides) });
      for (const [index, step] of steps.entries()) {
        // One step that cannot be taken back must not keep the others from it.
        await takeSteps(transaction, chronicle, [step], "revert", (effect) => effect.changes.length > 0 && besides.push(effect), index).catch((error: unknown) => {
          troubles.push(messageOf(error));
        });
      }
      const { left, readings } = await settling(host, goal, observer);
      const wider = mergeByPlugin(stateBefore(besides), goal.desired);
      const done = equalJson(wider, goal.desired) && (left.length === 0 || besides.length === 0);
      if (pass === PASSES || done) return { left: left.length === 0 ? [] : [...left, ...troubles], readings };
      goal = { ...goal, desired: wider };
    }
  } catch (error) {
    if (!isUnavailable(error)) return { left: [messageOf(error), ...troubles], readings: {} };
    await chronicle.log({ kind: "revert", outcome: "failed", detail: messageOf(error) });
    throw error;
  }
}

/** Gives what was done time to show: a way back planned from what was before would be empty. */
async function letShow(transaction: Transaction): Promise<void> {
  const { host, header } = transaction;
  const records = host.journal.pending()?.records ?? [];
  if (records.some((entry) => entry.record === "step-begun" && entry.phase === "revert")) return;
  const done = header.steps.filter((_, number) => records.some((entry) => entry.record === "step-done" && entry.step === number));
  const entries = Object.entries(changesByPlugin(done)).map(([plugin, changes]) => [plugin, stateOf(changes, "after")] as const);
  await settling(host, { desired: lasting(Object.fromEntries(entries), transaction), ownership: host.ledger.ownership() });
}

/** Writes the ledger and closes the journal; what fails here the next start does again from the journal, which stays. */
async function settle(
  { host }: Transaction,
  chronicle: Chronicle,
  settled: Settled,
  { why, left }: { why: string; left: readonly string[] },
): Promise<void> {
  const { ledger, plugins } = host;
  const commit = left.length === 0 ? settleRevert(settled, why, ledger) : settleUnreverted(settled, why, ledger, plugins);
  await chronicle.note({ record: "reverted", commit, left });
  try {
    await finishRevert(host, chronicle, commit);
  } catch (error) {
    chronicle.trouble(`That could not be recorded: ${messageOf(error)}`);
  }
}

/** Everything after the way back; doing it twice is doing it once. */
export async function finishRevert(host: Host, chronicle: Chronicle, commit: Commit): Promise<void> {
  await host.ledger.commit(commit);
  await chronicle.log();
  if (chronicle.unlogged.length === 0) await host.journal.close();
}

/** What the changed keys were, with what the peers reported to have changed besides, on the way there and on an earlier way back. */
function beforeOf(transaction: Transaction, effects: readonly Effect[]): ByPlugin<Resources> {
  const { host, header } = transaction;
  const records = host.journal.pending()?.records ?? [];
  const foreseen = records.flatMap((entry) => (entry.record === "reverting" && entry.besides !== undefined ? [entry.besides] : []));
  const reported = effectsOf(records, "revert");
  const states: ByPlugin<Resources>[] = [header.before, stateBefore(effects), ...foreseen, stateBefore(reported)];
  return lasting(states.reduce((first, later) => mergeByPlugin(later, first)), transaction);
}

function stateBefore(effects: readonly Changes[]): ByPlugin<Resources> {
  const entries = Object.entries(changesByPlugin(effects)).map(([plugin, changes]) => [plugin, stateOf(changes, "before")] as const);
  return Object.fromEntries(entries);
}

function mergeByPlugin(under: ByPlugin<Resources>, over: ByPlugin<Resources>): ByPlugin<Resources> {
  const plugins = new Set([...Object.keys(under), ...Object.keys(over)]);
  return Object.fromEntries([...plugins].map((name) => [name, mergeResources(under[name] ?? {}, over[name] ?? {})]));
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof OpError && error.kind === "unavailable";
}
