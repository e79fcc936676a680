import { messageOf, OpError } from "../core/errors.ts";
import type { Change } from "../core/plugin.ts";
import type { JournalRecord, OpenTransaction } from "../core/ports.ts";
import { Chronicle } from "./chronicle.ts";
import type { Host, Observer } from "./host.ts";
import { changesByPlugin, settleRevert, settleUnreverted } from "./settlement.ts";
import { beforeOf, conclude, finishCommit, hasCommit, revert, settle, takeSteps, type Transaction } from "./transaction.ts";
import { leftOver } from "./verify.ts";

/** What was found of a process that died in the middle, and where the host was brought. */
export interface Recovered {
  readonly kind: "apply" | "rollback";
  readonly transaction: string;
  readonly started: string;
  readonly ended: "before-state" | "desired state";
  readonly why: string;
}

type Effects = readonly { readonly plugin: string; readonly changes: readonly Change[] }[];

/**
 * Ends what a dead process left open, in exactly the before-state or the desired state, and says which. The journal alone
 * decides: past the commit point, or past the start of a step that cannot be taken back, it goes forward, otherwise back.
 * Throws kind unreverted when neither could be reached. The caller holds the lock.
 */
export async function recover(host: Host, observer: Observer): Promise<Recovered | undefined> {
  const open = host.journal.pending();
  if (open === undefined) return undefined;
  const transaction = { host, header: open.header, observer };
  const chronicle = new Chronicle(host, open.header.id);
  await chronicle.log({ kind: "recovery", outcome: "begun", detail: open.header.id });
  await logLate(host, open.records);
  const recovered = await endOf(transaction, chronicle, open);
  await new Chronicle(host, open.header.id).log({ kind: "recovery", outcome: "done", detail: recovered.ended });
  const { id, kind, started } = open.header;
  return { kind, transaction: id, started, ...recovered };
}

async function endOf(transaction: Transaction, chronicle: Chronicle, open: OpenTransaction): Promise<Pick<Recovered, "ended" | "why">> {
  const { host, header } = transaction;
  for (const entry of open.records) {
    if (entry.record !== "committing") continue;
    await finishCommit(host, header, chronicle, entry.commit);
    return { ended: "desired state", why: "all was done but the bookkeeping" };
  }
  const begun = new Set(open.records.flatMap((entry) => (entry.record === "step-begun" && entry.phase === "apply" ? [entry.step] : [])));
  if (begun.size === 0) {
    await host.journal.close();
    return { ended: "before-state", why: "nothing had been changed" };
  }
  const effects: Effects = open.records.flatMap((entry) =>
    entry.record === "step-done" && entry.phase === "apply" ? [{ plugin: entry.plugin, changes: entry.effects }] : [],
  );
  const passed = header.steps.find(({ oneWay }, index) => oneWay !== undefined && begun.has(index));
  const goingBack = open.records.some(({ record }) => record === "reverting");
  if (passed !== undefined && !goingBack) {
    await goForward(transaction, chronicle, effects);
    return { ended: "desired state", why: `'${passed.name}' had begun and cannot be taken back` };
  }
  await goBack(transaction, chronicle, effects);
  return { ended: "before-state", why: "it had not been committed" };
}

async function goForward(transaction: Transaction, chronicle: Chronicle, known: Effects): Promise<void> {
  const { host, header } = transaction;
  const effects = [...known];
  try {
    const { steps, problems } = await leftOver(host, header.desired);
    if (problems.length > 0) throw new OpError("failed", problems.join("; "));
    const found = (plugin: string, changes: readonly Change[]) => void effects.push({ plugin, changes });
    await takeSteps(transaction, chronicle, steps, "apply", found, header.steps.length);
    await conclude(transaction, chronicle, changesByPlugin([...header.steps, ...effects]));
  } catch (error) {
    if (hasCommit(host.journal.pending()?.records ?? [])) throw error;
    await goBack(transaction, chronicle, effects, messageOf(error));
    throw new OpError("failed", `${messageOf(error)}. What can be taken back was taken back`, { cause: error });
  }
}

async function goBack(transaction: Transaction, chronicle: Chronicle, effects: Effects, why = "its process ended"): Promise<void> {
  const { host, header } = transaction;
  const now = host.clock.now().toISOString();
  const left = await revert(transaction, chronicle, beforeOf(header, effects), why);
  if (left.length === 0) return settle(transaction, chronicle, settleRevert(header, why, now));
  const changes = changesByPlugin([...header.steps, ...effects]);
  await settle(transaction, chronicle, settleUnreverted({ header, changes, now }, why, host.ledger, host.plugins));
  throw new OpError("unreverted", `An interrupted ${header.kind} could not be fully taken back`, {
    details: left.map((line) => `Left: ${line}`),
    hint: "op-dbus rollback tries again",
  });
}

/** Entries that the dead process could not write. */
async function logLate(host: Host, records: readonly JournalRecord[]): Promise<void> {
  const events = records.flatMap((entry) => (entry.record === "unlogged" ? [entry.events] : [])).at(-1);
  if (events !== undefined && events.length > 0) await host.audit.append(events);
}
