import type { StateDocument } from "../core/document.ts";
import { OpError } from "../core/errors.ts";
import type { AuditEntry, AuditReader, Checkpoint } from "../core/ports.ts";
import type { Host } from "./host.ts";
import { hasCommit } from "./transaction.ts";

type Books = Pick<Host, "audit" | "journal" | "ledger">;

/**
 * The document that was in force at an instant. The log says when that changed; what an apply or a rollback found in force is
 * kept in the checkpoints. Throws kind refused, with the reason, where they do not tell: nothing is guessed.
 */
export function inForceAt({ audit, journal, ledger }: Books, instant: Date): StateDocument {
  // In this order: a change that another process makes meanwhile is then in the log.
  const open = journal.pending();
  const current = ledger.current();
  const change = firstChangeAfter(audit, instant);
  if (change !== undefined) return foundBy(change, ledger.checkpoints(), instant);
  if (open !== undefined && hasCommit(open.records)) throw cannotTell(instant, `The ${open.header.kind} of ${open.header.started} is not recorded to its end`);
  return current;
}

/** The document that was in force at a checkpoint: just before its apply, or when it was marked. */
export function inForceAtCheckpoint(books: Books, { applied, created }: Checkpoint): StateDocument {
  return applied?.currentBefore ?? inForceAt(books, new Date(created));
}

/** The first entry after an instant that tells of another document in force. */
function firstChangeAfter(audit: AuditReader, instant: Date): AuditEntry | undefined {
  let first: AuditEntry | undefined;
  let latest: string | undefined;
  const pruned = audit.pruned();
  if (pruned !== undefined && instant < new Date(pruned.latest)) {
    throw cannotTell(instant, `Entries of the audit log up to ${pruned.latest} were pruned on ${pruned.when}`);
  }
  if (audit.size() === 0) throw cannotTell(instant, "The audit log is empty");
  for (const entry of audit.entries()) {
    const later = Date.parse(entry.time) > instant.getTime();
    if (later && entry.index === 0) throw cannotTell(instant, `The audit log begins on ${entry.time}`);
    if (!later && first !== undefined) {
      throw cannotTell(instant, `The clock was set back: entry ${first.index} of the audit log is of ${first.time}, entry ${entry.index} of ${entry.time}`);
    }
    // What a crash cut short is told again by the recovery.
    if (!changesWhatIsInForce(entry) || entry.transaction === latest) continue;
    latest = entry.transaction;
    if (later) first ??= entry;
  }
  return first;
}

function changesWhatIsInForce({ kind, outcome }: AuditEntry): boolean {
  return (kind === "commit" || kind === "rollback") && outcome === "done";
}

function foundBy({ kind, time, transaction }: AuditEntry, checkpoints: readonly Checkpoint[], instant: Date): StateDocument {
  const applies = checkpoints.flatMap(({ applied }) => applied ?? []);
  const found =
    kind === "commit"
      ? applies.find((applied) => applied.transaction === transaction)?.currentBefore
      : applies.find(({ undone }) => undone?.transaction === transaction)?.undone?.currentBefore;
  if (found !== undefined) return found;
  const what = kind === "commit" ? "apply" : "rollback";
  throw cannotTell(instant, `What the ${what} of ${time} found in force was kept in a checkpoint that is not there any more`);
}

function cannotTell(instant: Date, reason: string): OpError {
  return new OpError("refused", `The books do not tell what was in force at ${instant.toISOString()}`, { details: [reason], hint: "op-dbus checkpoint list" });
}
