import { messageOf, OpError } from "../core/errors.ts";
import type { Change, Step } from "../core/plugin.ts";
import type { Commit, JournalRecord, TransactionHeader } from "../core/ports.ts";
import { Chronicle } from "./chronicle.ts";
import { leftMs, refuseLate, seconds, waitingOf, type Waiting } from "./hold.ts";
import type { Host } from "./host.ts";
import { isUnavailable, revert } from "./revert.ts";
import { ownershipOf, settleApply, settleRollback } from "./settlement.ts";
import { changesInOrder, takeSteps, type Effect, type Transaction } from "./steps.ts";
import { identitiesOf, type ByPlugin } from "./survey.ts";
import { settling } from "./verify.ts";

/**
 * Takes the steps, reads the host back and commits; or takes everything back. Returns, with what the ledger was told, only when the
 * host is in the desired state. What is held is left waiting: the ledger is told when it is confirmed. Throws kind failed when the host
 * is back where it was, kind unreverted when it is not.
 */
export async function runTransaction(transaction: Transaction, steps: readonly Step[]): Promise<Commit> {
  const { host, header } = transaction;
  const chronicle = new Chronicle(host, header.id);
  const effects: Effect[] = [];
  let shown = false;
  try {
    await host.audit.reserve();
    await host.journal.begin(header);
    await chronicle.log({ kind: "plan", operation: header.kind, outcome: "begun", detail: header.documentHash });
    if (header.hold !== undefined) await host.deadMan.arm(header.hold.deadline);
    await takeSteps(transaction, chronicle, steps, "apply", (effect) => effects.push(effect));
    shown = true;
    return await conclude(transaction, chronicle, changesInOrder(header, effects));
  } catch (error) {
    if (isCommitting(host)) throw halfCommitted(error);
    if (!chronicle.touched) throw await notBegun(host, error);
    return await takeBack(transaction, chronicle, effects, { cause: error, shown });
  } finally {
    const open = host.journal.pending();
    // What waits may have to be taken back, on a full disk too.
    if (open === undefined || waitingOf(open) === undefined) await free(host);
    await release(host, header);
  }
}

/** What became of the transaction is settled; room that stays set aside does not change that. */
async function free({ audit }: Host): Promise<void> {
  await audit.free().catch(() => undefined);
}

/** Nobody has to watch over a transaction that is closed. Whoever watches all the same finds that out, and goes. */
export async function release({ journal, deadMan }: Host, { hold }: TransactionHeader): Promise<void> {
  if (hold !== undefined && journal.pending() === undefined) await deadMan.disarm().catch(() => undefined);
}

/** Verifies, then commits or, held, waits. Each is one journal record; what follows a commit can be done again. */
export async function conclude(
  { host, header, observer }: Transaction,
  chronicle: Chronicle,
  changes: ByPlugin<readonly Change[]>,
): Promise<Commit> {
  const { left, readings } = await settling(host, { desired: header.desired, ownership: ownershipOf(header, host.ledger, host.plugins) }, observer);
  const outcome = left.length === 0 ? "done" : "failed";
  await chronicle.log({ kind: "verify", outcome, ...(left.length === 0 ? {} : { detail: left }) });
  if (left.length > 0) throw new OpError("failed", "The host does not show the declared state", { details: left });
  const settled = { header, changes, identities: identitiesOf(readings), now: host.clock.now().toISOString() };
  const commit =
    header.kind === "apply" ? settleApply(settled, host.ledger, host.plugins) : settleRollback(settled, host.ledger);
  if (header.hold !== undefined) {
    const verified = host.clock.bootTime();
    refuseLate(header, host.clock);
    await chronicle.log({ kind: "confirm", outcome: "begun", detail: `within ${seconds(leftMs(header.hold, verified))}` });
    await chronicle.note({ record: "waiting", commit, verified });
    return commit;
  }
  await chronicle.note({ record: "committing", commit });
  await finishCommit(host, header, chronicle, { commit });
  return commit;
}

/** Commits what waits; `how` says what proved that it may be. The caller holds the lock. */
export async function confirmWaiting(host: Host, { header, commit }: Waiting, how: string): Promise<void> {
  const chronicle = new Chronicle(host, header.id);
  try {
    await chronicle.note({ record: "committing", commit, confirmed: how });
    await finishCommit(host, header, chronicle, { commit, confirmed: how });
  } catch (error) {
    throw isCommitting(host) ? halfCommitted(error) : error;
  } finally {
    await free(host);
    await release(host, header);
  }
}

/** Everything after the commit point; doing it twice is doing it once. */
export async function finishCommit(
  host: Host,
  header: TransactionHeader,
  chronicle: Chronicle,
  { commit, confirmed }: { readonly commit: Commit; readonly confirmed?: string },
): Promise<void> {
  await host.ledger.commit(commit);
  const [checkpoint] = commit.checkpoints ?? [];
  if (confirmed !== undefined) await chronicle.log({ kind: "confirm", outcome: "done", detail: confirmed });
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
  effects: readonly Effect[],
  { cause, shown }: { cause: unknown; shown: boolean },
): Promise<never> {
  const why = messageOf(cause);
  transaction.observer.reverting?.(why);
  const left = await revert(transaction, chronicle, effects, { why, shown }).catch((error: unknown) => {
    throw isUnavailable(error) ? unread(why, error, cause) : error;
  });
  const details = [...(cause instanceof OpError ? cause.details : []), ...chronicle.troubles];
  const hint = cause instanceof OpError && cause.hint !== undefined ? { hint: cause.hint } : {};
  if (left.length === 0) throw new OpError("failed", `${why}. Everything was taken back`, { cause, details, ...hint });
  throw new OpError("unreverted", `${why}. Not everything could be taken back`, {
    cause,
    details: [...details, ...left.map((line) => `Left: ${line}`)],
    hint: "op-dbus rollback tries again",
  });
}

function unread(why: string, error: unknown, cause: unknown): OpError {
  return new OpError("unreverted", `${why}. It could not be taken back: ${messageOf(error)}`, {
    cause,
    hint: "The next op-dbus command that changes something takes it back first",
  });
}

async function notBegun(host: Host, cause: unknown): Promise<OpError> {
  // A journal that stays open with no step taken is closed by the next start.
  if (host.journal.pending() !== undefined) await host.journal.close().catch(() => undefined);
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
