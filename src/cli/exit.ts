import { OpError, type ErrorKind } from "../core/errors.ts";

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** What each exit code means (DESIGN.md, Command line). Every command's help repeats the lines that concern it. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: "done; for plan, diff, verify: no difference",
  1: "internal error (a bug; prints how to report it)",
  2: "bad usage or invalid input; nothing touched",
  3: "there is a difference",
  4: "the change failed, or was not confirmed, and the host was brought back to where it was",
  5: "the change failed and could not be fully reverted; the message lists what is left",
  6: "refused, nothing begun: locked, stale or spent plan, rejected document, needs --yes or --force, not allowed",
  7: "integrity: the audit log does not verify",
  8: "a service that the work needs is not there (which, and how to start it)",
};

export const DONE = 0;
export const DIFFERENCE = 3;

const BY_KIND: Readonly<Record<ErrorKind, ExitCode>> = {
  internal: 1,
  invalid: 2,
  failed: 4,
  unreverted: 5,
  refused: 6,
  integrity: 7,
  unavailable: 8,
};

/** Anything thrown that is not an OpError is a bug. */
export function exitOf(error: unknown): ExitCode {
  return error instanceof OpError ? BY_KIND[error.kind] : BY_KIND.internal;
}
