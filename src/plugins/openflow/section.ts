import { isList, isObject, type Json, type JsonObject } from "../../core/json.ts";
import type { KeyPath, Resource, Resources } from "../../core/resource.ts";
import { flowEntry, flowText, NORMAL_FLOW, type FlowEntry } from "./flow-entry.ts";

/** A bridge as a document has it. */
export interface BridgeEntry {
  readonly default_action?: "drop" | "normal" | null;
  readonly exclusive?: boolean | null;
  readonly fail_mode?: "secure" | "standalone" | null;
  readonly flows?: readonly FlowEntry[] | null;
}

/**
 * What is declared of a bridge. Flows are texts, as ovs-ofctl spells them: `flows` those that are to be there, `absent` those that are not
 * (their actions do not count).
 */
export interface DeclaredBridge {
  readonly flows?: readonly string[];
  readonly absent?: readonly string[];
  /** Nothing but `flows` is to be there. */
  readonly exclusive?: boolean;
  readonly fail_mode?: "secure" | "standalone" | null;
}

/** By name. `default_action` is put down to what it means: a flow, or no others and a bridge that stays closed when ovs-vswitchd restarts. */
export function bridgesOf(section: Json): Resources {
  return Object.fromEntries(entriesOf(section).map(({ name, entry }) => [name, declared(entry) as unknown as Resource]));
}

/** The inverse. */
export function sectionOf(resources: Resources): Json {
  return { bridges: Object.entries(resources).map(([name, resource]) => ({ name, ...entryOf(resource) })) };
}

/** Where a bridge's key stands. */
export function locateIn(section: Json, resource: string, path: KeyPath): (string | number)[] {
  const found = entriesOf(section).find(({ name }) => name === resource);
  if (found === undefined) return [];
  const [first = ""] = path;
  const [key] = [first, ...(first === "absent" ? ["flows"] : ["default_action"])].filter((each) => Object.hasOwn(found.entry, each));
  return key === undefined ? [...found.at] : [...found.at, key];
}

interface Located {
  readonly name: string;
  readonly entry: BridgeEntry;
  readonly at: readonly (string | number)[];
}

function entriesOf(section: Json): Located[] {
  if (!isObject(section)) return [];
  const single: Located[] = typeof section.bridge === "string" ? [{ name: section.bridge, entry: section as BridgeEntry, at: [] }] : [];
  const listed = isList(section.bridges) ? section.bridges : [];
  const several = listed.flatMap((entry, index): Located[] => {
    return isObject(entry) && typeof entry.name === "string" ? [{ name: entry.name, entry: entry as BridgeEntry, at: ["bridges", index] }] : [];
  });
  return [...single, ...several];
}

function declared({ default_action, exclusive, fail_mode, flows }: BridgeEntry): DeclaredBridge {
  const [present, absent] = [flows?.filter(({ state }) => state !== "absent") ?? [], flows?.filter(({ state }) => state === "absent") ?? []];
  const written = flows !== undefined || default_action !== undefined || exclusive === true;
  return {
    ...(written ? { flows: [...(default_action === "normal" ? [NORMAL_FLOW] : []), ...present.map(flowText)] } : {}),
    ...(absent.length === 0 ? {} : { absent: absent.map(flowText) }),
    ...(exclusive === true || default_action === "drop" ? { exclusive: true } : {}),
    ...(default_action === "drop" ? { fail_mode: "secure" } : fail_mode === undefined ? {} : { fail_mode }),
  };
}

function entryOf(resource: Resource): JsonObject {
  const { flows, absent = [], exclusive, fail_mode } = resource as unknown as DeclaredBridge;
  const { observed, state } = resource;
  const normal = flows?.includes(NORMAL_FLOW) === true;
  const drop = !normal && exclusive === true && fail_mode === "secure";
  const listed = (flows ?? []).filter((text) => text !== NORMAL_FLOW).map(flowEntry);
  const gone = absent.map(flowEntry).map(({ actions: _, ...flow }) => ({ ...flow, state: "absent" }));
  // What has no fail_mode is not worth a line; that it is to have none is.
  const mode = drop || fail_mode === undefined || (fail_mode === null && state !== undefined) ? {} : { fail_mode };
  return {
    ...(normal ? { default_action: "normal" } : drop ? { default_action: "drop" } : {}),
    ...(exclusive === true && !drop ? { exclusive } : {}),
    ...mode,
    ...(flows === undefined && absent.length === 0 ? {} : { flows: [...listed, ...gone] }),
    ...(observed === undefined ? {} : { observed }),
  };
}
