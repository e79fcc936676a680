import { OpError } from "../core/errors.ts";
import type { OwnedResources, Ownership } from "../core/resource.ts";
import type { Plugin, ResourceReading } from "../core/plugin.ts";
import { nearest } from "../core/suggestion.ts";

export interface Known {
  readonly plugin: Plugin;
  readonly name: string;
  readonly reading: ResourceReading;
}

/** The resource that `plugin:name`, or a name that one plugin knows, stands for. Throws kind invalid for none, or several. */
export async function findResource(text: string, plugins: readonly Plugin[]): Promise<Known> {
  const { candidates, name } = candidatesOf(text, plugins);
  const found: Known[] = [];
  const names: string[] = [];
  for (const plugin of candidates) {
    const { resources } = await plugin.read();
    names.push(...Object.keys(resources));
    const reading = Object.hasOwn(resources, name) ? resources[name] : undefined;
    if (reading !== undefined) found.push({ plugin, name, reading });
  }
  return only(found, name, names);
}

export interface OwnedByPlugin {
  readonly plugin: string;
  readonly name: string;
}

/** The owned resource that the text stands for. What is owned need not be there any more. */
export function findOwned(text: string, ownership: Ownership, plugins: readonly Plugin[]): OwnedByPlugin {
  const { candidates, name } = candidatesOf(text, plugins);
  const owned = (plugin: string): OwnedResources => ownership[plugin] ?? {};
  const found = candidates.filter((plugin) => Object.hasOwn(owned(plugin.name), name)).map((plugin) => ({ plugin: plugin.name, name }));
  if (found.length === 0) {
    const near = nearest(name, candidates.flatMap((plugin) => Object.keys(owned(plugin.name))));
    throw new OpError("invalid", `op-dbus does not own '${name}'`, near === undefined ? {} : { hint: `Did you mean '${near}'?` });
  }
  return only(found, name, []);
}

/** A resource's name may have a colon of its own: it is a prefix only when a plugin has that name. */
function candidatesOf(text: string, plugins: readonly Plugin[]): { candidates: readonly Plugin[]; name: string } {
  const colon = text.indexOf(":");
  const named = plugins.find((plugin) => colon > 0 && plugin.name === text.slice(0, colon));
  return named === undefined ? { candidates: plugins, name: text } : { candidates: [named], name: text.slice(colon + 1) };
}

function only<T extends { readonly plugin: string | Plugin }>(found: readonly T[], name: string, names: readonly string[]): T {
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (first === undefined) {
    // People leave ".service" out.
    const near = names.find((known) => known.startsWith(`${name}.`)) ?? nearest(name, names);
    throw new OpError("invalid", `There is no '${name}' on this host`, near === undefined ? {} : { hint: `Did you mean '${near}'?` });
  }
  const choices = found.map(({ plugin }) => `${typeof plugin === "string" ? plugin : plugin.name}:${name}`);
  throw new OpError("invalid", `'${name}' could be ${choices.join(" or ")}`, { hint: `Name one, such as ${choices[0]}` });
}
