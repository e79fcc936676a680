import { OpError } from "../core/errors.ts";
import { toJson, type JsonObject } from "../core/json.ts";
import type { AuditEntry, AuditKind, AuditReader, Pruned } from "../core/ports.ts";
import { entryGone } from "../store/audit/fault.ts";
import { counted, when } from "./printable.ts";

export const AUDIT_KINDS: readonly AuditKind[] = [
  "plan",
  "action",
  "verify",
  "confirm",
  "commit",
  "revert",
  "recovery",
  "rollback",
  "checkpoint",
  "refusal",
  "ownership",
  "snapshot",
  "reveal",
  "prune",
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
    if (endsWhole(entry)) for (const kind of ENDED) later.add(subject({ kind }));
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
    if (endsWhole(entry)) for (const kind of ENDED) this.#begun.delete(key({ kind }));
  }

  /** The numbers of the announcements. */
  get open(): number[] {
    return [...this.#begun.values()].sort((a, b) => a - b);
  }
}

/** An apply or a rollback as a whole was announced as "plan", and its waiting as "confirm"; both end with one of these. */
function endsWhole({ kind, outcome }: AuditEntry): boolean {
  return kind === "commit" || kind === "rollback" || (kind === "revert" && outcome !== "begun");
}

const ENDED: readonly AuditKind[] = ["plan", "confirm"];

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

/** What is said where entries are listed and the oldest were pruned. */
export function prunedLine({ minimumIndex, when: time }: Pruned): string {
  return `${counted(minimumIndex, "older entry", "older entries")} not there any more: pruned on ${when(time)}`;
}

/** The number of an entry, as people give it. */
export function entryNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new OpError("invalid", `'${text}' is no entry's number`);
  return Number(text);
}

/** The entry of that number. Throws kind invalid where there is none. */
export function entryAt(audit: AuditReader, index: number): AuditEntry {
  const [entry] = audit.entries({ from: index, to: index + 1 });
  if (entry !== undefined) return entry;
  const [size, pruned] = [audit.size(), audit.pruned()];
  if (pruned !== undefined && index < pruned.minimumIndex) throw entryGone(index, pruned);
  throw new OpError("invalid", `There is no entry ${index}`, { hint: size === 0 ? "The log is empty" : `There are 0 to ${size - 1}` });
}

export function entryJson(entry: AuditEntry, open: boolean): JsonObject {
  return { ...(toJson(entry) as JsonObject), ...(open ? { open: true } : {}) };
}

/** What an announcement and its outcome have in common, within their transaction. */
function subject({ kind, plugin, operation, resource }: Pick<AuditEntry, "kind" | "plugin" | "operation" | "resource">): string {
  // The whole of a transaction is announced once, whatever the words.
  return JSON.stringify(kind === "action" || kind === "ownership" || kind === "checkpoint" ? [kind, plugin, operation, resource] : [kind]);
}
