import { OpError } from "../core/errors.ts";
import { toJson, type JsonObject } from "../core/json.ts";
import type { AuditEntry, AuditKind } from "../core/ports.ts";

export const AUDIT_KINDS: readonly AuditKind[] = [
  "plan",
  "action",
  "verify",
  "commit",
  "revert",
  "recovery",
  "rollback",
  "checkpoint",
  "refusal",
  "ownership",
];

/** Indexes of the announcements that no outcome followed: what was being done when the process or the machine died. */
export function openEntries(entries: readonly AuditEntry[]): Set<number> {
  const open = new Map<string, number>();
  for (const entry of entries) {
    if (entry.outcome === "begun") open.set(subject(entry), entry.index);
    else open.delete(subject(entry));
    // An apply or a rollback as a whole was announced as "plan" and ends with one of these.
    if (entry.kind === "commit" || entry.kind === "rollback" || (entry.kind === "revert" && entry.outcome !== "begun")) {
      open.delete(subject({ kind: "plan", ...transactionOf(entry) }));
    }
  }
  return new Set(open.values());
}

export interface HistoryFilter {
  readonly kind: string | undefined;
  readonly plugin: string | undefined;
  readonly resource: string | undefined;
  readonly since: Date | undefined;
  readonly until: Date | undefined;
}

export function matches({ kind, plugin, resource, since, until }: HistoryFilter, entry: AuditEntry): boolean {
  const time = Date.parse(entry.time);
  return (
    (kind === undefined || entry.kind === kind) &&
    (plugin === undefined || entry.plugin === plugin) &&
    (resource === undefined || entry.resource === resource) &&
    (since === undefined || time >= since.getTime()) &&
    (until === undefined || time <= until.getTime())
  );
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3, w: 604800e3 };

/** A point in time as people give it: "2h" ago, or a date and time (local unless it says otherwise). */
export function pointInTime(text: string, flag: string, now: Date): Date {
  const [, amount, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return new Date(now.getTime() - Number(amount) * (UNIT_MS[unit ?? ""] ?? 0));
  // A date alone is midnight here, not in Greenwich as Date has it.
  const date = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new OpError("invalid", `${flag} is '${text}'`, { hint: "A time ago such as 30m, 2h, 7d, or a date such as 2026-11-20 or 2026-11-20T17:30" });
}

export function entryJson(entry: AuditEntry, open: ReadonlySet<number>): JsonObject {
  return { ...(toJson(entry) as JsonObject), ...(open.has(entry.index) ? { open: true } : {}) };
}

/** What an announcement and its outcome have in common. */
function subject(entry: Pick<AuditEntry, "kind" | "transaction" | "plugin" | "operation" | "resource">): string {
  const { kind, transaction, plugin, operation, resource } = entry;
  // The whole of a transaction is announced once, whatever the words.
  return JSON.stringify(kind === "action" || kind === "ownership" || kind === "checkpoint" ? [kind, transaction, plugin, operation, resource] : [kind, transaction]);
}

function transactionOf({ transaction }: AuditEntry): { transaction?: string } {
  return transaction === undefined ? {} : { transaction };
}
