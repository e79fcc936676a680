import { documentHash, type StateDocument } from "../core/document.ts";
import { toJson, type Json } from "../core/json.ts";
import { namedValues, ownedNow, prunedState, strayKeys, type Ownership, type StrayKey } from "../core/ownership.ts";
import { planHash, type Basis, type BasisOfResource, type Plan } from "../core/plan.ts";
import type { Plugin, Problem, Reading, Step } from "../core/plugin.ts";
import { mergeResources, valueAt, type Resources } from "../core/resource.ts";
import type { Diagnostic } from "../core/text.ts";
import { pluginOf } from "./host.ts";
import { orderSteps } from "./order.ts";

type ByPlugin<T> = Readonly<Record<string, T>>;

export interface Survey {
  readonly readings: ByPlugin<Reading>;
  readonly steps: readonly Step[];
  readonly problems: readonly (Problem & { readonly plugin: string })[];
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
  };
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
  const strays = Object.fromEntries(
    Object.entries(named).map(([name, resources]) => [name, strayKeys(ownership[name] ?? {}, resources)]),
  );
  const desired = prune ? await withPruned(named, strays, plugins) : named;
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
    strays,
  };
  const findings = found.problems.map((problem) => findingOf(problem, document, plugins));
  return { plan, findings, readings: found.readings };
}

/** What is pruned is read first: another resource by the same name is not ours, and one that is gone needs no pruning. */
async function withPruned(
  named: ByPlugin<Resources>,
  strays: ByPlugin<readonly StrayKey[]>,
  plugins: readonly Plugin[],
): Promise<ByPlugin<Resources>> {
  const entries = Object.entries(named).map(async ([name, resources]) => {
    const pruned = prunedState(strays[name] ?? []);
    if (Object.keys(pruned).length === 0) return [name, resources] as const;
    const reading = await pluginOf(plugins, name).read(pruned);
    const there = Object.entries(pruned).filter(
      ([resource]) => valueAt(reading.resources[resource]?.state, ["state"]) !== "absent",
    );
    return [name, mergeResources(Object.fromEntries(there), resources)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function basisOf(desired: ByPlugin<Resources>, readings: ByPlugin<Reading>, ownership: Ownership): Basis {
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

function findingOf(problem: Problem & { plugin: string }, document: StateDocument, plugins: readonly Plugin[]): Diagnostic {
  const { plugin, resource, path, message, hint } = problem;
  const section = document.plugins[plugin];
  const within = section === undefined ? [] : pluginOf(plugins, plugin).locate(section, resource, path);
  return { message, path: ["plugins", plugin, ...within], ...(hint === undefined ? {} : { hint }) };
}

