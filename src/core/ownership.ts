import type { Json } from "./json.ts";
import type { Change, Reading } from "./plugin.ts";
import { leavesOf, sameValue, valueAt, withValue, type KeyPath, type Resource, type Resources } from "./resource.ts";

/** What op-dbus put on the host, by plugin. Kept in @state, part of every before-state. */
export type Ownership = Readonly<Record<string, OwnedResources>>;
export type OwnedResources = Readonly<Record<string, OwnedResource>>;

export interface OwnedResource {
  /** When the first of its keys was taken, ISO 8601. */
  readonly since: string;
  /** The resource's identity then: another one by the same name is not owned. */
  readonly identity?: string;
  readonly keys: readonly OwnedKey[];
}

export interface OwnedKey {
  readonly path: KeyPath;
  /** What op-dbus set. */
  readonly value: Json;
  /** What it was before op-dbus first set it; `--prune` returns it to that. */
  readonly original: Json;
  /** The named resource that brought it about; it is declared as long as that one is. */
  readonly impliedBy?: string;
}

/** A key that op-dbus set and the document no longer names. */
export interface StrayKey {
  readonly resource: string;
  readonly key: OwnedKey;
}

/** What is owned here and not another resource by the same name. */
export function ownedNow(owned: OwnedResources, reading: Reading): OwnedResources {
  return Object.fromEntries(
    Object.entries(owned).filter(([name, { identity }]) => {
      const found = reading.resources[name]?.identity;
      return identity === undefined || found === undefined || identity === found;
    }),
  );
}

/** The owned keys that `desired` no longer names, neither themselves nor through the resource that implied them. */
export function strayKeys(owned: OwnedResources, desired: Resources): StrayKey[] {
  return Object.entries(owned).flatMap(([resource, { keys }]) =>
    keys
      .filter((key) =>
        key.impliedBy === undefined
          ? valueAt(desired[resource], key.path) === undefined
          : desired[key.impliedBy] === undefined && valueAt(desired[resource], key.path) === undefined,
      )
      .map((key) => ({ resource, key })),
  );
}

/** The desired state that returns stray keys to what they were. */
export function prunedState(strays: readonly StrayKey[]): Resources {
  const state: Record<string, Resource> = {};
  for (const { resource, key } of strays) state[resource] = withValue(state[resource] ?? {}, key.path, key.original);
  return state;
}

export interface Taking {
  readonly now: string;
  readonly identities: Readonly<Record<string, string | undefined>>;
}

/** Ownership after the changes: a key back at its original is let go, any other is owned with the original it first had. */
export function ownershipAfter(owned: OwnedResources, changes: readonly Change[], taking: Taking): OwnedResources {
  const result: Record<string, OwnedResource> = { ...owned };
  for (const change of changes) {
    const before = result[change.resource];
    const had = before?.keys.find((key) => sameValue([...key.path], [...change.path]));
    const original = had?.original ?? change.from;
    const others = before?.keys.filter((key) => key !== had) ?? [];
    const keys = sameValue(original, change.to) ? others : [...others, ownedKey(change, original)];
    if (keys.length === 0) {
      delete result[change.resource];
      continue;
    }
    const identity = before?.identity ?? taking.identities[change.resource];
    result[change.resource] = {
      since: before?.since ?? taking.now,
      ...(identity === undefined ? {} : { identity }),
      keys,
    };
  }
  return result;
}

/** The keys of `reading` that `desired` names, with their values now. null where one is not there. */
export function namedValues(desired: Resource, reading: Resource | undefined): Resource {
  return leavesOf(desired).reduce<Resource>(
    (result, { path }) => withValue(result, path, valueAt(reading, path) ?? null),
    {},
  );
}

function ownedKey(change: Change, original: Json): OwnedKey {
  const { path, to, impliedBy } = change;
  return { path, value: to, original, ...(impliedBy === undefined ? {} : { impliedBy }) };
}
