import { messageOf, OpError } from "../core/errors.ts";
import type { Probe } from "../core/confirmation.ts";
import { isInTime, leftMs, waitingOf, whyLapsed, type HeldHeader } from "./hold.ts";
import type { Host, Observer } from "./host.ts";
import { recover, takeBackWaiting } from "./recovery.ts";
import { confirmWaiting } from "./transaction.ts";

/** How often the journal is looked at. */
const INTERVAL_MS = 200;
/** The longest that one attempt of a probe may keep everything else waiting. */
const ATTEMPT_MS = 2000;
/** How long after the deadline those have whose task it is to take the change back. */
const GRACE_MS = 10_000;

export interface Watch {
  readonly observer: Observer;
  readonly probe: Probe | undefined;
}

/**
 * Waits, without the lock, until what `header` began is confirmed or taken back, by whomever; returns when it was confirmed. Throws kind
 * failed when it was taken back, kind unreverted when that could not be done in full.
 */
export async function outcomeOf(host: Host, header: HeldHeader, { observer, probe }: Watch): Promise<void> {
  const { journal, clock } = host;
  let probed: string | undefined;
  let givenUp: unknown;
  while (journal.pending()?.header.id === header.id) {
    const left = leftMs(header.hold, clock.bootTime());
    try {
      if (givenUp === undefined) observer.waiting?.(Math.max(0, left), probed);
    } catch (error) {
      givenUp = error;
    }
    if (givenUp !== undefined) await takeBack(host, header, { observer, why: messageOf(givenUp) });
    else if (left < -GRACE_MS) await takeBack(host, header, { observer, why: undefined });
    else if (probe !== undefined && left > 0) {
      probed = await probe.attempt(Math.min(left, ATTEMPT_MS));
      if (probed === undefined) await confirmBy(probe, host, header);
    }
    if (journal.pending()?.header.id === header.id) await clock.sleep(INTERVAL_MS);
  }
  refuseReverted(host, header);
}

/** Where another has the lock, it is deciding. */
async function takeBack(host: Host, { id }: HeldHeader, { observer, why }: { observer: Observer; why: string | undefined }): Promise<void> {
  await using lock = await lockIfFree(host, "rollback");
  const open = host.journal.pending();
  if (lock === undefined || open?.header.id !== id) return;
  if (waitingOf(open) === undefined || why === undefined) await recover(host, observer);
  else {
    observer.reverting?.(why);
    await takeBackWaiting(open, why, host, observer);
  }
}

async function confirmBy({ name }: Probe, host: Host, { id }: HeldHeader): Promise<void> {
  await using lock = await lockIfFree(host, "confirm");
  const open = host.journal.pending();
  const waiting = open?.header.id === id ? waitingOf(open) : undefined;
  if (lock === undefined || waiting === undefined || !isInTime(waiting.header.hold, host.clock.bootTime())) return;
  await confirmWaiting(host, waiting, `by the probe ${name}`);
}

async function lockIfFree({ lock }: Host, purpose: string): Promise<AsyncDisposable | undefined> {
  try {
    return await lock.acquire(purpose);
  } catch (error) {
    if (error instanceof OpError && error.kind === "refused" && error.retryable) return undefined;
    throw error;
  }
}

/** The journal is closed: the ledger knows what became of it. */
function refuseReverted({ ledger, clock }: Host, { id, kind, documentHash, hold }: HeldHeader): void {
  const applies = ledger.checkpoints().flatMap(({ applied }) => applied ?? []);
  if (kind === "rollback") {
    if (applies.some(({ undone }) => undone?.transaction === id)) return;
    throw new OpError("failed", "The rollback was not kept, since it was not confirmed. Everything is as it was before it");
  }
  const [recorded, rejection] = [applies.some(({ transaction }) => transaction === id), ledger.rejection(documentHash)];
  if (recorded && rejection === undefined) return;
  const message = `The apply was not kept: ${rejection?.why ?? whyLapsed(hold, clock.bootTime())}`;
  if (recorded) throw new OpError("unreverted", `${message}. Not everything could be taken back`, { hint: "op-dbus rollback tries again" });
  throw new OpError("failed", `${message}. Everything was taken back`);
}
