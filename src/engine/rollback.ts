import { documentHash, type StateDocument } from "../core/document.ts";
import { OpError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { ownedNow } from "../core/ownership.ts";
import type { Basis } from "../core/plan.ts";
import { changesOf, type Plugin, type Step } from "../core/plugin.ts";
import type { Checkpoint } from "../core/ports.ts";
import { keyName, mergeResources, sameValue, type KeyPath, type Resources, type Ownership } from "../core/resource.ts";
import { pluginOf } from "./host.ts";
import type { Recovered } from "./recovery.ts";
import { changedBy, changesByPlugin, impliedChanges, ownershipForTakingBack, stateOf } from "./settlement.ts";
import { basisOf } from "./planning.ts";
import { reachable, survey, type ByPlugin, type PluginProblem, type Reachable, type Survey } from "./survey.ts";

/** What a rollback will do: which applies it undoes, and the state that they composed from. */
export interface RollbackPlan {
  readonly undoes: readonly Checkpoint[];
  readonly document: StateDocument;
  readonly documentHash: string;
  /** Without what is barred. */
  readonly desired: ByPlugin<Resources>;
  readonly found: Survey;
  readonly basis: Basis;
  /** Keys that this host cannot be brought back to, such as what a one-way step did. They stay as they are. */
  readonly barred: readonly PluginProblem[];
  /** Keys that no longer have the value op-dbus gave them, or belong to another resource by that name. */
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
  ownership: Ownership,
): Promise<RollbackPlan> {
  const onTheWay = ownershipForTakingBack(changedBy(undoes), { ownership: () => ownership }, plugins);
  const narrow = await reachable(composed(undoes, "before"), plugins, onTheWay);
  const { desired, found, barred } = { ...narrow, ...(await withBesides(narrow, plugins, onTheWay)) };
  const given = await reachable(composed(undoes, "after"), plugins, ownership);
  const sections = Object.entries(desired).map(
    ([name, resources]) => [name, pluginOf(plugins, name).section(resources)] as const,
  );
  const document: StateDocument = { version: 1, plugins: Object.fromEntries(sections) };
  const basis = basisOf(desired, found.readings, ownership);
  const moved = [...movedKeys(found, given.found), ...others(desired, found, ownership)];
  return { undoes, document, documentHash: documentHash(document), desired, found, basis, barred, moved };
}

function composed(undoes: readonly Checkpoint[], which: "before" | "after"): Record<string, Resources> {
  const result: Record<string, Resources> = {};
  const order = which === "before" ? undoes.toReversed() : undoes;
  for (const { applied } of order) {
    for (const [plugin, changes] of Object.entries(applied?.changes ?? {})) {
      const state = stateOf(changes, which, applied?.policies[plugin]);
      result[plugin] = mergeResources(result[plugin] ?? {}, state);
    }
  }
  return result;
}

/** The way there with what it would bring about besides taken back, where the plugins know how. */
async function withBesides(narrow: Reachable, plugins: readonly Plugin[], ownership: Ownership): Promise<Partial<Reachable>> {
  const besides = impliedChanges(narrow.found.steps);
  if (besides.length === 0) return {};
  const before = Object.entries(changesByPlugin(besides)).map(([plugin, changes]) => {
    const state = mergeResources(stateOf(changes, "before"), narrow.desired[plugin] ?? {});
    return [plugin, state] as const;
  });
  const desired = { ...narrow.desired, ...Object.fromEntries(before) };
  const found = await survey(desired, plugins, ownership);
  const ends = keysAfter(found.steps);
  const kept = besides.every(({ plugin, changes }) =>
    changes.every(({ resource, path, from }) => sameValue(ends.get(keyOf(plugin, resource, path)) ?? from, from)),
  );
  return kept && found.problems.length === 0 ? { desired, found } : {};
}

/** A key that is neither as op-dbus left it nor already as it is to be was changed by somebody else. */
function movedKeys(back: Survey, given: Survey): string[] {
  const goals = keysAfter(back.steps);
  return given.steps.flatMap(({ plugin, actions }) =>
    actions.flatMap(({ resource, path, from = null, to = null, impliedBy }) => {
      if (path === undefined || impliedBy !== undefined || !goals.has(keyOf(plugin, resource, path))) return [];
      const [is, gave] = [JSON.stringify(from), JSON.stringify(to)];
      return [`${resource} ${keyName(path)} is ${is}, op-dbus gave it ${gave}: somebody changed it since`];
    }),
  );
}

/** What the steps make of each key. */
function keysAfter(steps: readonly Step[]): ReadonlyMap<string, Json> {
  return new Map(steps.flatMap((step) => changesOf(step).map(({ resource, path, to }) => [keyOf(step.plugin, resource, path), to] as const)));
}

function keyOf(plugin: string, resource: string, path: KeyPath): string {
  return [plugin, resource, ...path].join("\0");
}

/** Resources that op-dbus changed and that are others by the same name now. */
function others(desired: ByPlugin<Resources>, { readings }: Survey, ownership: Ownership): string[] {
  return Object.entries(desired).flatMap(([plugin, resources]) => {
    const owned = ownership[plugin] ?? {};
    const ours = ownedNow(owned, readings[plugin] ?? { resources: {} });
    const stale = Object.keys(resources).filter((name) => owned[name] !== undefined && ours[name] === undefined);
    return stale.map((name) => `${name} is not the one that op-dbus changed, but another by the same name`);
  });
}

/** True when recovery did what the user asks of a rollback: it took the interrupted apply back, or ended the rollback asked for before. */
export function didRollBack({ kind, ended, booksOnly }: Recovered): boolean {
  return kind === "apply" ? ended === "before-state" && !booksOnly : ended === "desired state";
}

export function barredLine({ resource, path, message }: PluginProblem): string {
  return `${[resource, keyName(path)].join(" ").trim()} cannot be brought back and would stay as it is: ${message}`;
}

export function cannotRollBack({ found }: RollbackPlan): OpError {
  const details = found.problems.map(({ resource, message }) => `${resource}: ${message}`);
  return new OpError("refused", "This host cannot be brought back to that state", { details });
}
