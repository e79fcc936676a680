import type { AuditEvent, Checkpoint, Commit } from "../core/ports.ts";
import type { Host } from "../engine/host.ts";
import { nearest } from "../core/suggestion.ts";
import { OpError } from "../core/errors.ts";

/** Changes the ledger with the log telling of it: announced first, its outcome after. */
export async function recordChange({ audit, ledger }: Pick<Host, "audit" | "ledger">, event: AuditEvent, commit: Commit): Promise<void> {
  const transaction = crypto.randomUUID();
  await audit.append([{ transaction, ...event, outcome: "begun" }]);
  await ledger.commit(commit);
  await audit.append([{ transaction, ...event, outcome: "done" }]);
}

export function checkpointNamed(checkpoints: readonly Checkpoint[], name: string): Checkpoint {
  const found = checkpoints.find((checkpoint) => checkpoint.name === name);
  if (found !== undefined) return found;
  const near = nearest(name, checkpoints.map((checkpoint) => checkpoint.name));
  throw new OpError("invalid", `There is no checkpoint '${name}'`, {
    hint: near === undefined ? "op-dbus checkpoint list" : `Did you mean '${near}'?`,
  });
}
