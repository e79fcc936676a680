import { OpError, type ErrorKind } from "../../core/errors.ts";
import { isWireObject, quoted, wireText, type Wire } from "./json.ts";

const TEXT_LIMIT = 1000;

/** What ovsdb-server answered instead of a result. It is the cause of the OpError that `ovsdbError` makes of it. */
export class OvsdbErrorReply extends Error {
  /** The error's name: "constraint violation". */
  readonly ovsdbName: string;

  constructor(ovsdbName: string, details: string) {
    super(details);
    this.name = "OvsdbErrorReply";
    this.ovsdbName = ovsdbName;
  }
}

/** What an <error> (RFC 7047 3.1) means for op-dbus; `what` failed with it. A name that is not in the list is the peer's way to say so. */
export function ovsdbError(error: Wire, what: string): OpError {
  const name = isWireObject(error) ? error.error : error;
  const ovsdbName = typeof name === "string" ? name : quoted(wireText(error));
  const given = isWireObject(error) && typeof error.details === "string" ? error.details : "";
  const text = [ovsdbName, given].filter((part) => part !== "").join(": ").replace(/\p{Cc}+/gu, " ").trim().replace(/\.$/, "").slice(0, TEXT_LIMIT);
  return new OpError(KINDS.get(ovsdbName) ?? "failed", `${what}: ${text}`, {
    operation: what,
    cause: new OvsdbErrorReply(ovsdbName, given),
    retryable: RETRYABLE.has(ovsdbName),
    ...(ovsdbName === "timed out" ? { hint: "What the transaction waited for is not there, or is another since it was read" } : {}),
  });
}

/** The name of the database's error at the root of this one, or undefined where the database did not answer with an error. */
export function ovsdbErrorName(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof OvsdbErrorReply) return each.ovsdbName;
  }
  return undefined;
}

/** RFC 7047 3.1, 4.1 and 5.2; Open vSwitch lib/ovsdb-error.c and ovsdb/jsonrpc-server.c. The rest of them says that the transaction is wrong. */
const KINDS: ReadonlyMap<string, ErrorKind> = new Map([
  ["unknown database", "unavailable"],
  ["unknown method", "unavailable"],
  ["resources exhausted", "unavailable"],
  ["cluster error", "unavailable"],
  ["not leader", "unavailable"],
  ["canceled", "unavailable"],
  ["permission error", "refused"],
  ["not allowed", "refused"],
  ["not owner", "refused"],
]);

const RETRYABLE: ReadonlySet<string> = new Set(["resources exhausted", "cluster error", "not leader", "timed out"]);
