import { isList, type Json } from "./json.ts";
import type { Change, Reading } from "./plugin.ts";
import { leavesOf, sameValue, valueAt, withValue, type KeyPath, type OwnedKey, type OwnedResource, type OwnedResources, type Resource, type Resources } from "./resource.ts";

/** A key that op-dbus set and the document no longer names. */
export interface StrayKey {
  readonly resource: string;
  readonly key: OwnedKey;
}

/** What is owned here and not another resource by the same name. */
export function ownedNow(owned: OwnedResources, reading: Reading): OwnedResources {
  return Object.fromEntries(
    Object.entries(owned).filter(([name, resource]) => !isAnother(resource, reading.resources[name]?.identity)),
  );
}

/** The owned keys that `desired` no longer names, neither themselves nor through the resource that implied them. */
export function strayKeys(owned: OwnedResources, desired: Resources): StrayKey[] {
  return Object.entries(owned).flatMap(([resource, { keys }]) =>
    keys
      .filter(({ path, impliedBy }) => !isNamed(desired[resource], path) && (impliedBy === undefined || desired[impliedBy] === undefined))
      .map((key) => ({ resource, key })),
  );
}

/** A resource that is named at all is to be there; one that is to be absent is that with all its keys. */
function isNamed(resource: Resource | undefined, path: KeyPath): boolean {
  if (isState(path) || resource?.state === "absent") return resource !== undefined;
  return valueAt(resource, path) !== undefined;
}

/** Ownership without some of its keys. */
export function withoutKeys(owned: OwnedResources, keys: readonly StrayKey[]): OwnedResources {
  const left = Object.entries(owned).map(([name, resource]) => {
    const kept = resource.keys.filter((key) => !keys.some((gone) => gone.resource === name && sameValue([...gone.key.path], [...key.path])));
    return [name, { ...resource, keys: kept }] as const;
  });
  return Object.fromEntries(left.filter(([, { keys: kept }]) => kept.length > 0));
}

/** The desired state that returns stray keys to what they were. */
export function prunedState(strays: readonly StrayKey[]): Resources {
  const state: Record<string, Resource> = {};
  for (const { resource, key } of strays) state[resource] = withValue(state[resource] ?? {}, key.path, key.original);
  return state;
}

/** The identities of a plugin's resources, by name, as far as they are known. */
export type Identities = Readonly<Record<string, string | undefined>>;

export interface Taking {
  readonly now: string;
  /** The plugin's, by the list's key. */
  readonly lists: Readonly<Record<string, "complete" | "members">>;
  /** The resources' identities when the changes were planned, and when they were made. */
  readonly before: Identities;
  readonly after: Identities;
}

/**
 * Ownership after the changes: a key back at its original is let go, any other is owned with the original it first had. In a
 * list of members only those that op-dbus put there are owned: what others put in between belongs to the original. Of a
 * resource that op-dbus made and removed again nothing is owned.
 */
export function ownershipAfter(owned: OwnedResources, changes: readonly Change[], taking: Taking): OwnedResources {
  const result: Record<string, OwnedResource> = { ...owned };
  for (const { resource } of changes) {
    if (isAnother(owned[resource], taking.before[resource])) delete result[resource];
  }
  const gone = new Set<string>();
  for (const change of changes) {
    const before = result[change.resource];
    const had = before?.keys.find((key) => sameValue([...key.path], [...change.path]));
    const original = originalOf(had, change, taking);
    const others = before?.keys.filter((key) => key !== had) ?? [];
    const back = isBack(original, change, taking);
    if (isState(change.path) && change.to === "absent" && back) gone.add(change.resource);
    else if (isState(change.path)) gone.delete(change.resource);
    const keys = back ? others : [...others, ownedKey(change, original)];
    if (keys.length === 0) {
      delete result[change.resource];
      continue;
    }
    const identity = taking.after[change.resource] ?? before?.identity ?? taking.before[change.resource];
    result[change.resource] = {
      since: before?.since ?? taking.now,
      ...(identity === undefined ? {} : { identity }),
      keys,
    };
  }
  for (const resource of gone) delete result[resource];
  return result;
}

/** Ownership for taking the changes back: of a list of members, what they put there is op-dbus's, whoever else had it before. */
export function ownershipForWayBack(owned: OwnedResources, changes: readonly Change[], taking: Pick<Taking, "lists">): OwnedResources {
  const result: Record<string, OwnedResource> = { ...owned };
  const put = new Map<string, OwnedKey & { readonly resource: string }>();
  for (const { resource, path, from, to } of changes) {
    if (!isOfMembers(path, taking)) continue;
    const id = [resource, ...path].join("\0");
    const first = put.get(id);
    put.set(id, { resource, path, value: to, original: first === undefined ? from : first.original });
  }
  for (const { resource, ...key } of put.values()) {
    const { since = "", keys = [] } = result[resource] ?? {};
    result[resource] = { since, keys: [...keys.filter(({ path }) => !sameValue([...path], [...key.path])), key] };
  }
  return result;
}

/** The members of a list that op-dbus put there. */
export function ownedMembers({ value, original }: Pick<OwnedKey, "value" | "original">): Json[] {
  return listOf(value).filter((member) => !includes(listOf(original), member));
}

/** By name: the identity that a resource had, and the one it has since op-dbus made it again. */
export type Renewals = Readonly<Record<string, { readonly from: string; readonly to: string }>>;

/** Ownership of resources that op-dbus made again goes on under their new identity. */
export function underNewIdentities(owned: OwnedResources, renewals: Renewals): OwnedResources {
  const entries = Object.entries(owned).map(([name, resource]) => {
    const renewal = renewals[name];
    return [name, renewal !== undefined && renewal.from === resource.identity ? { ...resource, identity: renewal.to } : resource] as const;
  });
  return Object.fromEntries(entries);
}

function isAnother(owned: OwnedResource | undefined, identity: string | undefined): boolean {
  return owned?.identity !== undefined && identity !== undefined && owned.identity !== identity;
}

/** The original, with what others did to a list of members since: theirs joined it or left it. */
function isState(path: KeyPath): boolean {
  return path.length === 1 && path[0] === "state";
}

function originalOf(had: OwnedKey | undefined, { path, from }: Change, taking: Taking): Json {
  if (had === undefined) return from;
  if (!isOfMembers(path, taking)) return had.original;
  const [original, value, now] = [listOf(had.original), listOf(had.value), listOf(from)];
  const kept = original.filter((member) => !includes(value, member) || includes(now, member));
  return [...kept, ...now.filter((member) => !includes(value, member) && !includes(original, member))];
}

function isBack(original: Json, { path, to }: Change, taking: Taking): boolean {
  if (!isOfMembers(path, taking)) return sameValue(original, to);
  const [then, now] = [listOf(original), listOf(to)];
  return then.every((member) => includes(now, member)) && now.every((member) => includes(then, member));
}

function isOfMembers(path: KeyPath, { lists }: Pick<Taking, "lists">): boolean {
  return lists[path.at(-1) ?? ""] === "members";
}

function listOf(value: Json): readonly Json[] {
  return isList(value) ? value : [];
}

function includes(list: readonly Json[], member: Json): boolean {
  return list.some((other) => sameValue(other, member));
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
