import { OpError } from "../core/errors.ts";
import type { Checkpoint, Lock, LockHolder, OpenTransaction } from "../core/ports.ts";
import type { Host } from "../engine/host.ts";
import { leftMs, wallClock, type Waiting } from "../engine/hold.ts";
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
export function recoveryOf(open: OpenTransaction, { clock }: Pick<Host, "clock">): string {
  return NEXT[courseOf(open, clock.bootTime()).go];
}

/** What was made and can still be confirmed. */
export function waitingNow({ journal, clock }: Pick<Host, "journal" | "clock">): Waiting | undefined {
  const open = journal.pending();
  const course = open && courseOf(open, clock.bootTime());
  return course?.go === "wait" ? course.waiting : undefined;
}

/** Until when, by the wall clock, and how many seconds that is. */
export function deadlineOf({ header: { hold } }: Waiting, { clock }: Pick<Host, "clock">): { until: string; secondsLeft: number } {
  return { until: wallClock(hold, clock), secondsLeft: Math.ceil(leftMs(hold, clock.bootTime()) / 1000) };
}

const NEXT: Readonly<Record<Course["go"], string>> = {
  close: "it had changed nothing; the next apply or rollback closes it",
  record: "the next apply or rollback records that it was done, first",
  "record-revert": "it was taken back already, which the next apply or rollback records first",
  forward: "a step that cannot be taken back had begun, so the next apply or rollback finishes it first",
  back: "the next apply or rollback takes it back first",
  wait: "'op-dbus confirm' keeps it, 'op-dbus rollback' takes it back",
};

/** "An apply of ... was interrupted"; whoever cannot see the lock cannot tell it from one that is running. */
export function describeOpen(open: OpenTransaction, host: Pick<Host, "journal" | "lock" | "clock">): string {
  const { header } = open;
  const waiting = waitingNow(host);
  if (waiting !== undefined) {
    const { until, secondsLeft } = deadlineOf(waiting, host);
    return `${header.kind === "apply" ? "An apply" : "A rollback"} of ${when(header.started)} waits to be confirmed until ${when(until)} (${secondsLeft} s)`;
  }
  const what = lockState(host.lock).known ? "was interrupted" : "is running, or was interrupted";
  return `${header.kind === "apply" ? "An apply" : "A rollback"} of ${when(header.started)} ${what}`;
}

/** Reading commands go on, but what they show may be half of a change. */
export function warnInterrupted({ output }: Pick<Context, "output">, host: Pick<Host, "journal" | "lock" | "clock">): void {
  const open = interrupted(host);
  if (open !== undefined) output.warn(`${describeOpen(open, host)}; ${recoveryOf(open, host)}`);
}

/** Tells what was mended before the command's own work. */
export function tellRecovered({ output }: Pick<Context, "output">): (report: Recovered) => void {
  return ({ kind, started, ended, interrupted, why }) => {
    const where = ended === "before-state" ? "The host was brought back to where it was before it" : "The host was brought to the declared state";
    const what = interrupted ? "was interrupted" : "waited to be confirmed";
    output.warn(`${kind === "apply" ? "An apply" : "A rollback"} of ${when(started)} ${what}. ${where}: ${why}`);
  };
}
