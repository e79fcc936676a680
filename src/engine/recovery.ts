import { messageOf, OpError } from "../core/errors.ts";
import type { BootTime } from "../core/confirmation.ts";
import type { AuditEvent, Commit, JournalRecord, OpenTransaction } from "../core/ports.ts";
import { Chronicle } from "./chronicle.ts";
import { isInTime, stillWaiting, waitingOf, whyLapsed, type Waiting } from "./hold.ts";
import type { Host, Observer } from "./host.ts";
import { finishRevert, isUnavailable, revert } from "./revert.ts";
import { ownershipOf } from "./settlement.ts";
import { changesInOrder, effectsOf, stepsBegun, takeSteps, type Effect, type Transaction } from "./steps.ts";
import { conclude, finishCommit, hasCommit, release } from "./transaction.ts";
import { leftOver } from "./verify.ts";

/** What was found of a process that died in the middle, and where the host was brought. */
export interface Recovered {
  readonly kind: "apply" | "rollback";
  readonly transaction: string;
  readonly started: string;
  readonly ended: "before-state" | "desired state";
  /** True when the host was there already and only the bookkeeping was left. */
  readonly booksOnly: boolean;
  /** False for a change that was made, and was not confirmed. */
  readonly interrupted: boolean;
  readonly why: string;
}

/** How an open transaction will be ended. The journal alone decides. */
export type Course =
  | { readonly go: "close" }
  | { readonly go: "record"; readonly commit: Commit; readonly confirmed?: string }
  | { readonly go: "record-revert"; readonly commit: Commit; readonly left: readonly string[] }
  | { readonly go: "forward"; readonly past: string }
  /** `rejected`: what the document is rejected for. */
  | { readonly go: "back"; readonly why: string; readonly rejected: string }
  /** Not yet: it may still be confirmed. */
  | { readonly go: "wait"; readonly waiting: Waiting };

/**
 * Past the commit point, or past the start of a step that cannot be taken back, it goes forward, otherwise back. What is held goes
 * forward only when it is confirmed, and back at its deadline or in another boot.
 */
export function courseOf(open: OpenTransaction, now: BootTime): Course {
  const { header, records } = open;
  const [committing] = records.filter((entry) => entry.record === "committing");
  if (committing !== undefined) {
    const { commit, confirmed } = committing;
    return { go: "record", commit, ...(confirmed === undefined ? {} : { confirmed }) };
  }
  const [reverted] = records.filter((entry) => entry.record === "reverted");
  if (reverted !== undefined) return { go: "record-revert", commit: reverted.commit, left: reverted.left };
  const waiting = waitingOf(open);
  if (waiting !== undefined) return isInTime(waiting.header.hold, now) ? { go: "wait", waiting } : backSince(whyLapsed(waiting.header.hold, now));
  const begun = stepsBegun(records);
  if (begun.size === 0) return { go: "close" };
  const passed = header.steps.find(({ oneWay }, index) => oneWay !== undefined && begun.has(index));
  const [reverting] = records.filter((entry) => entry.record === "reverting");
  if (header.hold !== undefined && reverting !== undefined) return backSince(reverting.why);
  const forward = passed !== undefined && reverting === undefined && header.hold === undefined;
  return forward ? { go: "forward", past: passed.name } : { go: "back", why: "it had not been committed", rejected: "its process ended" };
}

function backSince(why: string): Course & { go: "back" } {
  return { go: "back", why, rejected: why };
}

/**
 * Ends what a dead process left open, in exactly the before-state or the desired state, and says which.
 * Throws kind unreverted when neither could be reached, kind refused when it waits to be confirmed. The caller holds the lock.
 */
export async function recover(host: Host, observer: Observer): Promise<Recovered | undefined> {
  const open = host.journal.pending();
  if (open === undefined) return undefined;
  const course = courseOf(open, host.clock.bootTime());
  if (course.go === "wait") throw stillWaiting(course.waiting, host.clock);
  return await endBy(course, open, host, observer);
}

/** Takes back what waits to be confirmed, as `recover` would after its deadline. The caller holds the lock. */
export async function takeBackWaiting(open: OpenTransaction, why: string, host: Host, observer: Observer): Promise<Recovered> {
  return await endBy(backSince(why), open, host, observer);
}

async function endBy(course: Exclude<Course, { go: "wait" }>, open: OpenTransaction, host: Host, observer: Observer): Promise<Recovered> {
  const { id, kind, started } = open.header;
  const chronicle = new Chronicle(host, id, unloggedOf(open.records));
  // Where the log takes no entry nothing is begun any more, but the way back is gone.
  if (course.go === "back") chronicle.goBack();
  try {
    await chronicle.log({ kind: "recovery", operation: kind, outcome: "begun", detail: id });
    const recovered = await end({ host, header: open.header, observer }, chronicle, open, course);
    if (host.journal.pending() !== undefined) throw stillOpen(open, chronicle);
    await chronicle.log({ kind: "recovery", operation: kind, outcome: "done", detail: recovered.ended });
    return { kind, transaction: id, started, interrupted: waitingOf(open) === undefined, ...recovered };
  } finally {
    await release(host, open.header);
  }
}

async function end(
  transaction: Transaction,
  chronicle: Chronicle,
  open: OpenTransaction,
  course: Exclude<Course, { go: "wait" }>,
): Promise<Pick<Recovered, "ended" | "booksOnly" | "why">> {
  const { host, header } = transaction;
  const effects = effectsOf(open.records, "apply");
  switch (course.go) {
    case "record":
      await finishCommit(host, header, chronicle, course);
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
      await goBack(transaction, chronicle, open, { effects, why: course.rejected });
      return { ended: "before-state", booksOnly: false, why: course.why };
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
  const left = await revert(transaction, chronicle, effects, { why, shown: waitingOf(open) !== undefined });
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
