import { canonicalJson, type Json, toJson } from "../../src/core/json.ts";
import { ownedNow } from "../../src/core/ownership.ts";
import type { Change, Step } from "../../src/core/plugin.ts";
import { keyName, leavesOf, type KeyPath } from "../../src/core/resource.ts";
import type { Host } from "../../src/engine/host.ts";
import { pluginOf } from "../../src/engine/host.ts";
import { queryAll } from "../../src/engine/query.ts";

/** All that `query` says, and who owns what, key by key. Two hosts with equal pictures are in the same state. */
export type Picture = ReadonlyMap<string, Json>;

export async function picture(host: Host): Promise<Picture> {
  const { document, failures } = await queryAll(host.plugins, host.secrets);
  if (Object.keys(failures).length > 0) throw new AggregateError(Object.values(failures), "The host cannot be read");
  const keys = new Map<string, Json>();
  for (const [name, section] of Object.entries(document.plugins)) {
    for (const [resource, state] of Object.entries(pluginOf(host.plugins, name).resources(section))) {
      keys.set(keyOf(name, resource, ["state"]), "present");
      for (const { path, value } of leavesOf(state)) keys.set(keyOf(name, resource, path), value);
    }
  }
  for (const [name, owned] of Object.entries(host.ledger.ownership())) {
    const ours = ownedNow(owned, await pluginOf(host.plugins, name).read(Object.fromEntries(Object.keys(owned).map((resource) => [resource, {}]))));
    for (const [resource, { keys: paths }] of Object.entries(ours)) {
      for (const { path, ...rest } of paths) keys.set(`owned ${keyOf(name, resource, path)}`, toJson(rest));
    }
  }
  return keys;
}

/** What differs, a line each; nothing means that the two are the same but for the keys in `except`. */
export function differences(was: Picture, is: Picture, except: ReadonlySet<string> = new Set()): string[] {
  const keys = [...new Set([...was.keys(), ...is.keys()])].filter((key) => !except.has(key));
  return keys.flatMap((key) => {
    const [a, b] = [was.get(key), is.get(key)];
    if (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b)) return [];
    return [`${key} was ${JSON.stringify(a)}, is ${JSON.stringify(b)}`];
  });
}

export function expectSame(was: Picture, is: Picture, except: ReadonlySet<string> = new Set()): void {
  const lines = differences(was, is, except);
  if (lines.length > 0) throw new Error(`The host is not as it was:\n${lines.join("\n")}`);
}

export function keyOf(plugin: string, resource: string, path: KeyPath): string {
  return `${plugin}:${resource} ${keyName(path)}`;
}

export function keysOf(changes: Readonly<Record<string, readonly Change[]>>): Set<string> {
  const made = Object.entries(changes);
  return new Set(made.flatMap(([plugin, each]) => each.map(({ resource, path }) => keyOf(plugin, resource, path))));
}

/** What a change brought about besides, as its plan and the log told. */
export function toldBesides(steps: readonly Step[], host: Host): Set<string> {
  const foreseen = steps.flatMap(({ plugin, actions }) =>
    actions.flatMap(({ resource, path, impliedBy }) => (path === undefined || impliedBy === undefined ? [] : [keyOf(plugin, resource, path)])),
  );
  const entries = [...host.audit.entries()];
  const { transaction } = entries.at(-1) ?? {};
  const reported = entries.flatMap(({ transaction: of, operation = "", plugin = "", resource = "" }) =>
    of === transaction && operation.startsWith("implied ") ? [`${plugin}:${resource} ${operation.slice("implied ".length)}`] : [],
  );
  return new Set([...foreseen, ...reported]);
}
