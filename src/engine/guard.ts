import { isInTime } from "./hold.ts";
import type { Host } from "./host.ts";

/** How long the holder of the lock may go on after the deadline with what it is to let be, and with what it does to the same end. */
const PATIENCE_MS = 2000;
const PATIENCE_ENDING_MS = 30_000;
const INTERVAL_MS = 500;

/**
 * The lock, for who takes back what nobody confirmed: waits for the deadline of what is held, then takes it from a holder that does not
 * let go. It may have been run too early, and by a timer that stood still while the machine slept.
 */
export async function lockAtDeadline({ journal, lock, clock }: Host): Promise<AsyncDisposable> {
  const isHeld = () => {
    const hold = journal.pending()?.header.hold;
    return hold !== undefined && isInTime(hold, clock.bootTime());
  };
  while (isHeld()) await clock.sleep(INTERVAL_MS);
  const isUndecided = () => journal.pending()?.records.every(({ record }) => record !== "reverting" && record !== "committing") === true;
  return await lock.seize("recover", () => (isUndecided() ? PATIENCE_MS : PATIENCE_ENDING_MS));
}
