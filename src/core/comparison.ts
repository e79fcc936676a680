import type { StateDocument } from "./document.ts";
import { equalJson, type Json } from "./json.ts";
import type { Plugin } from "./plugin.ts";
import { leavesOf, valueAt, type KeyPath, type Resource, type Resources } from "./resource.ts";

/** A key that two documents do not say the same of; a side that does not name it has no value. */
export interface Difference {
  readonly plugin: string;
  readonly resource: string;
  readonly path: KeyPath;
  readonly from?: Json;
  readonly to?: Json;
}

/** What two documents say differently, key by key, in the order of the first, then of the second. Both are checked ones. */
export function differences(from: StateDocument, to: StateDocument, plugins: readonly Plugin[]): Difference[] {
  return namesOf(from.plugins, to.plugins).flatMap((plugin) => {
    const [before, after] = [from, to].map((document) => resourcesOf(document, plugin, plugins));
    return namesOf(before, after).flatMap((resource) => {
      return keyDifferences(before?.[resource] ?? {}, after?.[resource] ?? {}).map((key) => ({ plugin, resource, ...key }));
    });
  });
}

/** A section of a plugin that is not there any more is one resource by the plugin's name: all that is said of it is shown. */
function resourcesOf({ plugins: sections }: StateDocument, name: string, plugins: readonly Plugin[]): Resources {
  const section = sections[name];
  if (section === undefined) return {};
  const plugin = plugins.find((candidate) => candidate.name === name);
  return plugin === undefined ? { [name]: { section } } : plugin.resources(section);
}

function keyDifferences(before: Resource, after: Resource): Pick<Difference, "path" | "from" | "to">[] {
  const paths = new Map([...leavesOf(before), ...leavesOf(after)].map(({ path }) => [JSON.stringify(path), path]));
  return [...paths.values()].flatMap((path) => {
    const [from, to] = [valueAt(before, path), valueAt(after, path)];
    return equalJson(from, to) ? [] : [{ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
  });
}

function namesOf(one: object | undefined, other: object | undefined): string[] {
  return [...new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})])];
}
