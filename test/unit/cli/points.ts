import { EMPTY_DOCUMENT, type StateDocument } from "../../../src/core/document.ts";
import type { Applied, Checkpoint, CheckpointMark } from "../../../src/core/ports.ts";

const ACTOR = { uid: 0, user: "alice", door: "cli" };

/** A point that a user marked, made at 17:0N. */
export function marker({ name, sequence }: CheckpointMark): Checkpoint {
  return { name, sequence, created: `2026-11-20T17:0${sequence}:00.000Z`, actor: ACTOR };
}

/** The point before an apply that switched the lamp in the hall on, and found a document in force. */
export function pointBefore(mark: CheckpointMark, currentBefore: StateDocument = EMPTY_DOCUMENT): Checkpoint & { readonly applied: Applied } {
  const changes = { lamps: [{ resource: "hall", path: ["on"], from: false, to: true }] };
  const applied = { transaction: `t${mark.sequence}`, documentHash: "a".repeat(64), changes, policies: {}, ownershipBefore: {}, currentBefore };
  return { ...marker(mark), applied };
}
