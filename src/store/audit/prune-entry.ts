import * as v from "valibot";
import type { AuditEntry, AuditEvent, Pruned } from "../../core/ports.ts";
import { TILE_WIDTH } from "./tile.ts";

/*
 * What the log says of a prune. Only such an entry lets bundles be missing.
 */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = v.string();

const schema = v.strictObject({
  /** As in c2sp.org/tlog-tiles: entries before it need not be there any more. A multiple of 256. */
  minimum_index: count,
  /** The root of the tree of the entries before it, in base64 as in a tree head. */
  root: text,
  /** The latest time that one of those has. */
  latest: text,
  /** The log's tree head when they were let go. */
  tree_head: v.strictObject({ size: count, root: text }),
});

export type PruneDetail = v.InferOutput<typeof schema>;

/** `first` is the oldest entry that goes. */
export function pruneEvent(first: number, detail: PruneDetail): AuditEvent {
  return { kind: "prune", operation: "entries", resource: `${first}-${detail.minimum_index - 1}`, detail };
}

/** What an entry lets go; undefined for one that tells of something else. */
export function prunedBy({ kind, detail, time, index }: AuditEntry): Pruned | undefined {
  if (kind !== "prune" || !v.is(schema, detail)) return undefined;
  const { minimum_index: minimumIndex, latest } = detail;
  return minimumIndex % TILE_WIDTH === 0 && minimumIndex <= index ? { minimumIndex, latest, when: time, entry: index } : undefined;
}
