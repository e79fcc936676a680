import { OpError } from "../../core/errors.ts";
import { toJson } from "../../core/json.ts";
import type { Reading, ResourceReading } from "../../core/plugin.ts";
import type { Resources } from "../../core/resource.ts";
import { printFlow } from "../../protocols/openflow/flow-text.ts";
import { portNames } from "../../protocols/openflow/port-names.ts";
import { readVswitch, type Bridge as BridgeRow } from "../../protocols/ovsdb/vswitch.ts";
import type { BridgeAdvice, BridgeFacts, Sources } from "./facts.ts";
import { identityOf, inOrder } from "./flow-entry.ts";
import { understoodWith, type Ports } from "./names.ts";
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
    if (declared === undefined) return { state: { ...known, flows: inOrder(flows.map(({ text }) => text)) }, identity: row.uuid };
    const understood = understoodWith([...(declared.flows ?? []), ...(declared.absent ?? [])], ports);
    const { counted, temporary } = sorted(flows, declared, understood.flows);
    const facts: BridgeFacts = { ports: understood.ports };
    const advice: BridgeAdvice = { temporary };
    return { state: { ...known, flows: counted }, identity: row.uuid, facts: toJson(facts), advice: toJson(advice) };
  } catch (error) {
    // One bridge that speaks another version hides only itself, unless it is the one that is asked for.
    if (!(error instanceof OpError) || error.kind !== "unavailable" || Object.keys(declared ?? {}).length > 0) throw error;
    return { state: known, observed: { unavailable: error.message }, identity: row.uuid };
  }
}

interface PrintedFlow {
  /** In the spelling that is compared. */
  readonly text: string;
  /** Whether it goes by itself. */
  readonly temporary: boolean;
}

async function tablesOf(name: string, { bridges }: Sources): Promise<{ readonly flows: readonly PrintedFlow[]; readonly ports: Ports }> {
  using bridge = bridges.open(name);
  const [flows, found] = await Promise.all([bridge.flows(), bridge.ports()]);
  const names = portNames(found);
  const ports = found.flatMap(({ name: port, port: number }) => (names.numberOf(port) === undefined ? [] : [[port, number] as const]));
  const printed = flows.map((flow) => ({ text: printFlow(flow, names), temporary: flow.idleTimeoutS !== 0 || flow.hardTimeoutS !== 0 }));
  return { flows: printed, ports: Object.fromEntries(ports) };
}

interface Sorted {
  readonly counted: readonly string[];
  readonly temporary: readonly string[];
}

/**
 * Somebody else's flow that will go by itself is no part of a plan, which would be out of date whenever one comes or goes: it counts only
 * where it is declared, or where nothing else may be there.
 */
function sorted(flows: readonly PrintedFlow[], { exclusive }: DeclaredBridge, declared: readonly string[]): Sorted {
  const named = flows.some(({ temporary }) => temporary) ? new Set(declared.map(identityOf)) : new Set<string>();
  const passes = ({ text, temporary }: PrintedFlow) => exclusive !== true && temporary && !named.has(identityOf(text));
  const texts = (some: readonly PrintedFlow[]) => inOrder(some.map(({ text }) => text));
  return { counted: texts(flows.filter((flow) => !passes(flow))), temporary: texts(flows.filter(passes)) };
}
