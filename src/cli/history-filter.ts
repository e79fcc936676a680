import type { Json } from "../core/json.ts";
import { isList, isObject } from "../core/json.ts";
import type { AuditEntry } from "../core/ports.ts";
import type { Values } from "./command.ts";
import { AUDIT_KINDS } from "./history.ts";
import { pointInTime, WHEN_EXAMPLES } from "./point-in-time.ts";

/** The flags by which a command chooses among the log's entries. */
export const FILTER_ARGS = {
  kind: { type: "string", value: "K", description: `only these: ${AUDIT_KINDS.join(", ")}`, allowed: AUDIT_KINDS },
  plugin: { type: "string", value: "P", description: "only of this plugin", complete: "plugin" },
  resource: { type: "string", value: "R", description: "only of this resource" },
  actor: { type: "string", value: "USER", description: "only by this user, by name or number" },
  since: { type: "string", value: "WHEN", description: `not before: ${WHEN_EXAMPLES}` },
  until: { type: "string", value: "WHEN", description: "not after" },
} as const;

export interface HistoryFilter {
  /** A user's name or number, or the name that was claimed through sudo. */
  readonly actor: string | undefined;
  readonly kind: string | undefined;
  readonly plugin: string | undefined;
  readonly resource: string | undefined;
  readonly since: Date | undefined;
  readonly until: Date | undefined;
}

/** What the flags ask for. Throws kind invalid for a time that is none. */
export function filterOf({ since, until, ...filter }: Values<typeof FILTER_ARGS>, now: Date): HistoryFilter {
  return {
    ...filter,
    since: since === undefined ? undefined : pointInTime(since, "--since", now),
    until: until === undefined ? undefined : pointInTime(until, "--until", now),
  };
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

/** Whether a text occurs in what was done, to what, and by whom; capital or not. Keys of values count as values do. */
export function mentions(entry: AuditEntry, text: string): boolean {
  const { kind, transaction, plugin, operation, resource, outcome, before, after, detail, actor } = entry;
  const sought = text.toLowerCase();
  const occursIn = (value: Json | undefined): boolean => {
    if (isList(value)) return value.some(occursIn);
    if (isObject(value)) return Object.entries(value).some(([key, inner]) => occursIn(key) || occursIn(inner));
    return value !== undefined && value !== null && String(value).toLowerCase().includes(sought);
  };
  return [kind, transaction, plugin, operation, resource, outcome, before, after, detail, actor.user, actor.claimedSudoUser].some(occursIn);
}
