import { documentHash, type StateDocument } from "../core/document.ts";
import { OpError } from "../core/errors.ts";
import type { Plugin } from "../core/plugin.ts";
import type { Checkpoint } from "../core/ports.ts";
import { keyName, leavesOf, mergeResources, sameValue, valueAt, type Resources } from "../core/resource.ts";
import { pluginOf } from "./host.ts";
import { stateOf } from "./settlement.ts";
import { survey, type Survey } from "./survey.ts";

/** What a rollback will do: which applies it undoes, and the state that they composed from. */
export interface RollbackPlan {
  readonly undoes: readonly Checkpoint[];
  readonly document: StateDocument;
  readonly documentHash: string;
  readonly desired: Readonly<Record<string, Resources>>;
  readonly found: Survey;
  /** Keys that no longer have the value op-dbus gave them. */
  readonly moved: readonly string[];
}

/** The applies to undo: the latest not yet undone, or all after a checkpoint. Throws kind invalid or refused when there are none. */
export function appliesToUndo(checkpoints: readonly Checkpoint[], to: string | undefined): Checkpoint[] {
  const inForce = checkpoints.filter(({ applied }) => applied !== undefined && applied.undone === undefined);
  if (to === undefined) {
    const latest = inForce.at(-1);
    if (latest === undefined) throw new OpError("refused", "There is no apply left to roll back");
    return [latest];
  }
  const target = checkpoints.find(({ name }) => name === to);
  if (target === undefined) {
    throw new OpError("invalid", `There is no checkpoint '${to}'`, { hint: "op-dbus checkpoint list" });
  }
  const after = inForce.filter(({ sequence }) => sequence >= target.sequence);
  if (after.length === 0) throw new OpError("refused", `No apply after checkpoint '${to}' is in force`);
  return after;
}

/** Composes the before-states of the applies, the oldest value of each key winning, and plans the way there. */
export async function planRollback(
  undoes: readonly Checkpoint[],
  plugins: readonly Plugin[],
  ownership: Parameters<typeof survey>[2],
): Promise<RollbackPlan> {
  const [desired, given] = [composed(undoes, "before"), composed(undoes, "after")];
  const found = await survey(desired, plugins, ownership);
  const sections = Object.entries(desired).map(
    ([name, resources]) => [name, pluginOf(plugins, name).section(resources)] as const,
  );
  const document: StateDocument = { version: 1, plugins: Object.fromEntries(sections) };
  return { undoes, document, documentHash: documentHash(document), desired, found, moved: movedKeys(desired, given, found) };
}

function composed(undoes: readonly Checkpoint[], which: "before" | "after"): Record<string, Resources> {
  const result: Record<string, Resources> = {};
  const order = which === "before" ? undoes.toReversed() : undoes;
  for (const { applied } of order) {
    for (const [plugin, changes] of Object.entries(applied?.changes ?? {})) {
      const state = stateOf(changes, which, which === "before" ? applied?.policies[plugin] : {});
      result[plugin] = mergeResources(result[plugin] ?? {}, state);
    }
  }
  return result;
}

/** A key that is neither as op-dbus left it nor already as it is to be was changed by somebody else. */
function movedKeys(
  desired: Readonly<Record<string, Resources>>,
  given: Readonly<Record<string, Resources>>,
  { readings }: Survey,
): string[] {
  return Object.entries(given).flatMap(([plugin, resources]) =>
    Object.entries(resources).flatMap(([resource, keys]) =>
      leavesOf(keys).flatMap(({ path, value }) => {
        const reading = readings[plugin]?.resources[resource];
        const now = valueAt(reading?.state, path) ?? null;
        const goal = valueAt(desired[plugin]?.[resource], path) ?? null;
        if (sameValue(now, value) || sameValue(now, goal)) return [];
        const [is, gave] = [JSON.stringify(now), JSON.stringify(value)];
        return [`${resource} ${keyName(path)} is ${is}, op-dbus gave it ${gave}: somebody changed it since`];
      }),
    ),
  );
}
