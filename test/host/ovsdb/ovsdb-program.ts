import { OpError } from "../../../src/core/errors.ts";
import { openOvsdb, type OvsdbOptions } from "../../../src/protocols/ovsdb/client.ts";
import { commit } from "../../../src/protocols/ovsdb/commit.ts";
import { ovsdbErrorName } from "../../../src/protocols/ovsdb/errors.ts";
import type { Operation } from "../../../src/protocols/ovsdb/operation.ts";
import type { Ovsdb } from "../../../src/protocols/ovsdb/ovsdb.ts";
import { readOnly } from "../../../src/protocols/ovsdb/read-only.ts";
import { shapeOf } from "../../../src/protocols/ovsdb/schema.ts";
import { EMPTY, mapOf } from "../../../src/protocols/ovsdb/value.ts";
import { addBridge, addPort, removeBridge, removePort, setColumns, setControllers, setKeys } from "../../../src/protocols/ovsdb/vswitch-operations.ts";
import { readVswitch, type Vswitch } from "../../../src/protocols/ovsdb/vswitch.ts";
import { readText } from "../../../src/sys/files.ts";
import { waitUntil } from "../harness/wait.ts";

/*
 * Runs in a host with Open vSwitch: ovsdb.test.ts starts it with the name of a scenario, and reads what it prints, a JSON value a line.
 */

const NETDEV = { datapath_type: "netdev" };
const NOT_THERE = "00000000-0000-4000-8000-000000000000";

/** Two bridges as a plugin would ask for them, all in one transaction. */
const TWO_BRIDGES: readonly Operation[] = [
  ...addBridge("br0", { ...NETDEV, fail_mode: "secure", other_config: mapOf({ hwaddr: "02:00:00:00:00:01" }), external_ids: mapOf({ who: 'ä☃ "\\' }) }),
  ...addPort("br0", "access", { port: { tag: 5, vlan_mode: "access" }, interface: { type: "internal", mtu_request: 1400 } }),
  ...addPort("br0", "trunk", { port: { trunks: { set: [10, 20, 30] } }, interface: { type: "internal" } }),
  ...addPort("br0", "to-br1", { interface: { type: "patch", options: mapOf({ peer: "to-br0" }) } }),
  ...addBridge("br1", NETDEV),
  ...addPort("br1", "uplink0"),
  ...addPort("br1", "to-br0", { interface: { type: "patch", options: mapOf({ peer: "to-br1" }) } }),
  ...setControllers("br0", ["tcp:127.0.0.1:6653", "ssl:127.0.0.1:6654"]),
];

/** With what is there as it was just read. */
type Scenario = (ovsdb: Ovsdb, vswitch: Vswitch) => Promise<unknown>;

const scenarios: Readonly<Record<string, Scenario>> = {
  async build(ovsdb) {
    const { results, interfaceErrors } = await commit(ovsdb, TWO_BRIDGES);
    return { results: results.length, interfaceErrors: [...interfaceErrors], counts: ovsdb.counts };
  },

  async read(ovsdb, vswitch) {
    return { vswitch: plain(vswitch), counts: ovsdb.counts };
  },

  async change(ovsdb, vswitch) {
    const [br0, br1] = [bridge(vswitch, "br0"), bridge(vswitch, "br1")];
    await commit(ovsdb, [
      ...setKeys("Bridge", "br0", "other_config", { hwaddr: "02:00:00:00:00:02", "forward-bpdu": "true" }),
      ...setKeys("Bridge", "br0", "external_ids", { who: null }),
      ...setColumns("Bridge", "br0", { fail_mode: EMPTY }),
      ...setColumns("Port", "access", { tag: EMPTY, vlan_mode: EMPTY, trunks: { set: [7] } }),
      ...setColumns("Interface", "access", { mtu_request: EMPTY }),
      ...setControllers("br0", []),
      ...removePort("br0", port(br0, "trunk")),
      ...removePort("br0", port(br0, "to-br1")),
      ...removeBridge(br1),
    ]);
    return "done";
  },

  /** A port to another bridge, with another tag, and a bridge made anew: both under their old names. */
  async replace(ovsdb, vswitch) {
    const [br0, br1] = [bridge(vswitch, "br0"), bridge(vswitch, "br1")];
    const { interfaceErrors } = await commit(ovsdb, [
      ...removePort("br0", port(br0, "access")),
      // Without its peer it would have an error, which ovs-vswitchd may write now or a little later.
      ...removePort("br0", port(br0, "to-br1")),
      ...removeBridge(br1),
      ...addBridge("br1", NETDEV),
      ...addPort("br1", "access", { port: { tag: 6 }, interface: { type: "internal" } }),
    ]);
    return [...interfaceErrors];
  },

  async nothing(ovsdb) {
    const { results, interfaceErrors } = await commit(ovsdb, []);
    return { results, interfaceErrors: [...interfaceErrors] };
  },

  async noDevice(ovsdb) {
    const { interfaceErrors } = await commit(ovsdb, [...addBridge("br0", NETDEV), ...addPort("br0", "nosuchdevice")]);
    return [...interfaceErrors];
  },

  /** Each fails, and changes nothing. */
  async failures(ovsdb, vswitch) {
    const { uuid, ports } = bridge(vswitch, "foreign");
    const stale = { uuid: NOT_THERE, name: ports[0]?.name ?? "" };
    const comment: Operation = { op: "comment", comment: "one" };
    const attempts: readonly (readonly Operation[])[] = [
      [comment, { op: "delete", table: "Controller", where: [] }, { op: "update", table: "Bridge", where: [], row: { fail_mode: "bad" } }, comment],
      [{ op: "delete", table: "Bridge", where: [["_uuid", "==", { uuid }]] }],
      addBridge("foreign"),
      [...addBridge("br0"), ...addPort("nobridge", "p0")],
      setColumns("Port", "noport", { tag: 5 }),
      setKeys("Bridge", "nobridge", "other_config", { a: "b" }),
      removePort("foreign", stale),
      [...addBridge("br0"), ...removePort("br0", port(bridge(vswitch, "foreign"), "foreign"))],
      removeBridge({ uuid: NOT_THERE, name: "foreign" }),
      [{ op: "insert", table: "Bridge", row: { nocolumn: 5 } }],
      [{ op: "select", table: "NoTable", where: [], columns: [] }],
      [{ op: "insert", table: "Port", row: { name: "p", tag: 9000 } }],
      [{ op: "assert", lock: "anothers" }],
    ];
    const found = [];
    for (const operations of attempts) found.push(await failure(commit(ovsdb, operations)));
    return found;
  },

  async stopped(ovsdb) {
    return await failure(commit(ovsdb, addBridge("br0", NETDEV), { timeoutMs: 500 }));
  },

  /** Waits for what does not come, until the server goes. */
  async restarted(ovsdb) {
    const monitor = await ovsdb.monitor({ Bridge: ["name"] });
    const watched = failure((async () => {
      for await (const _ of monitor);
    })());
    const waiting = failure(ovsdb.transact([{ op: "wait", table: "Bridge", where: [], columns: ["name"], until: "==", rows: [{ name: "never" }] }], { timeoutMs: 60_000 }));
    // Its answer comes after the wait has begun.
    await ovsdb.databases();
    print("waiting");
    return [await waiting, await watched, await failure(ovsdb.databases())];
  },

  async monitor(ovsdb) {
    await using monitor = await ovsdb.monitor({ Bridge: ["name", "external_ids"] });
    for await (const updates of monitor) {
      const rows = [...(updates.get("Bridge")?.values() ?? [])];
      print(plain(rows));
      if (rows.some((row) => row.new === undefined)) break;
    }
    return ovsdb.counts;
  },

  /** Until the server has answered three echoes. */
  async idle() {
    const idle = openOvsdb({ ...options, idleMs: 200 });
    const before = await idle.databases();
    await waitUntil(() => idle.counts.reads > 3, { what: "three echoes" });
    const after = await idle.databases();
    idle.close();
    return { same: before.join() === after.join(), writes: idle.counts.writes };
  },

  async looking(ovsdb) {
    const looking = readOnly(ovsdb);
    const schema = await looking.schema();
    const bridge = [...(schema.tables.get("Bridge")?.columns ?? [])];
    return {
      databases: await looking.databases(),
      schema: [schema.name, schema.tables.get("Open_vSwitch")?.maxRows, schema.tables.get("Bridge")?.indexes],
      shapes: Object.fromEntries(bridge.map(([name, { type }]) => [name, shapeOf(type)])),
      bridges: (await readVswitch(looking)).bridges.length,
      write: await failure(commit(looking, [])),
      counts: looking.counts,
    };
  },
};

function bridge({ bridges }: Vswitch, name: string): Vswitch["bridges"][number] {
  return named(bridges, name);
}

function port({ ports }: Vswitch["bridges"][number], name: string): Vswitch["bridges"][number]["ports"][number] {
  return named(ports, name);
}

function named<T extends { readonly name: string }>(things: readonly T[], name: string): T {
  const thing = things.find((each) => each.name === name);
  if (thing === undefined) throw new Error(`There is no ${name}`);
  return thing;
}

async function failure(action: Promise<unknown>): Promise<unknown> {
  try {
    await action;
    return "none";
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    const { kind, message, hint = null } = error;
    return { kind, message, hint, name: ovsdbErrorName(error) ?? null };
  }
}

/** Maps as objects. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function pem(path: string): string {
  const text = readText(path);
  if (text === undefined) throw new Error(`There is no ${path}`);
  return text;
}

const [name = "", address, ca, own] = process.argv.slice(2);
const scenario = scenarios[name];
if (scenario === undefined) throw new Error(`There is no scenario ${name}`);
const identity = own === undefined ? {} : { own: { certificate: pem(`${own}.crt`), key: pem(`${own}.key`) } };
const options: OvsdbOptions = { ...(address === undefined ? {} : { address }), ...(ca === undefined ? {} : { tls: { ca: pem(ca), ...identity } }) };
const ovsdb = openOvsdb(options);
try {
  print(await scenario(ovsdb, await readVswitch(ovsdb)));
} catch (error) {
  if (!(error instanceof OpError)) throw error;
  print(await failure(Promise.reject(error)));
}
ovsdb.close();
