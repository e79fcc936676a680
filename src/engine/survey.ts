import { equalJson, toJson } from "../core/json.ts";
import { ownedNow } from "../core/ownership.ts";
import type { Note, Plugin, Problem, Reading, Step } from "../core/plugin.ts";
import { leavesOf, valueAt, withoutValue, type Ownership, type Resource, type Resources } from "../core/resource.ts";
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
