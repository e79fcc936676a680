import type { StateDocument } from "../core/document.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Plugin } from "../core/plugin.ts";
import type { Resource } from "../core/resource.ts";

export interface Queried {
  /** What is, as a valid state document; what can only be seen is under `observed`. */
  readonly document: StateDocument;
  /** By plugin: why it could not be read. The others' results stand. */
  readonly failures: Readonly<Record<string, unknown>>;
}

export async function queryAll(plugins: readonly Plugin[]): Promise<Queried> {
  const results = await Promise.allSettled(plugins.map((plugin) => sectionOf(plugin)));
  const sections: Record<string, Json> = {};
  const failures: Record<string, unknown> = {};
  for (const [index, result] of results.entries()) {
    const name = plugins[index]?.name ?? "";
    if (result.status === "fulfilled") sections[name] = result.value;
    else failures[name] = result.reason;
  }
  return { document: { version: 1, plugins: sections }, failures };
}

async function sectionOf(plugin: Plugin): Promise<Json> {
  const { resources } = await plugin.read();
  const entries = Object.entries(resources).map(([name, { state, observed }]) => {
    const seen: JsonObject = observed === undefined || Object.keys(observed).length === 0 ? {} : { observed };
    return [name, { ...state, ...seen } as Resource] as const;
  });
  return plugin.section(Object.fromEntries(entries));
}
