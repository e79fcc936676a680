import { documentHash, type StateDocument } from "../core/document.ts";
import { toJson } from "../core/json.ts";
import { namedValues, ownedNow, prunedState, strayKeys, type StrayKey } from "../core/ownership.ts";
import { planHash, type Basis, type BasisOfResource, type Plan } from "../core/plan.ts";
import { changesOf, type Note, type Plugin, type Reading, type ResourceReading, type Step } from "../core/plugin.ts";
import { keyName, mergeResources, sameValue, valueAt, type OwnedKey, type OwnedResource, type Ownership, type Resource, type Resources } from "../core/resource.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { pluginOf } from "./host.ts";
import { survey, type ByPlugin, type PluginProblem, type Survey } from "./survey.ts";

/** A plan together with why it could not be carried out, if so. */
export interface Planned {
  readonly plan: Plan;
  readonly findings: readonly Diagnostic[];
  readonly readings: ByPlugin<Reading>;
}

export interface PlanRequest {
  readonly document: StateDocument;
  readonly prune: boolean;
}

export async function makePlan(
  { document, prune }: PlanRequest,
  plugins: readonly Plugin[],
  ownership: Ownership,
): Promise<Planned> {
  const named = Object.fromEntries(
    Object.entries(document.plugins).map(([name, section]) => [name, pluginOf(plugins, name).resources(section)]),
  );
  const all = await straysOf(named, plugins, ownership);
  const { desired, strays, found, notes } = prune
    ? await pruning(named, all, plugins, ownership)
    : { desired: named, strays: all, found: await survey(named, plugins, ownership), notes: [] };
  const basis = basisOf(desired, found.readings, ownership);
  const plan: Plan = {
    document,
    documentHash: documentHash(document),
    prune,
    desired,
    basis,
    // Taken when it is asked for: hundreds of resources take milliseconds, and a plan that is only shown needs none.
    get hash() {
      return planHash(document, prune, basis);
    },
    steps: found.steps,
    notes: [...found.notes, ...notes],
    strays: prune ? strays : withoutChanged(strays, found.steps),
  };
  const findings = found.problems.map((problem) => findingOf(problem, document, plugins));
  return { plan, findings, readings: found.readings };
}

/** What is owned and no longer declared is read: another resource by the same name is not ours, and one that is gone is no more. */
async function straysOf(named: ByPlugin<Resources>, plugins: readonly Plugin[], ownership: Ownership): Promise<ByPlugin<readonly StrayKey[]>> {
  const entries = Object.entries(named).map(async ([name, resources]) => {
    const owned = ownership[name] ?? {};
    const strays = strayKeys(owned, resources);
    if (strays.length === 0) return [name, strays] as const;
    const reading = await pluginOf(plugins, name).read(prunedState(strays));
    const ours = Object.entries(ownedNow(owned, reading)).filter(([resource, { keys }]) => !isGone(keys, reading.resources[resource]));
    return [name, strayKeys(Object.fromEntries(ours), resources)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** True of a resource that is not there any more, unless it was op-dbus that removed it. */
function isGone(keys: readonly OwnedKey[], reading: ResourceReading | undefined): boolean {
  if (valueAt(reading?.state, ["state"]) !== "absent") return false;
  return !keys.some(({ path, value }) => path.join() === "state" && value === "absent");
}

/** Without what the plan changes by itself, as a member of a list that no longer has it. */
function withoutChanged(strays: ByPlugin<readonly StrayKey[]>, steps: readonly Step[]): ByPlugin<readonly StrayKey[]> {
  const changed = new Set(steps.flatMap((step) => changesOf(step).map(({ resource, path }) => JSON.stringify([step.plugin, resource, ...path]))));
  const left = Object.entries(strays).map(([plugin, keys]) => [plugin, keys.filter(({ resource, key }) => !changed.has(JSON.stringify([plugin, resource, ...key.path])))] as const);
  return Object.fromEntries(left);
}

interface Pruning {
  readonly desired: ByPlugin<Resources>;
  /** Those that are returned. */
  readonly strays: ByPlugin<readonly StrayKey[]>;
  readonly found: Survey;
  readonly notes: readonly Note[];
}

/** What is declared is not given up because something else cannot be returned to its original: that stays, and stays owned. */
async function pruning(
  named: ByPlugin<Resources>,
  strays: ByPlugin<readonly StrayKey[]>,
  plugins: readonly Plugin[],
  ownership: Ownership,
): Promise<Pruning> {
  const notes: Note[] = [];
  for (let rest = strays; ; ) {
    const desired = withPruned(named, rest);
    const found = await survey(desired, plugins, ownership);
    const barring = (plugin: string, { resource, key }: StrayKey) =>
      found.problems.find((problem) => problem.plugin === plugin && problem.resource === resource && sameValue([...problem.path], [...key.path]));
    const kept = Object.entries(rest).map(([plugin, keys]) => [plugin, keys.filter((key) => barring(plugin, key) === undefined)] as const);
    const barred = Object.entries(rest).flatMap(([plugin, keys]) => keys.flatMap((key) => barring(plugin, key) ?? []));
    if (barred.length === 0) return { desired, strays: rest, found, notes };
    notes.push(...barred.map(({ resource, path, message }) => ({ resource, message: `${resource} ${keyName(path)} is not returned to what it was: ${message}` })));
    rest = Object.fromEntries(kept);
  }
}

function withPruned(named: ByPlugin<Resources>, strays: ByPlugin<readonly StrayKey[]>): ByPlugin<Resources> {
  const entries = Object.entries(named).map(
    ([name, resources]) => [name, mergeResources(prunedState(strays[name] ?? []), resources)] as const,
  );
  return Object.fromEntries(entries);
}

export function basisOf(desired: ByPlugin<Resources>, readings: ByPlugin<Reading>, ownership: Ownership): Basis {
  const entries = Object.entries(desired).map(([plugin, resources]) => {
    const of = (name: string, resource: Resource) => basisOfResource(resource, readings[plugin]?.resources[name], ownership[plugin]?.[name]);
    return [plugin, Object.fromEntries(Object.entries(resources).map(([name, resource]) => [name, of(name, resource)] as const))] as const;
  });
  return Object.fromEntries(entries.filter(([, resources]) => Object.keys(resources).length > 0));
}

function basisOfResource(resource: Resource, reading: ResourceReading | undefined, owned: OwnedResource | undefined): BasisOfResource {
  return {
    state: namedValues(resource, reading?.state),
    ...(owned === undefined ? {} : { owned: toJson(owned) }),
    ...(reading?.identity === undefined ? {} : { identity: reading.identity }),
    ...(reading?.facts === undefined ? {} : { facts: reading.facts }),
  };
}

function findingOf(problem: PluginProblem, document: StateDocument, plugins: readonly Plugin[]): Diagnostic {
  const { plugin, resource, path, message, hint } = problem;
  const section = document.plugins[plugin];
  const within = section === undefined ? [] : pluginOf(plugins, plugin).locate(section, resource, path);
  return { message, path: ["plugins", plugin, ...within], ...(hint === undefined ? {} : { hint }) };
}

