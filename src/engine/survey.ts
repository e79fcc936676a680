import { documentHash, type StateDocument } from "../core/document.ts";
import { equalJson, toJson, type Json } from "../core/json.ts";
import { namedValues, ownedNow, prunedState, strayKeys, type StrayKey } from "../core/ownership.ts";
import { planHash, type Basis, type BasisOfResource, type Plan } from "../core/plan.ts";
import type { Note, Plugin, Problem, Reading, ResourceReading, Step } from "../core/plugin.ts";
import { leavesOf, mergeResources, valueAt, withoutValue, type Resource, type Resources, type OwnedKey, type Ownership } from "../core/resource.ts";
import type { Diagnostic } from "../core/text.ts";
import { pluginOf } from "./host.ts";
import { orderSteps } from "./order.ts";

export type ByPlugin<T> = Readonly<Record<string, T>>;

export interface Survey {
  readonly readings: ByPlugin<Reading>;
  readonly steps: readonly Step[];
  readonly problems: readonly PluginProblem[];
  readonly notes: readonly Note[];
}

export interface PluginProblem extends Problem {
  readonly plugin: string;
}

/** Reads what `desired` names and plans the difference: the one way to plan, for apply, verify, rollback, revert and recovery alike. */
export async function survey(
  desired: ByPlugin<Resources>,
  plugins: readonly Plugin[],
  ownership: Ownership,
): Promise<Survey> {
  const involved = plugins.filter(({ name }) => Object.keys(desired[name] ?? {}).length > 0);
  for (const name of Object.keys(desired)) pluginOf(plugins, name);
  const readings = await Promise.all(involved.map(async (plugin) => [plugin.name, await plugin.read(desired[plugin.name] ?? {})] as const));
  const byPlugin = Object.fromEntries(readings);
  const plans = involved.map((plugin) => {
    const reading = byPlugin[plugin.name] ?? { resources: {} };
    const owned = ownedNow(ownership[plugin.name] ?? {}, reading);
    return { plugin: plugin.name, ...plugin.plan(desired[plugin.name] ?? {}, reading, owned) };
  });
  return {
    readings: byPlugin,
    steps: orderSteps(plans.flatMap(({ steps }) => steps)),
    problems: plans.flatMap(({ plugin, problems }) => problems.map((problem) => ({ plugin, ...problem }))),
    notes: plans.flatMap(({ notes = [] }) => notes),
  };
}

/** What is left of `desired` without the keys that this host cannot be brought to, its survey, and what bars those keys. */
export interface Reachable {
  readonly desired: ByPlugin<Resources>;
  readonly found: Survey;
  readonly barred: readonly PluginProblem[];
}

/** The way back is not given up because one key of it is barred. */
export async function reachable(desired: ByPlugin<Resources>, plugins: readonly Plugin[], ownership: Ownership): Promise<Reachable> {
  const barred: PluginProblem[] = [];
  for (let rest = desired; ; ) {
    const found = await survey(rest, plugins, ownership);
    barred.push(...found.problems);
    const less = withoutBarred(rest, found.problems);
    if (found.problems.length === 0 || equalJson(toJson(less), toJson(rest))) return { desired: rest, found, barred };
    rest = less;
  }
}

/** The resources' identities, as far as they were read. */
export function identitiesOf(readings: Survey["readings"]): ByPlugin<Readonly<Record<string, string>>> {
  const entries = Object.entries(readings).map(([plugin, { resources }]) => {
    const known = Object.entries(resources).flatMap(([name, { identity }]) => (identity === undefined ? [] : [[name, identity] as const]));
    return [plugin, Object.fromEntries(known)] as const;
  });
  return Object.fromEntries(entries);
}

function withoutBarred(desired: ByPlugin<Resources>, problems: readonly PluginProblem[]): ByPlugin<Resources> {
  const rest: Record<string, Record<string, Resource>> = {};
  for (const [plugin, resources] of Object.entries(desired)) rest[plugin] = { ...resources };
  for (const { plugin, resource, path } of problems) {
    const keys = rest[plugin]?.[resource];
    if (keys === undefined) continue;
    const less = withoutValue(keys, path);
    const named = valueAt(keys, path) !== undefined && leavesOf(less).length > 0;
    if (named) rest[plugin] = { ...rest[plugin], [resource]: less };
    else delete rest[plugin]?.[resource];
  }
  return rest;
}

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
  const strays = await straysOf(named, plugins, ownership);
  const desired = prune ? withPruned(named, strays) : named;
  const found = await survey(desired, plugins, ownership);
  const basis = basisOf(desired, found.readings, ownership);
  const plan: Plan = {
    document,
    documentHash: documentHash(document),
    prune,
    desired,
    basis,
    hash: planHash(document, prune, basis),
    steps: found.steps,
    notes: found.notes,
    strays,
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

function withPruned(named: ByPlugin<Resources>, strays: ByPlugin<readonly StrayKey[]>): ByPlugin<Resources> {
  const entries = Object.entries(named).map(
    ([name, resources]) => [name, mergeResources(prunedState(strays[name] ?? []), resources)] as const,
  );
  return Object.fromEntries(entries);
}

export function basisOf(desired: ByPlugin<Resources>, readings: ByPlugin<Reading>, ownership: Ownership): Basis {
  const basis: Record<string, Record<string, BasisOfResource>> = {};
  for (const [plugin, resources] of Object.entries(desired)) {
    for (const [name, resource] of Object.entries(resources)) {
      const reading = readings[plugin]?.resources[name];
      const owned = ownership[plugin]?.[name];
      const of: Record<string, Json> = { state: namedValues(resource, reading?.state) };
      if (owned !== undefined) of.owned = toJson(owned);
      if (reading?.identity !== undefined) of.identity = reading.identity;
      if (reading?.facts !== undefined) of.facts = reading.facts;
      basis[plugin] = { ...basis[plugin], [name]: of as unknown as BasisOfResource };
    }
  }
  return basis;
}

function findingOf(problem: PluginProblem, document: StateDocument, plugins: readonly Plugin[]): Diagnostic {
  const { plugin, resource, path, message, hint } = problem;
  const section = document.plugins[plugin];
  const within = section === undefined ? [] : pluginOf(plugins, plugin).locate(section, resource, path);
  return { message, path: ["plugins", plugin, ...within], ...(hint === undefined ? {} : { hint }) };
}

