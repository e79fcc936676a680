import type { Json } from "../core/json.ts";
import type { AuditEntry } from "../core/ports.ts";
import { printable, when } from "./printable.ts";

/** An entry of the log, and whether it is open. */
export interface Shown {
  readonly entry: AuditEntry;
  readonly open: boolean;
}

/** An entry in one line, in columns: number, time, kind, outcome, and what was done. */
export function entryRow({ entry: { index, time, kind, outcome, operation, resource, detail }, open }: Shown): string[] {
  const what = [operation, resource, detailLine(detail)].filter((part) => part !== undefined).join(" ");
  return [String(index), when(time), kind, open ? "open" : (outcome ?? ""), printable(what)];
}

function detailLine(detail: AuditEntry["detail"]): string | undefined {
  if (detail === undefined || detail === null) return undefined;
  if (Array.isArray(detail)) return detail.map((line: Json) => (typeof line === "string" ? line : JSON.stringify(line))).join("; ");
  // A document's hash is known by its first digits.
  if (typeof detail === "string" && /^[0-9a-f]{64}$/.test(detail)) return detail.slice(0, 12);
  return typeof detail === "string" ? detail : JSON.stringify(detail);
}
