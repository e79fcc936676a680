import { messageOf, OpError } from "../core/errors.ts";
import type { AuditEvent, Commit, JournalRecord, OpenTransaction } from "../core/ports.ts";
import { Chronicle } from "./chronicle.ts";
import type { Host, Observer } from "./host.ts";
import { finishRevert, isUnavailable, revert } from "./revert.ts";
import { ownershipOf } from "./settlement.ts";
import { changesInOrder, effectsOf, stepsBegun, takeSteps, type Effect, type Transaction } from "./steps.ts";
import { conclude, finishCommit, hasCommit } from "./transaction.ts";
import { leftOver } from "./verify.ts";

/** What was found of a process that died in the middle, and where the host was brought. */
export interface Recovered {
  readonly kind: "apply" | "rollback";
  readonly transaction: string;
  readonly started: string;
  readonly ended: "before-state" | "desired state";
  /** True when the host was there already and only the bookkeeping was left. */
  readonly booksOnly: boolean;
  readonly why: string;
}

/** How an open transaction will be ended. The journal alone decides. */
export type Course =
  | { readonly go: "close" }
  | { readonly go: "record"; readonly commit: Commit }
  | { readonly go: "record-revert"; readonly commit: Commit; readonly left: readonly string[] }
  | { readonly go: "forward"; readonly past: string }
  | { readonly go: "back" };

/** Past the commit point, or past the start of a step that cannot be taken back, it goes forward, otherwise back. */
export function courseOf({ header, records }: OpenTransaction): Course {
  const [committing] = records.filter((entry) => entry.record === "committing");
  if (committing !== undefined) return { go: "record", commit: committing.commit };
  const [reverted] = records.filter((entry) => entry.record === "reverted");
  if (reverted !== undefined) return { go: "record-revert", commit: reverted.commit, left: reverted.left };
  const begun = stepsBegun(records);
  if (begun.size === 0) return { go: "close" };
  const passed = header.steps.find(({ oneWay }, index) => oneWay !== undefined && begun.has(index));
  const goingBack = records.some(({ record }) => record === "reverting");
  return passed !== undefined && !goingBack ? { go: "forward", past: passed.name } : { go: "back" };
}

/**
 * Ends what a dead process left open, in exactly the before-state or the desired state, and says which.
 * Throws kind unreverted when neither could be reached. The caller holds the lock.
 */
export async function recover(host: Host, observer: Observer): Promise<Recovered | undefined> {
  const open = host.journal.pending();
  if (open === undefined) return undefined;
  const { id, kind, started } = open.header;
  const course = courseOf(open);
  const chronicle = new Chronicle(host, id, unloggedOf(open.records));
  // Where the log takes no entry nothing is begun any more, but the way back is gone.
  if (course.go === "back") chronicle.goBack();
  await chronicle.log({ kind: "recovery", operation: kind, outcome: "begun", detail: id });
  const recovered = await end({ host, header: open.header, observer }, chronicle, open, course);
  if (host.journal.pending() !== undefined) throw stillOpen(open, chronicle);
  await chronicle.log({ kind: "recovery", operation: kind, outcome: "done", detail: recovered.ended });
  return { kind, transaction: id, started, ...recovered };
}

async function end(
  transaction: Transaction,
  chronicle: Chronicle,
  open: OpenTransaction,
  course: Course,
): Promise<Pick<Recovered, "ended" | "booksOnly" | "why">> {
  const { host, header } = transaction;
  const effects = effectsOf(open.records, "apply");
  switch (course.go) {
    case "record":
      await finishCommit(host, header, chronicle, course.commit);
      return { ended: "desired state", booksOnly: true, why: "all was done but the bookkeeping" };
    case "record-revert":
      await finishRevert(host, chronicle, course.commit);
      if (course.left.length > 0) throw unreverted(open, course.left);
      return { ended: "before-state", booksOnly: true, why: "all was taken back but the bookkeeping" };
    case "close":
      await host.journal.close();
      return { ended: "before-state", booksOnly: false, why: "nothing had been changed" };
    case "forward":
      await goForward(transaction, chronicle, open, effects);
      return { ended: "desired state", booksOnly: false, why: `'${course.past}' had begun and cannot be taken back` };
    case "back":
      await goBack(transaction, chronicle, open, { effects, why: "its process ended" });
      return { ended: "before-state", booksOnly: false, why: "it had not been committed" };
  }
}

async function goForward(transaction: Transaction, chronicle: Chronicle, open: OpenTransaction, known: readonly Effect[]): Promise<void> {
  const { host, header } = transaction;
  const effects = [...known];
  try {
    const { steps, problems } = await leftOver(host, { desired: header.desired, ownership: ownershipOf(header, host.ledger, host.plugins) });
    if (problems.length > 0) throw new OpError("failed", problems.join("; "));
    await takeSteps(transaction, chronicle, steps, "apply", (effect) => effects.push(effect), header.steps.length);
    await conclude(transaction, chronicle, changesInOrder(header, effects));
  } catch (error) {
    if (isUnavailable(error) || hasCommit(host.journal.pending()?.records ?? [])) throw error;
    await goBack(transaction, chronicle, open, { effects, why: messageOf(error) });
    throw new OpError("failed", `${messageOf(error)}. What can be taken back was taken back`, { cause: error });
  }
}

async function goBack(
  transaction: Transaction,
  chronicle: Chronicle,
  open: OpenTransaction,
  { effects, why }: { effects: readonly Effect[]; why: string },
): Promise<void> {
  const left = await revert(transaction, chronicle, effects, { why, shown: false });
  if (left.length > 0) throw unreverted(open, left, chronicle.troubles);
}

function unreverted({ header }: OpenTransaction, left: readonly string[], troubles: readonly string[] = []): OpError {
  return new OpError("unreverted", `An interrupted ${header.kind} could not be fully taken back`, {
    details: [...troubles, ...left.map((line) => `Left: ${line}`)],
    hint: "op-dbus rollback tries again",
  });
}

/** The host is where it belongs, but nothing new may begin while that cannot be written down. */
function stillOpen({ header }: OpenTransaction, { troubles }: Chronicle): OpError {
  return new OpError("refused", `An interrupted ${header.kind} was ended, but that could not be recorded`, { details: troubles });
}

/** Entries that the dead process could not write. */
function unloggedOf(records: readonly JournalRecord[]): readonly AuditEvent[] {
  return records.flatMap((entry) => (entry.record === "unlogged" ? [entry.events] : [])).at(-1) ?? [];
}
