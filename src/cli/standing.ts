import { OpError } from "../core/errors.ts";
import type { Checkpoint, Lock, LockHolder, OpenTransaction } from "../core/ports.ts";
import type { Host } from "../engine/host.ts";
import { courseOf, type Course, type Recovered } from "../engine/recovery.ts";
import type { Context } from "./context.ts";
import { when } from "./printable.ts";

/** The latest apply in force, if any. */
export function latestApply(checkpoints: readonly Checkpoint[]): Checkpoint | undefined {
  return checkpoints.findLast(({ applied }) => applied !== undefined && applied.undone === undefined);
}

/** Who holds the lock, as far as this user may know. */
export interface LockState {
  readonly known: boolean;
  readonly holder: LockHolder | undefined;
}

export function lockState(lock: Pick<Lock, "holder">): LockState {
  try {
    return { known: true, holder: lock.holder() };
  } catch (error) {
    if (error instanceof OpError && error.kind === "refused") return { known: false, holder: undefined };
    throw error;
  }
}

/** A transaction that no process is working on any more. While one holds the lock, an open journal is its own. */
export function interrupted({ journal, lock }: Pick<Host, "journal" | "lock">): OpenTransaction | undefined {
  const open = journal.pending();
  return open === undefined || lockState(lock).holder !== undefined ? undefined : open;
}

/** What the next change will do about it first. */
export function recoveryOf(open: OpenTransaction): string {
  return NEXT[courseOf(open).go];
}

const NEXT: Readonly<Record<Course["go"], string>> = {
  close: "it had changed nothing; the next apply or rollback closes it",
  record: "the next apply or rollback records that it was done, first",
  "record-revert": "it was taken back already, which the next apply or rollback records first",
  forward: "a step that cannot be taken back had begun, so the next apply or rollback finishes it first",
  back: "the next apply or rollback takes it back first",
};

/** "An apply of ... was interrupted"; whoever cannot see the lock cannot tell it from one that is running. */
export function describeOpen({ header }: OpenTransaction, lock: Pick<Lock, "holder">): string {
  const what = lockState(lock).known ? "was interrupted" : "is running, or was interrupted";
  return `${header.kind === "apply" ? "An apply" : "A rollback"} of ${when(header.started)} ${what}`;
}

/** Reading commands go on, but what they show may be half of a change. */
export function warnInterrupted({ output }: Pick<Context, "output">, host: Pick<Host, "journal" | "lock">): void {
  const open = interrupted(host);
  if (open !== undefined) output.warn(`${describeOpen(open, host.lock)}; ${recoveryOf(open)}`);
}

/** Tells what was mended before the command's own work. */
export function tellRecovered({ output }: Pick<Context, "output">): (report: Recovered) => void {
  return ({ kind, started, ended, why }) => {
    const where = ended === "before-state" ? "The host was brought back to where it was before it" : "The host was brought to the declared state";
    output.warn(`${kind === "apply" ? "An apply" : "A rollback"} of ${when(started)} was interrupted. ${where}: ${why}`);
  };
}
