/**
 * The closed set of ways op-dbus can end badly. Each maps to one exit code (DESIGN.md, Command line):
 * internal 1, invalid 2, failed 4, unreverted 5, refused 6, integrity 7, unavailable 8.
 */
export type ErrorKind =
  | "internal"
  | "invalid"
  | "failed"
  | "unreverted"
  | "refused"
  | "integrity"
  | "unavailable";

export interface OpErrorOptions {
  /** What was being done, in the field's terms: "StartUnit nginx.service". */
  readonly operation?: string;
  readonly cause?: unknown;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable?: boolean;
  /** One line each: more findings, journal lines, what is left. */
  readonly details?: readonly string[];
  /** What the user can do about it. */
  readonly hint?: string;
}

/** The only error that crosses a room's wall on purpose; anything else that is thrown is a bug. */
export class OpError extends Error {
  readonly kind: ErrorKind;
  readonly operation: string | undefined;
  readonly retryable: boolean;
  readonly details: readonly string[];
  readonly hint: string | undefined;

  constructor(kind: ErrorKind, message: string, options: OpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "OpError";
    this.kind = kind;
    this.operation = options.operation;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? [];
    this.hint = options.hint;
  }
}

/** The error's text in one line, for the log and for messages that wrap it. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's name for an error ("ENOSPC"), where it has one. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
