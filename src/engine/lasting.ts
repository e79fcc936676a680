import { leavesOf, mergeResources, withoutValue, type Resource, type Resources } from "../core/resource.ts";
import { pluginOf } from "./host.ts";
import type { Transaction } from "./steps.ts";
import type { ByPlugin } from "./survey.ts";

/** What of a state is still to be brought about: what a boot has taken back since is left to whoever sets the host up. */
export function lasting(states: ByPlugin<Resources>, { host, header }: Transaction): ByPlugin<Resources> {
  if (header.boot === undefined || header.boot === host.clock.bootTime().boot) return states;
  const entries = Object.entries(states).map(([name, resources]) => {
    const { endsWithBoot } = pluginOf(host.plugins, name);
    const named = mergeResources(header.before[name] ?? {}, header.desired[name] ?? {});
    const left = Object.entries(resources).map(([resource, keys]) => {
      const ended = leavesOf(keys).filter(({ path }) => endsWithBoot?.(resource, path, named[resource] ?? {}) === true);
      return [resource, ended.reduce((rest: Resource, { path }) => withoutValue(rest, path), keys)] as const;
    });
    return [name, Object.fromEntries(left.filter(([, keys]) => leavesOf(keys).length > 0))] as const;
  });
  return Object.fromEntries(entries.filter(([, resources]) => Object.keys(resources).length > 0));
}
