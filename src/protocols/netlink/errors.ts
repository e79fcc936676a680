import { messageOf, OpError } from "../../core/errors.ts";
import { errnoName, failure } from "../../sys/native/failure.ts";
import type { Acknowledgement } from "./acknowledgement.ts";
import type { Unusable } from "./answers.ts";
import { RTM } from "./constants.ts";
import { LINK } from "./link.ts";
import type { Request } from "./netlink.ts";
import { isRead } from "./reads.ts";

const TEXT_LIMIT = 1000;
const MESSAGE_HEADER_BYTES = 16;
/** net/core/rtnetlink.c, for a kind of link that it has no module for. */
const UNKNOWN_KIND = "Unknown device type";

/** What the kernel answered instead of doing it. It is the cause of the OpError that `netlinkError` makes of it. */
export class KernelRefusal extends Error {
  /** Its name for the error: "EEXIST". */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "KernelRefusal";
    this.code = code;
  }
}

/**
 * What a refusal means for op-dbus, in the kernel's words where it has some, with the attribute that they are about. EPERM and EACCES are
 * kind refused, unless there are words: of rights the kernel has none. What the kernel does not have (EOPNOTSUPP, EAFNOSUPPORT,
 * EPROTONOSUPPORT) is kind unavailable; all else kind failed.
 */
export function netlinkError(acknowledgement: Acknowledgement, request: Request<unknown>): OpError {
  const { operation } = request;
  const code = errnoName(acknowledgement.errno);
  const { kind, cause, retryable } = failure(code, operation);
  const text = acknowledgement.text?.replace(/\p{Cc}+/gu, " ").trim().replace(/\.$/, "").slice(0, TEXT_LIMIT);
  const explained = text !== undefined && text !== "";
  const words = explained ? `${text} (${code})` : messageOf(cause);
  return new OpError(kind === "refused" && explained ? "failed" : kind, `Could not ${operation}: ${words}${where(acknowledgement, request)}`, {
    operation,
    cause: new KernelRefusal(code, words),
    retryable,
    ...(text === UNKNOWN_KIND ? missingKind(request) : {}),
  });
}

/** The kernel's name of the error at the root of this one ("ENODEV"), or undefined where it refused nothing. */
export function netlinkErrorCode(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof KernelRefusal) return each.code;
  }
  return undefined;
}

function where({ offset, missing, missingNest }: Acknowledgement, { form, payload }: Request<unknown>): string {
  if (missing !== undefined) {
    const nest = missingNest === undefined ? undefined : missingNest - MESSAGE_HEADER_BYTES;
    return `, missing ${form.constantOf({ number: missing, nest }, payload)}`;
  }
  const place = offset === undefined ? undefined : form.placeAt(offset - MESSAGE_HEADER_BYTES, payload);
  return place === undefined ? "" : `, at ${place.path.join(".")} (${place.constant})`;
}

function missingKind({ type, payload }: Request<unknown>): { readonly hint?: string } {
  const kind = type === RTM.NEWLINK ? LINK.decode(payload).linkInfo?.kind : undefined;
  return kind === undefined ? {} : { hint: `The kernel has no links of kind '${kind}': its module is not installed, or may not be loaded here` };
}

/** The error of a request that has no end. Whether a change was made all the same is not known. */
export function unanswered(request: Request<unknown>, why: Unusable): OpError {
  const { operation } = request;
  const doubt = isRead(request) ? "" : ", and it may be done";
  return new OpError("unavailable", `Could not ${operation}: the kernel ${why.message}${doubt}`, { operation, cause: why, retryable: true });
}
