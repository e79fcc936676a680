import { installed } from "./unit-file.ts";
import { orNothing, type Manager, type UnitFile } from "./manager.ts";
import { steadyState, type AlsoUnit, type Implied } from "./facts.ts";
import type { Reader } from "./reader.ts";
import { interfaceOf, isInstance, unitTypeOf } from "./unit-name.ts";

export interface Change {
  readonly name: string;
  readonly path: string;
  readonly file: string | null;
  readonly loaded: boolean;
  readonly starts: boolean;
  readonly stops: boolean;
  readonly toggles: boolean;
}

/** How far dependencies are followed; systemd itself reports what it does beyond that. */
const DEPTH_LIMIT = 8;

export async function impliedBy(change: Change, around: Reader): Promise<Implied> {
  const pulls = change.starts ? closure(change, ["Requires", "BindsTo", "Wants"], "inactive", around) : Promise.resolve([]);
  const [pulled, conflicting, ofPulled, dependents, triggers, also] = await Promise.all([
    pulls,
    change.starts ? conflictsOf([change], change.loaded ? CONFLICTS : ["Conflicts"], around) : [],
    pulls.then((units) => conflictsOf(units, CONFLICTS, around)),
    change.stops ? closure(change, ["RequiredBy", "BoundBy", "ConsistsOf", "RequisiteOf", "PropagatesStopTo"], "active", around) : [],
    change.stops ? neighbours(change.path, ["TriggeredBy"], "active", around) : [],
    change.toggles ? alsoOf(change, around) : {},
  ]);
  const started = change.starts ? await thatStayActive(pulled, around.manager) : [];
  const stops = [...new Set([...conflicting, ...ofPulled, ...dependents].map(({ id }) => id))];
  return {
    ...(started.length > 0 ? { starts: started } : {}),
    ...(stops.length > 0 ? { stops } : {}),
    ...(triggers.length > 0 ? { triggers: triggers.map(({ id }) => id) } : {}),
    ...(Object.keys(also).length > 0 ? { also } : {}),
  };
}

interface Neighbour {
  readonly id: string;
  readonly path: string;
}

/** The units reached over these dependencies through units in the given state. */
async function closure(
  { name, path }: Change,
  dependencies: readonly string[],
  state: "active" | "inactive",
  around: Reader,
): Promise<Neighbour[]> {
  const reached = new Map<string, Neighbour>();
  let frontier: Neighbour[] = [{ id: name, path }];
  for (let depth = 0; depth < DEPTH_LIMIT && frontier.length > 0; depth += 1) {
    const next = await Promise.all(frontier.map((unit) => neighbours(unit.path, dependencies, state, around)));
    frontier = next.flat().filter(({ id }) => id !== name && !reached.has(id));
    for (const unit of frontier) reached.set(unit.id, unit);
  }
  return [...reached.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Of a unit that is not loaded only the first need be asked: what names it in its Conflicts= and is active would have had it loaded. */
const CONFLICTS = ["Conflicts", "ConflictedBy"];

/** What starting these stops: poweroff.target conflicts with nothing, a target that it requires with everything. */
async function conflictsOf(units: readonly { readonly path: string }[], dependencies: readonly string[], around: Reader): Promise<Neighbour[]> {
  return (await Promise.all(units.map(({ path }) => neighbours(path, dependencies, "active", around)))).flat();
}

async function neighbours(
  path: string,
  dependencies: readonly string[],
  state: "active" | "inactive",
  { manager, statuses }: Reader,
): Promise<Neighbour[]> {
  const lists = await Promise.all(dependencies.map((dependency) => dependencyOf(path, dependency, manager)));
  const found = await statuses.of([...new Set(lists.flat())]);
  return found
    .filter(({ loadState, activeState }) => loadState === "loaded" && steadyState(activeState) === state)
    .map(({ id, path: at }) => ({ id, path: at }));
}

/** A dependency that this version of systemd does not know is one that no unit has. */
async function dependencyOf(path: string, dependency: string, manager: Manager): Promise<string[]> {
  return ((await orNothing(manager.property(path, dependency))) as string[] | undefined) ?? [];
}

/** A oneshot that does not remain runs and is inactive again: its state does not change. */
async function thatStayActive(units: readonly Neighbour[], manager: Manager): Promise<string[]> {
  const kept = units.map(async ({ id, path }) => ((await isPassing(id, path, manager)) ? [] : [id]));
  return (await Promise.all(kept)).flat();
}

/** A second question only for a oneshot: each one may make systemd load the unit anew. */
async function isPassing(unit: string, path: string, manager: Manager): Promise<boolean> {
  if (unitTypeOf(unit) !== "service") return false;
  if ((await manager.property(path, "Type", interfaceOf(unit))) !== "oneshot") return false;
  return (await manager.property(path, "RemainAfterExit", interfaceOf(unit))) !== true;
}

async function alsoOf({ name, file }: Change, around: Reader): Promise<Record<string, AlsoUnit>> {
  const named = await alsoNamed({ name, path: file }, around);
  const toggled = [...named.values()].filter((unit) => unit.name !== name && (unit.state === "enabled" || unit.state === "disabled"));
  const units = toggled.map(async (unit) => {
    const mutual = named.has(name) && (await alsoNamed(unit, around)).has(name);
    return [unit.name, { enabled: unit.state === "enabled", mutual }] as const;
  });
  return Object.fromEntries(await Promise.all(units));
}

/** The units that Also= names, and those that theirs name: systemd enables and disables them all along. */
async function alsoNamed(
  unit: { readonly name: string; readonly path: string | null },
  { manager, configFiles }: Reader,
): Promise<ReadonlyMap<string, UnitFile>> {
  const named = new Map<string, UnitFile>();
  let frontier = [unit];
  while (frontier.length > 0) {
    const words = frontier.flatMap(({ name, path }) => installed({ unit: name, file: path }, "Also", configFiles));
    const names = words.filter((word) => !named.has(word) && !isInstance(word) && !word.includes("%"));
    const found = await manager.unitFilesByNames([...new Set(names)]);
    for (const each of found) named.set(each.name, each);
    frontier = found;
  }
  return named;
}
