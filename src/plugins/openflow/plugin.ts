import { OpError } from "../../core/errors.ts";
import type { AdoptedKey, Plugin, Progress, ResourceReading, Step, StepOutcome } from "../../core/plugin.ts";
import { parseFlow } from "../../protocols/openflow/flow-text.ts";
import type { FlowMod } from "../../protocols/openflow/flow.ts";
import { portNames } from "../../protocols/openflow/port-names.ts";
import { commit } from "../../protocols/ovsdb/commit.ts";
import { EMPTY } from "../../protocols/ovsdb/value.ts";
import { setColumns } from "../../protocols/ovsdb/vswitch-operations.ts";
import type { Call, Sources } from "./facts.ts";
import { planBridges } from "./plan.ts";
import { readBridges } from "./reading.ts";
import { openflowSchema } from "./schema.ts";
import { bridgesOf, locateIn, sectionOf } from "./section.ts";

export type OpenflowOptions = Sources;

/** Every flow of every table (OpenFlow 1.4, OFPTT_ALL). */
const ALL_FLOWS: FlowMod = {
  command: "delete",
  flow: { table: 0xff, priority: 0, match: [], instructions: [], cookie: 0n, idleTimeoutS: 0, hardTimeoutS: 0, flags: 0, importance: 0 },
};

/** OpenFlow reserves it (1.4, 7.3.4.2): a flow that is added with it in the place of another gets the other's cookie. */
const KEEPS_COOKIE = 0xffff_ffff_ffff_ffffn;

/** The flows of Open vSwitch's bridges, over OpenFlow: a whole table changes at once. */
export function createOpenflowPlugin(sources: OpenflowOptions): Plugin {
  return {
    name: "openflow",
    schema: openflowSchema,
    lists: { flows: "members", absent: "complete" },
    policies: [],
    oneWay: {},
    resources: bridgesOf,
    section: sectionOf,
    locate: locateIn,
    read: (scope) => readBridges(scope, sources),
    plan: planBridges,
    apply: (step, progress) => applyStep(step, sources, progress),
    // The flows are in ovs-vswitchd's memory, the mode in the database.
    endsWithBoot: (_, [key]) => key !== "fail_mode",
    adopt: adoptedKeys,
  };
}

async function applyStep(step: Step, sources: Sources, progress: Progress): Promise<StepOutcome> {
  const call = step.call as unknown as Call;
  if (call.fail_mode !== undefined) await commit(sources.ovsdb, setColumns("Bridge", call.bridge, { fail_mode: call.fail_mode ?? EMPTY }));
  await changeFlows(call, sources);
  for (const { resource, verb } of step.actions) progress.done(resource, verb);
  return { effects: [] };
}

/** One bundle. Done again it finds what it made: a flow that is added replaces itself, one that is gone is removed from nothing. */
async function changeFlows({ bridge: name, ports, fail_mode, remove, add }: Call, { bridges }: Sources): Promise<void> {
  using bridge = bridges.open(name);
  const names = portNames(await bridge.ports());
  for (const [port, number] of Object.entries(ports)) {
    const now = names.numberOf(port);
    if (now !== number) throw new OpError("failed", `Port '${port}' of bridge '${name}' was number ${number} and is ${now ?? "gone"}: the flows would mean another`);
  }
  const removed = remove.map((text): FlowMod => ({ command: "delete_strict", flow: parseFlow(text, names) }));
  const added = add.map((text): FlowMod => ({ command: "add", flow: parseFlow(text, names) }));
  const replaced = added.filter(({ flow }) => flow.cookie === KEEPS_COOKIE).map(({ flow }): FlowMod => ({ command: "delete_strict", flow }));
  await bridge.change([...(fail_mode !== undefined ? [ALL_FLOWS] : [...removed, ...replaced]), ...added]);
}

/** The flows that are there and do not go by themselves. */
function adoptedKeys({ state }: ResourceReading): AdoptedKey[] {
  return [{ path: ["flows"], value: state.flows ?? [], original: [] }];
}
