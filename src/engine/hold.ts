import { OpError } from "../core/errors.ts";
import type { BootTime, Hold } from "../core/confirmation.ts";
import type { Clock, Commit, OpenTransaction, TransactionHeader } from "../core/ports.ts";

/** The header of a change that waits, or will. */
export interface HeldHeader extends TransactionHeader {
  readonly hold: Hold;
}

export function heldHeader(header: TransactionHeader): HeldHeader | undefined {
  return header.hold && { ...header, hold: header.hold };
}

/** A change that was made and verified, and is to be confirmed. */
export interface Waiting {
  readonly header: HeldHeader;
  /** What the ledger is told when it is. */
  readonly commit: Commit;
  readonly verified: BootTime;
}

export function holdOf(withinMs: number, clock: Clock): Hold {
  const { boot, ms } = clock.bootTime();
  return { withinMs, deadline: { boot, ms: ms + withinMs } };
}

/** Undefined for a change that is not made yet, that was confirmed, or that is on its way back. */
export function waitingOf({ header, records }: OpenTransaction): Waiting | undefined {
  const held = heldHeader(header);
  const decided = records.some(({ record }) => record === "committing" || record === "reverting" || record === "reverted");
  const waiting = records.find((entry) => entry.record === "waiting");
  if (held === undefined || waiting === undefined || decided) return undefined;
  return { header: held, commit: waiting.commit, verified: waiting.verified };
}

/** How long there is until the deadline; below zero after it. In another boot it has passed. */
export function leftMs({ deadline }: Hold, now: BootTime): number {
  return now.boot === deadline.boot ? deadline.ms - now.ms : Number.NEGATIVE_INFINITY;
}

export function isInTime(hold: Hold, now: BootTime): boolean {
  return leftMs(hold, now) > 0;
}

/** Why a change that waited is taken back. */
export function whyLapsed({ withinMs, deadline }: Hold, now: BootTime): string {
  return now.boot === deadline.boot ? `it was not confirmed within ${seconds(withinMs)}` : "the host was started anew before it was confirmed";
}

/** Throws kind failed for a change that took all the time it had. */
export function refuseLate({ hold }: TransactionHeader, clock: Clock): void {
  if (hold === undefined || isInTime(hold, clock.bootTime())) return;
  throw new OpError("failed", `It was not done within the ${seconds(hold.withinMs)} in which it was to be confirmed`);
}

/** Why nothing else may be changed meanwhile. */
export function stillWaiting({ header }: Waiting, clock: Clock): OpError {
  const { kind, started, actor, hold } = header;
  const left = seconds(leftMs(hold, clock.bootTime()));
  return new OpError("refused", `The ${kind} of ${started} (${actor.user}) waits until ${wallClock(hold, clock)} (${left} more) to be confirmed`, {
    retryable: true,
    hint: "op-dbus confirm keeps it, op-dbus rollback takes it back",
  });
}

/** When the deadline is by the wall clock, as that is set now. */
export function wallClock(hold: Hold, clock: Clock): string {
  return new Date(clock.now().getTime() + leftMs(hold, clock.bootTime())).toISOString();
}

/** "60 s", "2.5 s". */
export function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
