import { OpError } from "../../core/errors.ts";
import type { Pruned } from "../../core/ports.ts";

const HINT = "Keep the directory as it is: it is evidence. Compare it with a replica, a snapshot or a proof that was made before";

/** Kind integrity: what is wrong, and the number of the first entry that can no longer be vouched for. */
export function entryFault(log: string, number: number, what: string): OpError {
  return new OpError("integrity", `Entry ${number} of the audit log ${log} does not verify: ${what}`, { hint: HINT });
}

/** Kind refused: an entry's content is asked for that was let go. */
export function entryGone(number: number, { minimumIndex, when }: Pruned): OpError {
  return new OpError("refused", `Entry ${number} is not there any more: entries 0 to ${minimumIndex - 1} were pruned on ${when}, only their hashes were kept`, {
    hint: "A proof made before is still good; a replica or a snapshot may have the entry",
  });
}

/** Kind integrity, where nothing says from which entry on the log is wrong. */
export function logFault(log: string, what: string): OpError {
  return new OpError("integrity", `The audit log ${log} does not verify: ${what}`, { hint: HINT });
}
