import { equalJson, isObject, type Json, type JsonObject } from "./json.ts";
import { isSealed } from "./secret.ts";

/**
 * A resource is what has a name of its own: a unit, an interface, a package. Its keys are the user's own; objects below it
 * are walked into, anything else, a sealed secret too, is a leaf. A **key path** names one leaf: ["properties", "MemoryMax"].
 */
export type Resource = JsonObject;
export type KeyPath = readonly string[];
/** By the resource's name. */
export type Resources = Readonly<Record<string, Resource>>;

export interface Leaf {
  readonly path: KeyPath;
  readonly value: Json;
}

/** Every leaf of a resource, in the order written. An empty object has none. */
export function leavesOf(resource: Resource): Leaf[] {
  const leaves: Leaf[] = [];
  const walk = (value: Json, path: KeyPath) => {
    if (!isObject(value) || isSealed(value)) return leaves.push({ path, value });
    for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
    return undefined;
  };
  for (const [key, value] of Object.entries(resource)) walk(value, [key]);
  return leaves;
}

/** The value at a path; undefined where nothing is written. */
export function valueAt(resource: Json | undefined, path: KeyPath): Json | undefined {
  let value: Json | undefined = resource;
  for (const key of path) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** The resource with one leaf set; the original is not changed. */
export function withValue(resource: Resource, path: KeyPath, value: Json): Resource {
  const [key, ...rest] = path;
  if (key === undefined) return isObject(value) ? value : resource;
  if (rest.length === 0) return { ...resource, [key]: value };
  const inner = resource[key];
  return { ...resource, [key]: withValue(isObject(inner) ? inner : {}, rest, value) };
}

/** The resource without one leaf; objects left empty by it go too. */
export function withoutValue(resource: Resource, path: KeyPath): Resource {
  const [key, ...rest] = path;
  if (key === undefined || !Object.hasOwn(resource, key)) return resource;
  const { [key]: inner, ...others } = resource;
  if (rest.length === 0 || !isObject(inner)) return others;
  const left = withoutValue(inner, rest);
  return Object.keys(left).length === 0 ? others : { ...resource, [key]: left };
}

/** `over` laid on `under`, leaf by leaf, resource by resource. */
export function mergeResources(under: Resources, over: Resources): Resources {
  const merged: Record<string, Resource> = { ...under };
  for (const [name, resource] of Object.entries(over)) {
    merged[name] = leavesOf(resource).reduce(
      (result, leaf) => withValue(result, leaf.path, leaf.value),
      merged[name] ?? {},
    );
  }
  return merged;
}

/** "nginx.service properties.MemoryMax", as messages and the audit log name a key. */
export function keyName(path: KeyPath): string {
  return path.join(".");
}

export function sameValue(a: Json | undefined, b: Json | undefined): boolean {
  return equalJson(a ?? null, b ?? null);
}

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
