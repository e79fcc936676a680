import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import type { StateDocument } from "../../src/core/document.ts";
import type { Host } from "../../src/engine/host.ts";
import { identityOf } from "../../src/plugins/openflow/flow-entry.ts";
import { namesIn, printedOrNot } from "../../src/plugins/openflow/names.ts";
import { createOpenflowPlugin } from "../../src/plugins/openflow/plugin.ts";
import { bridgesOf, type DeclaredBridge } from "../../src/plugins/openflow/section.ts";
import type { Bridge, Bridges } from "../../src/protocols/openflow/bridge.ts";
import { openBridges } from "../../src/protocols/openflow/client.ts";
import { openOvsdb } from "../../src/protocols/ovsdb/client.ts";
import type { Ovsdb } from "../../src/protocols/ovsdb/ovsdb.ts";
import { openStore } from "../../src/store/open.ts";
import { readActor } from "../../src/sys/actor.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { readHostIdentity } from "../../src/sys/host-identity.ts";
import { createLock } from "../../src/sys/lock.ts";
import { documentOf, type Fixture, type Subject } from "./fixture.ts";
import { UNGUARDED } from "./memory-guard.ts";

/*
 * The openflow plugin on two bridges, `left` and `right`, of the real Open vSwitch that this runs beside, with ports veth1 to veth4 and
 * r-veth1 to r-veth4. To be run inside a throw-away host and nowhere else: test/host/openflow/laws.test.ts does that.
 */

const BRIDGES = ["left", "right"];
const FRESH = BRIDGES.map((bridge) => `ovs-vsctl clear bridge ${bridge} fail_mode; ovs-ofctl -O OpenFlow14 del-flows ${bridge}; ovs-ofctl -O OpenFlow14 add-flow ${bridge} priority=0,actions=NORMAL`).join("; ");

/** A command line that somebody else gives. */
type Edit = readonly string[];

class OpenflowWorld implements Fixture<Edit> {
  readonly #root: string;
  readonly #bridges: Bridge[] = [];
  readonly #databases: Ovsdb[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  async open(): Promise<Host> {
    const ovsdb = openOvsdb();
    this.#databases.push(ovsdb);
    const store = openStore({ root: this.#root, clock: systemClock, actor: readActor("cli"), host: readHostIdentity() });
    await store.prepare();
    const { audit, journal, ledger, lockPath, secrets } = store;
    const plugins = [createOpenflowPlugin({ bridges: this.#counted(openBridges()), ovsdb })];
    return { plugins, lock: createLock(lockPath), audit, journal, ledger, secrets, clock: systemClock, actor: readActor("cli"), deadMan: UNGUARDED };
  }

  writes(): number {
    return [...this.#bridges, ...this.#databases].reduce((sum, { counts }) => sum + counts.writes, 0);
  }

  async edit(command: Edit): Promise<void> {
    await run(command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of [...this.#bridges, ...this.#databases]) each.close();
    await rm(this.#root, { recursive: true, force: true });
  }

  #counted(bridges: Bridges): Bridges {
    return {
      names: () => bridges.names(),
      open: (name) => {
        const bridge = bridges.open(name);
        this.#bridges.push(bridge);
        return bridge;
      },
    };
  }
}

async function make(): Promise<OpenflowWorld> {
  await run(["sh", "-c", FRESH]);
  return new OpenflowWorld(await mkdtemp(join(tmpdir(), "op-dbus-laws-")));
}

async function run(argv: readonly string[]): Promise<void> {
  await Bun.spawn([...argv], { stdout: "ignore", stderr: "ignore" }).exited;
}

/** No two of them are the same match in other words; some are not as ovs-ofctl prints them. */
const MATCHES = [
  {},
  { in_port: 1 },
  { in_port: "LOCAL" },
  { tcp: true },
  { tcp: true, tp_dst: 22 },
  { dl_type: "0x0800", nw_proto: 6, tcp_dst: "0x50" },
  { udp6: true, tp_src: "53/0xffff", ipv6_src: "2001:DB8::/32" },
  { ip: true, nw_src: "10.1.2.3/8" },
  { arp: true, nw_src: "10.0.0.1" },
  { dl_vlan: 5, dl_src: "2:0:0:0:0:1" },
  { vlan_tci: "0x1000/0x1000" },
  { ct_state: "+trk-new", ip: true, reg0: "0x5/0xff" },
  { icmp6: true, icmp_type: 135, icmp_code: 0, nd_target: "fe80::1" },
];
const ACTIONS = [["drop"], ["NORMAL"], ["output:2", "LOCAL"], ["mod_dl_src:02:00:00:00:00:01", "output:1"], ["mod_vlan_vid:7", "output:3"], ["load:5->reg0[0..3]", "resubmit(,2)"], ["goto_table:9"], ["write_actions(output:1)", "goto_table:9"], []];

const TIME_OUT_S = 3600;
const flow = fc.record(
  {
    table: fc.constantFrom(0, 1, 2),
    priority: fc.constantFrom(0, 5, 100, 40_000),
    match: fc.constantFrom(...MATCHES),
    actions: fc.constantFrom(...ACTIONS),
    cookie: fc.constantFrom(0, 7, "18446744073709551615"),
    idle_timeout: fc.constantFrom(0, 0, TIME_OUT_S),
    importance: fc.constantFrom(0, 3),
    flags: fc.constantFrom([], ["send_flow_rem"]),
  },
  { requiredKeys: ["table", "priority", "match", "actions"] },
);
const absent = flow.map(({ table, priority, match }) => ({ table, priority, match, state: "absent" }));
const flows = fc.uniqueArray(fc.oneof({ weight: 9, arbitrary: flow }, { weight: 1, arbitrary: absent }), {
  maxLength: 20,
  selector: ({ table, priority, match }) => JSON.stringify([table, priority, match]),
});
/** The flow that `default_action` decides about. */
const isFloor = ({ table, priority, match }: { table: number; priority: number; match: object }) => table === 0 && priority === 0 && Object.keys(match).length === 0;

const bridge = (name: string) =>
  fc.oneof(
    fc.record({ name: fc.constant(name), flows, exclusive: fc.boolean(), fail_mode: fc.constantFrom("secure", "standalone", null) }, { requiredKeys: ["name", "flows"] }),
    fc.record({ name: fc.constant(name), flows: flows.map((each) => each.filter((one) => !isFloor(one))), default_action: fc.constantFrom("normal", "drop") }, { requiredKeys: ["name"] }),
  );

const documents: fc.Arbitrary<StateDocument> = fc
  .subarray(BRIDGES, { minLength: 1 })
  .chain((names) => fc.tuple(...names.map(bridge)))
  .map((bridges) => documentOf({ openflow: { bridges: JSON.parse(JSON.stringify(bridges)) } }));

/** None of others' temporary flows: they come and go as they like, and of those that are taken away a rollback over several applies knows nothing. */
const ofctl = (...args: readonly string[]) => ["ovs-ofctl", "-O", "OpenFlow14", ...args];
const edits: fc.Arbitrary<Edit> = fc.constantFrom(...BRIDGES).chain((name) =>
  fc.constantFrom<Edit>(
    ofctl("add-flow", name, "table=0,priority=100,tcp,actions=output:4"),
    ofctl("add-flow", name, "table=1,priority=5,actions=drop"),
    ofctl("add-flow", name, "table=3,priority=9,cookie=0x9,actions=output:4"),
    ofctl("add-flow", name, "table=3,actions=learn(table=4,idle_timeout=3000,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"),
    ofctl("add-flow", name, "table=0,priority=0,actions=CONTROLLER"),
    ofctl("del-flows", name, "table=0"),
    ["ovs-vsctl", "set", "bridge", name, "fail_mode=secure"],
    ["ovs-vsctl", "set", "bridge", name, "fail_mode=standalone"],
  ),
);

/** A flow of somebody else's goes where nothing else may be there, and where its table, priority and match are declared. */
function claims({ plugins }: StateDocument, key: string, member: unknown): boolean {
  const [, name = ""] = /^openflow:(\S+) flows$/.exec(key) ?? [];
  const { flows = [], absent = [], exclusive } = (bridgesOf(plugins.openflow ?? {})[name] ?? {}) as DeclaredBridge;
  const names = namesIn({ [name === "left" ? "veth1" : "r-veth1"]: 1 });
  return exclusive === true || [...flows, ...absent].some((text) => identityOf(printedOrNot(text, names) ?? "") === identityOf(String(member)));
}

export const openflowSubject: Subject<Edit> = {
  name: "openflow plugin, on a real Open vSwitch",
  make,
  documents,
  edits,
  oneWay: [],
  claims,
  readmes: { openflow: join(import.meta.dir, "../../src/plugins/openflow/README.md") },
  // The same few cases in every run; LAW_RUNS and LAW_SEED make others.
  runs: Number(process.env.LAW_RUNS ?? 12),
  seed: Number(process.env.LAW_SEED ?? 20_261_121),
  timeoutMs: 300_000,
};
