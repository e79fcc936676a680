import type { JsonObject } from "../core/json.ts";
import type { Applied, Checkpoint, Undone } from "../core/ports.ts";
import { OpError } from "../core/errors.ts";
import { counted, when } from "./printable.ts";

/** A checkpoint for programs, without the values that its apply changed. */
export function checkpointJson({ name, sequence, created, actor, applied }: Checkpoint): JsonObject {
  return {
    name,
    sequence,
    created,
    user: actor.user,
    kind: applied === undefined ? "marker" : "apply",
    ...(applied === undefined
      ? {}
      : { transaction: applied.transaction, document_hash: applied.documentHash, changes: changeCount(applied), undone: applied.undone === undefined ? null : undoneJson(applied.undone) }),
  };
}

/** When and why an apply was undone, without what was in force then. */
export function undoneJson({ when, why }: Undone): JsonObject {
  return { when, why };
}

/** "apply, 3 changes", "apply, undone", "marker". */
export function checkpointKind({ applied }: Checkpoint): string {
  if (applied === undefined) return "marker";
  const changes = counted(changeCount(applied), "change");
  return applied.undone === undefined ? `apply, ${changes}` : `apply, ${changes}, undone`;
}

/**
 * A rollback composes what the applies after its goal changed. Without one of them it would end somewhere that never was, so
 * only what no rollback can need may go.
 */
export function refuseDeletion(checkpoints: readonly Checkpoint[], { name, applied, sequence }: Checkpoint): void {
  if (applied === undefined || applied.undone !== undefined) return;
  const older = checkpoints.filter((other) => other.sequence < sequence);
  if (older.length === 0) return;
  throw new OpError("refused", `Checkpoint '${name}' cannot be deleted: rollbacks to ${counted(older.length, "older one")} need it`, {
    details: older.slice(-5).map((other) => `needed by ${other.name} of ${when(other.created)}`),
    hint: "Roll it back, or delete the older ones first",
  });
}

function changeCount({ changes }: Applied): number {
  return Object.values(changes).reduce((sum, made) => sum + made.length, 0);
}
