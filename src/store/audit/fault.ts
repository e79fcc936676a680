import { OpError } from "../../core/errors.ts";

const HINT = "Keep the directory as it is: it is evidence. Compare it with a replica, a snapshot or a proof that was made before";

/** Kind integrity: what is wrong, and the number of the first entry that can no longer be vouched for. */
export function entryFault(log: string, number: number, what: string): OpError {
  return new OpError("integrity", `Entry ${number} of the audit log ${log} does not verify: ${what}`, { hint: HINT });
}

/** Kind integrity, where nothing says from which entry on the log is wrong. */
export function logFault(log: string, what: string): OpError {
  return new OpError("integrity", `The audit log ${log} does not verify: ${what}`, { hint: HINT });
}
