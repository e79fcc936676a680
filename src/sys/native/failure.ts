import { constants } from "node:os";
import { OpError, type ErrorKind } from "../../core/errors.ts";
import { strerror } from "../libc.ts";

/** include/uapi/asm-generic/errno.h, as far as POSIX does not have them. */
const LINUX_ERRORS = { ENOTUNIQ: 76, ESHUTDOWN: 108, EUCLEAN: 117, EREMOTEIO: 121, ENOMEDIUM: 123, EKEYREJECTED: 129, ERFKILL: 132 };
const NUMBERS: Readonly<Record<string, number>> = { ...constants.errno, ...LINUX_ERRORS };

/** Where the kernel or the file system has no such thing, however often it is asked. */
const UNAVAILABLE = new Set(["ENOSYS", "ENOTTY", "EOPNOTSUPP", "EPROTONOSUPPORT", "EAFNOSUPPORT"]);
const REFUSED = new Set(["EPERM", "EACCES"]);
const RETRYABLE = new Set(["EAGAIN", "EINTR", "EBUSY", "ENOBUFS", "ENOMEM"]);

/** The result as it is, or throws for one below zero, a negated errno. `operation` is in the field's terms and completes "Could not ...". */
export function check(result: number, operation: string): number {
  if (result < 0) throw failure(errnoName(-result), operation);
  return result;
}

/** The error for one of the system's; its cause carries the name as `code`, for codeOf. */
export function failure(code: string, operation: string): OpError {
  const number = NUMBERS[code];
  const words = number === undefined ? code : `${strerror(number)} (${code})`;
  return new OpError(kindOf(code), `Could not ${operation}: ${words}`, {
    operation,
    cause: Object.assign(new Error(words), { code }),
    retryable: RETRYABLE.has(code),
  });
}

/** "ENOENT" for 2; "errno 999" for what has no name here. */
export function errnoName(number: number): string {
  // Two of the numbers have two names.
  if (number === NUMBERS.EAGAIN) return "EAGAIN";
  if (number === NUMBERS.EOPNOTSUPP) return "EOPNOTSUPP";
  return Object.keys(NUMBERS).find((name) => NUMBERS[name] === number) ?? `errno ${number}`;
}

function kindOf(code: string): ErrorKind {
  if (UNAVAILABLE.has(code)) return "unavailable";
  return REFUSED.has(code) ? "refused" : "failed";
}
