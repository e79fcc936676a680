import { messageOf, OpError } from "../core/errors.ts";
import type { Change, Step } from "../core/plugin.ts";
import type { Commit, JournalRecord, Phase, TransactionHeader } from "../core/ports.ts";
import { mergeResources, type Resources } from "../core/resource.ts";
import { Chronicle } from "./chronicle.ts";
import { pluginOf, type Host, type Observer } from "./host.ts";
import { changesByPlugin, settleApply, settleRevert, settleRollback, settleUnreverted, stateOf } from "./settlement.ts";
import { leftOver, unsettled } from "./verify.ts";

type ByPlugin<T> = Readonly<Record<string, T>>;

export interface Transaction {
  readonly host: Host;
  readonly header: TransactionHeader;
  readonly observer: Observer;
}

/**
 * Takes the steps, reads the host back and commits; or takes everything back. Returns only when the host is in the desired
 * state. Throws kind failed when it is back where it was, kind unreverted when it is not.
 */
export async function runTransaction(transaction: Transaction, steps: readonly Step[]): Promise<void> {
  const { host, header } = transaction;
  const chronicle = new Chronicle(host, header.id);
  const effects: { plugin: string; changes: readonly Change[] }[] = [];
  await host.audit.reserve();
  try {
    await host.journal.begin(header);
    await chronicle.log({ kind: "plan", operation: header.kind, outcome: "begun", detail: header.documentHash });
    await takeSteps(transaction, chronicle, steps, "apply", (plugin, changes) => effects.push({ plugin, changes }));
    await conclude(transaction, chronicle, changesByPlugin([...header.steps, ...effects]));
  } catch (error) {
    if (!chronicle.touched) throw await notBegun(host, error);
    if (isCommitting(host)) throw halfCommitted(error);
    await takeBack(transaction, chronicle, effects, messageOf(error), error);
  } finally {
    await host.audit.free();
  }
}

/** Verifies, then commits. The commit point is one journal record; what follows it can be done again. */
export async function conclude(
  { host, header, observer }: Transaction,
  chronicle: Chronicle,
  changes: ByPlugin<readonly Change[]>,
): Promise<void> {
  const left = await unsettled(host, header.desired, observer);
  const outcome = left.length === 0 ? "done" : "failed";
  await chronicle.log({ kind: "verify", outcome, ...(left.length === 0 ? {} : { detail: left }) });
  if (left.length > 0) throw new OpError("failed", "The host does not show the declared state", { details: left });
  const settled = { header, changes, now: host.clock.now().toISOString() };
  const commit =
    header.kind === "apply" ? settleApply(settled, host.ledger, host.plugins) : settleRollback(settled, host.ledger);
  await chronicle.note({ record: "committing", commit });
  await finishCommit(host, header, chronicle, commit);
}

/** Everything after the commit point; doing it twice is doing it once. */
export async function finishCommit(host: Host, header: TransactionHeader, chronicle: Chronicle, commit: Commit): Promise<void> {
  await host.ledger.commit(commit);
  const [checkpoint] = commit.checkpoints ?? [];
  await chronicle.log({
    kind: header.kind === "apply" ? "commit" : "rollback",
    outcome: "done",
    after: header.documentHash,
    ...(checkpoint === undefined ? {} : { detail: checkpoint.name }),
  });
  await host.journal.close();
}

/** Returns the host to the before-state and throws, saying why it had to and whether it worked. */
async function takeBack(
  transaction: Transaction,
  chronicle: Chronicle,
  effects: readonly { plugin: string; changes: readonly Change[] }[],
  why: string,
  cause: unknown,
): Promise<never> {
  const { host, header, observer } = transaction;
  observer.reverting?.(why);
  const before = beforeOf(header, effects);
  const left = await revert(transaction, chronicle, before, why);
  const details = [...(cause instanceof OpError ? cause.details : []), ...chronicle.troubles];
  const hint = cause instanceof OpError && cause.hint !== undefined ? { hint: cause.hint } : {};
  if (left.length === 0) {
    await settle(transaction, chronicle, settleRevert(header, why, host.clock.now().toISOString()));
    throw new OpError("failed", `${why}. Everything was taken back`, { cause, details, ...hint });
  }
  const changes = changesByPlugin([...header.steps, ...effects]);
  const now = host.clock.now().toISOString();
  await settle(transaction, chronicle, settleUnreverted({ header, changes, now }, why, host.ledger, host.plugins));
  throw new OpError("unreverted", `${why}. Not everything could be taken back`, {
    cause,
    details: [...details, ...left.map((line) => `Left: ${line}`)],
    hint: "op-dbus rollback tries again",
  });
}

/** Plans the way back and takes it. Returns what is left different, in words; nothing means the host is where it was. */
export async function revert(
  transaction: Transaction,
  chronicle: Chronicle,
  before: ByPlugin<Resources>,
  why: string,
): Promise<readonly string[]> {
  const { host, observer } = transaction;
  chronicle.goBack();
  await chronicle.note({ record: "reverting", why });
  await chronicle.log({ kind: "revert", outcome: "begun", detail: why });
  let trouble: string[] = [];
  try {
    const { steps, problems } = await leftOver(host, before);
    trouble = problems;
    for (const [index, step] of steps.entries()) {
      // One step that cannot be taken back must not keep the others from it.
      await takeSteps(transaction, chronicle, [step], "revert", () => undefined, index).catch((error: unknown) => {
        trouble.push(messageOf(error));
      });
    }
    const left = await unsettled(host, before, observer);
    if (left.length > 0) trouble = [...left, ...trouble];
    else trouble = [];
  } catch (error) {
    trouble.push(messageOf(error));
  }
  await chronicle.log({ kind: "revert", outcome: trouble.length === 0 ? "done" : "failed", ...(trouble.length > 0 && { detail: trouble }) });
  return trouble;
}

/** Writes the ledger and closes the journal; what fails here the next start does again from the journal, which stays. */
export async function settle({ host }: Transaction, chronicle: Chronicle, commit: Commit): Promise<void> {
  try {
    await host.ledger.commit(commit);
    if (chronicle.unlogged.length === 0) await host.journal.close();
  } catch (error) {
    await chronicle.note({ record: "reverting", why: `settling failed: ${messageOf(error)}` });
  }
}

export async function takeSteps(
  { host, observer }: Transaction,
  chronicle: Chronicle,
  steps: readonly Step[],
  phase: Phase,
  effect: (plugin: string, changes: readonly Change[]) => void,
  firstNumber = 0,
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const number = firstNumber + index;
    observer.beforeStep?.(step, phase);
    await chronicle.begin(step, number, phase);
    observer.stepBegun?.(step, phase);
    const done = (resource: string, what: string) => observer.actionDone?.(step, resource, what);
    chronicle.touched = true;
    try {
      const outcome = await pluginOf(host.plugins, step.plugin).apply(step, { done });
      effect(step.plugin, outcome.effects);
      await chronicle.done(step, number, phase, outcome.effects);
    } catch (error) {
      await chronicle.failed(step, error);
      throw error;
    }
  }
}

/** What the changed keys were, with what the peers reported to have changed besides. */
export function beforeOf(
  header: TransactionHeader,
  effects: readonly { readonly plugin: string; readonly changes: readonly Change[] }[],
): ByPlugin<Resources> {
  const result: Record<string, Resources> = { ...header.before };
  for (const { plugin, changes } of effects) {
    result[plugin] = mergeResources(stateOf(changes, "before"), result[plugin] ?? {});
  }
  return result;
}

async function notBegun(host: Host, cause: unknown): Promise<OpError> {
  if (host.journal.pending() !== undefined) await host.journal.close();
  return new OpError("refused", `${messageOf(cause)}. Nothing was changed`, { cause });
}

function isCommitting(host: Host): boolean {
  return hasCommit(host.journal.pending()?.records ?? []);
}

export function hasCommit(records: readonly JournalRecord[]): boolean {
  return records.some(({ record }) => record === "committing");
}

function halfCommitted(cause: unknown): OpError {
  const message = `The host is in the declared state, but that could not be recorded: ${messageOf(cause)}`;
  return new OpError("unreverted", message, { cause, hint: "The next op-dbus command that changes something records it first" });
}
