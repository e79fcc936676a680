import { isWireObject } from "./json.ts";
import type { Request } from "./message.ts";
import type { Operation } from "./operation.ts";

/*
 * What changes nothing: the one list of it (DESIGN.md, Reads). Anything else is a write.
 */

/** RFC 7047 4.1. To cancel is a read too: it keeps a transaction from happening, and stops a monitor. */
const METHODS: ReadonlySet<string> = new Set(["list_dbs", "get_schema", "echo", "monitor", "monitor_cancel", "cancel"]);

/** RFC 7047 5.2. A comment is written to the database's log only along with a change. */
const OPERATIONS: ReadonlySet<string> = new Set<Operation["op"]>(["select", "wait", "comment"]);

/** Whether the request is known to change nothing. A transaction does not when none of its operations does. */
export function isRead({ method, params }: Request): boolean {
  if (method !== "transact") return METHODS.has(method);
  return params.slice(1).every((operation) => isWireObject(operation) && typeof operation.op === "string" && OPERATIONS.has(operation.op));
}

export function isReadOperation({ op }: Operation): boolean {
  return OPERATIONS.has(op);
}
