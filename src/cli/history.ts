import { OpError } from "../core/errors.ts";
import { toJson, type JsonObject } from "../core/json.ts";
import type { AuditEntry, AuditKind, AuditReader } from "../core/ports.ts";

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
  "snapshot",
];

/** Says of each entry, from the newest of a log back, whether it is open: announced, and no outcome followed. */
export class OpenBackwards {
  /** By transaction, what was told of later on. */
  readonly #later = new Map<string | undefined, Set<string>>();

  isOpen(entry: AuditEntry): boolean {
    const { kind, outcome, transaction } = entry;
    const later = this.#later.get(transaction) ?? new Set();
    const open = outcome === "begun" && !later.has(subject(entry));
    later.add(subject(entry));
    if (endsWhole(entry)) later.add(subject({ kind: "plan" }));
    // Nothing of a transaction is older than the announcement of the whole.
    if (outcome === "begun" && WHOLE.includes(kind)) this.#later.delete(transaction);
    else this.#later.set(transaction, later);
    return open;
  }
}

/** The same from the oldest on: what is open at the end. Keeps no more than what is open. */
export class OpenForwards {
  readonly #begun = new Map<string, number>();

  add(entry: AuditEntry): void {
    const key = (of: Parameters<typeof subject>[0]) => JSON.stringify([entry.transaction, subject(of)]);
    if (entry.outcome === "begun") this.#begun.set(key(entry), entry.index);
    else this.#begun.delete(key(entry));
    if (endsWhole(entry)) this.#begun.delete(key({ kind: "plan" }));
  }

  /** The numbers of the announcements. */
  get open(): number[] {
    return [...this.#begun.values()].sort((a, b) => a - b);
  }
}

/** An apply or a rollback as a whole was announced as "plan" and ends with one of these. */
function endsWhole({ kind, outcome }: AuditEntry): boolean {
  return kind === "commit" || kind === "rollback" || (kind === "revert" && outcome !== "begun");
}

/** What is announced before all else in its transaction. */
const WHOLE: readonly AuditKind[] = ["plan", "checkpoint", "ownership"];

/** True for an announcement that nothing later in the log is the outcome of. */
export function isOpen(entry: AuditEntry, audit: AuditReader): boolean {
  if (entry.outcome !== "begun") return false;
  const backwards = new OpenBackwards();
  const later: AuditEntry[] = [];
  for (const other of audit.entries({ from: entry.index + 1 })) if (other.transaction === entry.transaction) later.push(other);
  for (const other of later.reverse()) backwards.isOpen(other);
  return backwards.isOpen(entry);
}

export interface HistoryFilter {
  /** A user's name or number, or the name that was claimed through sudo. */
  readonly actor: string | undefined;
  readonly kind: string | undefined;
  readonly plugin: string | undefined;
  readonly resource: string | undefined;
  readonly since: Date | undefined;
  readonly until: Date | undefined;
}

/** The number of an entry, as people give it. */
export function entryNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new OpError("invalid", `'${text}' is no entry's number`);
  return Number(text);
}

export function matches({ actor, kind, plugin, resource, since, until }: HistoryFilter, entry: AuditEntry): boolean {
  const time = Date.parse(entry.time);
  const { uid, user, claimedSudoUser } = entry.actor;
  return (
    (actor === undefined || [user, claimedSudoUser, String(uid)].includes(actor)) &&
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

export function entryJson(entry: AuditEntry, open: boolean): JsonObject {
  return { ...(toJson(entry) as JsonObject), ...(open ? { open: true } : {}) };
}

/** What an announcement and its outcome have in common, within their transaction. */
function subject({ kind, plugin, operation, resource }: Pick<AuditEntry, "kind" | "plugin" | "operation" | "resource">): string {
  // The whole of a transaction is announced once, whatever the words.
  return JSON.stringify(kind === "action" || kind === "ownership" || kind === "checkpoint" ? [kind, plugin, operation, resource] : [kind]);
}
