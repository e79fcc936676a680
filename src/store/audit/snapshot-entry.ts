import * as v from "valibot";
import type { AuditEntry, AuditEvent } from "../../core/ports.ts";
import { snapshotNamed } from "../snapshot-name.ts";

/*
 * What the log says of a snapshot. A copy of one is held to it, wherever it is.
 */

const schema = v.strictObject({
  /** The checkpoint in the snapshot's log: size, and root in base64. */
  tree_head: v.strictObject({ size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)), root: v.string() }),
  /** The content root of its state, in hex. */
  state: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

export type SnapshotDetail = v.InferOutput<typeof schema>;

/** A snapshot as the log has it. */
export interface LoggedSnapshot {
  readonly name: string;
  readonly state: string;
  /** The entry's number. */
  readonly entry: number;
}

export function snapshotTaken(name: string, detail: SnapshotDetail): AuditEvent {
  return { kind: "snapshot", operation: "create", resource: name, detail };
}

export function snapshotLetGo(name: string): AuditEvent {
  return { kind: "snapshot", operation: "prune", resource: name };
}

/** The snapshot that was taken when an entry was logged; undefined for one that tells of something else. */
export function loggedSnapshot({ kind, operation, resource, detail, index }: AuditEntry): LoggedSnapshot | undefined {
  if (kind !== "snapshot" || operation !== "create" || resource === undefined || snapshotNamed(resource) === undefined || !v.is(schema, detail)) return undefined;
  return { name: resource, state: detail.state, entry: index };
}
