import { OpError } from "../core/errors.ts";
import { isList, isObject, type Json } from "../core/json.ts";
import type { Plugin } from "../core/plugin.ts";
import type { SecretStore } from "../core/ports.ts";
import { leavesOf, withValue, type KeyPath, type Resource, type Resources } from "../core/resource.ts";
import { isSealed, mapSecrets, mapSecretsAt, type SectionPath } from "../core/secret.ts";

/** What becomes of a text at a key: its commitment, or a reason why not. */
export type Seal = (value: Json, key: readonly string[]) => Json;

/** The commitment to what a plugin reads; what is sealed stays so. */
export function sealingWith({ name }: Plugin, secrets: SecretStore): Seal {
  return (value, key) => {
    if (isSealed(value)) return value;
    if (typeof value !== "string") throw new OpError("internal", `The plugin '${name}' reads a secret that is no text`);
    return { secret: secrets.commit(key, value) };
  };
}

/** Resources with every secret sealed. */
export function sealedResources(plugin: Plugin, resources: Resources, seal: Seal): Resources {
  const entries = Object.entries(resources).map(([name, resource]) => {
    const section = plugin.section({ [name]: resource });
    const sealed = leavesOf(resource).reduce<Resource>((result, { path, value }) => {
      const is = mapSecretsAt(plugin.schema, plugin.locate(section, name, path), value, sealFor(plugin, name, path, seal));
      return is === value ? result : withValue(result, path, is);
    }, resource);
    return [name, sealed] as const;
  });
  const sealed = Object.fromEntries(entries);
  checkSealed(plugin, plugin.section(sealed));
  return sealed;
}

/** One value of one key, its secrets sealed. */
export function sealedValue(plugin: Plugin, resource: string, { path, value }: { path: KeyPath; value: Json }, seal: Seal): Json {
  const section = plugin.section({ [resource]: withValue({}, path, value) });
  return mapSecretsAt(plugin.schema, plugin.locate(section, resource, path), value, sealFor(plugin, resource, path, seal));
}

/** A section of a document with every secret sealed, and all else as it was written. */
export function sealedSection(plugin: Plugin, section: Json, seal: (value: Json, key: readonly string[], path: SectionPath) => Json): Json {
  let sealed = section;
  for (const [name, resource] of Object.entries(plugin.resources(section))) {
    for (const { path } of leavesOf(resource)) {
      const at = plugin.locate(section, name, path);
      const key = [plugin.name, name, ...path];
      sealed = replaced(sealed, at, (value) => mapSecretsAt(plugin.schema, at, value, (secret, within) => seal(secret, keyOf(key, within), [...at, ...within])));
    }
  }
  checkSealed(plugin, sealed);
  return sealed;
}

function sealFor({ name }: Plugin, resource: string, path: KeyPath, seal: Seal): (value: Json, within: SectionPath) => Json {
  return (value, within) => seal(value, keyOf([name, resource, ...path], within));
}

/** Members of one list may change places: their number says nothing. */
function keyOf(key: readonly string[], within: SectionPath): string[] {
  return [...key, ...within.filter((step) => typeof step === "string")];
}

/** A secret that belongs to no key of a resource would go on as it is. */
function checkSealed({ name, schema }: Plugin, section: Json): void {
  mapSecrets(schema, section, (value, path) => {
    if (isSealed(value)) return value;
    throw new OpError("internal", `The plugin '${name}' does not locate the secret ${path.join(".")}`);
  });
}

function replaced(value: Json, path: SectionPath, change: (value: Json) => Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (isList(value)) return value.map((member, index) => (index === step ? replaced(member, rest, change) : member));
  if (!isObject(value) || !Object.hasOwn(value, step)) return value;
  return { ...value, [step]: replaced(value[step] as Json, rest, change) };
}
