import { OpError } from "../../core/errors.ts";
import { toJson } from "../../core/json.ts";
import type { Reading, ResourceReading } from "../../core/plugin.ts";
import type { Resources } from "../../core/resource.ts";
import { printFlow } from "../../protocols/openflow/flow-text.ts";
import { portNames, type PortNames } from "../../protocols/openflow/port-names.ts";
import { readVswitch, type Bridge as BridgeRow } from "../../protocols/ovsdb/vswitch.ts";
import type { BridgeAdvice, BridgeFacts, Sources } from "./facts.ts";
import { identityOf, inOrder, isTemporary } from "./flow-entry.ts";
import { namesIn, portsMeant, printedOrNot, type Ports } from "./names.ts";
import type { DeclaredBridge } from "./section.ts";

/** The bridges of the scope; without it, all that ovs-vswitchd runs. A host without Open vSwitch has none. */
export async function readBridges(scope: Resources | undefined, sources: Sources): Promise<Reading> {
  const names = scope === undefined ? await sources.bridges.names() : Object.keys(scope);
  if (names.length === 0) return { resources: {} };
  const { bridges } = await readVswitch(sources.ovsdb);
  const rows = new Map(bridges.map((row) => [row.name, row]));
  const entries = names.map(async (name) => {
    const row = rows.get(name);
    return [name, row === undefined ? { state: { state: "absent" } } : await readBridge(row, scope?.[name], sources)] as const;
  });
  return { resources: Object.fromEntries(await Promise.all(entries)) };
}

async function readBridge(row: BridgeRow, declared: DeclaredBridge | undefined, sources: Sources): Promise<ResourceReading> {
  const known = { state: "present", fail_mode: row.fail_mode ?? null };
  try {
    const { flows, ports } = await tablesOf(row.name, sources);
    const { counted, temporary } = declared === undefined ? { counted: inOrder(flows), temporary: [] } : sorted(flows, declared, namesIn(ports));
    const facts: BridgeFacts = { ports: portsMeant([...(declared?.flows ?? []), ...(declared?.absent ?? [])], ports) };
    const advice: BridgeAdvice = { temporary };
    return { state: { ...known, flows: counted }, identity: row.uuid, facts: toJson(facts), advice: toJson(advice) };
  } catch (error) {
    // One bridge that speaks another version hides only itself, unless it is the one that is asked for.
    if (!(error instanceof OpError) || error.kind !== "unavailable" || Object.keys(declared ?? {}).length > 0) throw error;
    return { state: known, observed: { unavailable: error.message }, identity: row.uuid };
  }
}

/** A bridge's flows in the spelling that is compared, and its ports. */
export async function tablesOf(name: string, { bridges }: Pick<Sources, "bridges">): Promise<{ readonly flows: readonly string[]; readonly ports: Ports }> {
  using bridge = bridges.open(name);
  const [flows, found] = await Promise.all([bridge.flows(), bridge.ports()]);
  const names = portNames(found);
  const ports = found.flatMap(({ name: port, port: number }) => (names.numberOf(port) === undefined ? [] : [[port, number] as const]));
  return { flows: flows.map((flow) => printFlow(flow, names)), ports: Object.fromEntries(ports) };
}

/**
 * Somebody else's flow that will go by itself is no part of a plan, which would be out of date whenever one comes or goes: it counts only
 * where it is declared, or where nothing else may be there.
 */
function sorted(flows: readonly string[], declared: DeclaredBridge, names: PortNames): { readonly counted: string[]; readonly temporary: string[] } {
  const named = new Set((declared.flows ?? []).flatMap((flow) => printedOrNot(flow, names) ?? []).map(identityOf));
  const passes = (flow: string) => declared.exclusive !== true && isTemporary(flow) && !named.has(identityOf(flow));
  return { counted: inOrder(flows.filter((flow) => !passes(flow))), temporary: inOrder(flows.filter(passes)) };
}
