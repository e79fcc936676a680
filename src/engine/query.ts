import type { StateDocument } from "../core/document.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Plugin, ResourceReading } from "../core/plugin.ts";
import type { SecretStore } from "../core/ports.ts";
import { keyName, leavesOf, withoutValue, type Resource } from "../core/resource.ts";
import { hasSecrets, unreadableIn } from "../core/secret.ts";

export interface Queried {
  /** What is, as a valid state document; what can only be seen is under `observed`. */
  readonly document: StateDocument;
  /** By plugin: why it could not be read. The others' results stand. */
  readonly failures: Readonly<Record<string, unknown>>;
}

export async function queryAll(plugins: readonly Plugin[], secrets: Pick<SecretStore, "unkept">): Promise<Queried> {
  const results = await Promise.allSettled(plugins.map((plugin) => sectionOf(plugin, secrets)));
  const sections: Record<string, Json> = {};
  const failures: Record<string, unknown> = {};
  for (const [index, result] of results.entries()) {
    const name = plugins[index]?.name ?? "";
    if (result.status === "fulfilled") sections[name] = result.value;
    else failures[name] = result.reason;
  }
  return { document: { version: 1, plugins: sections }, failures };
}

async function sectionOf(plugin: Plugin, secrets: Pick<SecretStore, "unkept">): Promise<Json> {
  const { resources } = await plugin.read();
  const secretive = hasSecrets(plugin.schema);
  const entries = Object.entries(resources).map(([name, reading]) => {
    const { state, observed } = secretive ? withoutUnknown(reading, secrets) : reading;
    const seen: JsonObject = observed === undefined || Object.keys(observed).length === 0 ? {} : { observed };
    return [name, { ...state, ...seen } as Resource] as const;
  });
  return plugin.section(Object.fromEntries(entries));
}

/** A secret that op-dbus never had to do with can only be seen to be there: a document could not name it. */
function withoutUnknown(reading: ResourceReading, secrets: Pick<SecretStore, "unkept">): Pick<ResourceReading, "state" | "observed"> {
  const unknown = leavesOf(reading.state).filter(({ value }) => unreadableIn(value) > 0 || secrets.unkept(value).length > 0);
  if (unknown.length === 0) return reading;
  const state = unknown.reduce((left, { path }) => withoutValue(left, path), reading.state);
  return { state, observed: { ...reading.observed, secrets: unknown.map(({ path }) => keyName(path)) } };
}
