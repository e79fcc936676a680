import { expect } from "bun:test";
import { join } from "node:path";
import type { Vswitch } from "../../../src/protocols/ovsdb/vswitch.ts";
import { compiled } from "../harness/compiled.ts";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";

const PROGRAM = "/usr/local/bin/ovsdb-program";
const HINT = "Start Open vSwitch with 'systemctl start openvswitch-switch'";

let program: Promise<string> | undefined;

/** A test on a host of its own, with a device uplink0, Open vSwitch running, and nothing in its database. */
function vswitchTest(name: string, run: (host: Host) => Promise<void>): void {
  hostTest(name, async (host) => {
    program ??= compiled(join(import.meta.dir, "ovsdb-program.ts"));
    await host.put(await program, PROGRAM, 0o755);
    await host.must(["ip", "link", "add", "uplink0", "type", "veth", "peer", "name", "uplink1"]);
    await host.must(["systemctl", "start", "openvswitch-switch"]);
    await run(host);
  }, { pristine: { variant: "network", binary: false }, timeoutMs: 300_000 });
}

/** What a scenario of ovsdb-program.ts finds. */
async function found<T>(host: Host, scenario: string, ...args: readonly string[]): Promise<T> {
  const { stdout } = await host.must([PROGRAM, scenario, ...args]);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as T;
}

/** What "read" finds: readVswitch's answer, or why there is none. */
interface Reading {
  readonly vswitch?: Vswitch;
  readonly counts?: unknown;
  readonly kind?: string;
  readonly message?: string;
}

async function vsctl(host: Host, ...args: readonly string[]): Promise<string> {
  return (await host.must(["ovs-vsctl", "--timeout=20", ...args])).stdout.trim();
}

/** The rows of a table, sorted by their first column. */
async function rows(host: Host, table: string, ...columns: readonly string[]): Promise<unknown[][]> {
  const { data } = JSON.parse(await vsctl(host, "--format=json", `--columns=${columns.join(",")}`, "list", table)) as { data: unknown[][] };
  return data.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

async function interfaceColumn(host: Host, name: string, column: string): Promise<unknown> {
  return JSON.parse(await vsctl(host, "get", "Interface", name, column));
}

/** What somebody asked for: no status and no identities. */
async function configuration(host: Host): Promise<unknown> {
  const common = ["name", "other_config", "external_ids"];
  const bridges = (await vsctl(host, "list-br")).split("\n");
  return {
    bridges: await rows(host, "Bridge", ...common, "datapath_type", "fail_mode", "protocols", "stp_enable"),
    ports: await rows(host, "Port", ...common, "tag", "trunks", "vlan_mode", "bond_mode"),
    interfaces: await rows(host, "Interface", "name", "external_ids", "type", "options", "mac", "mtu_request", "ofport_request"),
    controllers: await rows(host, "Controller", "target"),
    on: await Promise.all(bridges.map(async (bridge) => [bridge, await vsctl(host, "list-ports", bridge), await vsctl(host, "get-controller", bridge)])),
  };
}

const BY_OVS_VSCTL = [
  ...["add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=netdev", "other_config:hwaddr=02:00:00:00:00:01", 'external_ids:who="ä☃ \\"\\\\"', "--"],
  ...["set-fail-mode", "br0", "secure", "--", "set-controller", "br0", "tcp:127.0.0.1:6653", "ssl:127.0.0.1:6654", "--"],
  ...["add-port", "br0", "access", "tag=5", "vlan_mode=access", "--", "set", "Interface", "access", "type=internal", "mtu_request=1400", "--"],
  ...["add-port", "br0", "trunk", "trunks=10,20,30", "--", "set", "Interface", "trunk", "type=internal", "--"],
  ...["add-port", "br0", "to-br1", "--", "set", "Interface", "to-br1", "type=patch", "options:peer=to-br0", "--"],
  ...["add-br", "br1", "--", "set", "Bridge", "br1", "datapath_type=netdev", "--"],
  ...["add-port", "br1", "uplink0", "--"],
  ...["add-port", "br1", "to-br0", "--", "set", "Interface", "to-br0", "type=patch", "options:peer=to-br1"],
];

vswitchTest("two bridges with their ports in one transaction are what ovs-vsctl makes of the same", async (host) => {
  await vsctl(host, ...BY_OVS_VSCTL);
  const theirs = await configuration(host);
  await vsctl(host, "del-br", "br0", "--", "del-br", "br1");
  expect(await found(host, "build")).toEqual({ results: 32, interfaceErrors: [], counts: { reads: 4, writes: 1 } });
  expect(await configuration(host)).toEqual(theirs);
  const made = JSON.parse((await host.must(["ip", "-json", "link"])).stdout) as { ifname: string; mtu: number; address: string }[];
  const link = (name: string) => made.find(({ ifname }) => ifname === name);
  expect([link("access")?.mtu, link("br0")?.address, link("trunk") !== undefined, link("br1") !== undefined]).toEqual([1400, "02:00:00:00:00:01", true, true]);
  for (const name of ["to-br1", "uplink0"]) expect(await interfaceColumn(host, name, "ofport")).toBeGreaterThan(0);
});

vswitchTest("readVswitch reads what ovs-vsctl wrote, by one request that is a read", async (host) => {
  await vsctl(host, ...BY_OVS_VSCTL);
  const { vswitch, counts } = await found<Reading>(host, "read");
  expect(counts).toEqual({ reads: 1, writes: 0 });
  expect(vswitch).toMatchObject({ ovs_version: "3.1.0", external_ids: { "system-id": expect.any(String) } });
  const [br0, br1] = vswitch?.bridges ?? [];
  expect(br0).toMatchObject({
    ...{ name: "br0", datapath_type: "netdev", fail_mode: "secure", stp_enable: false, protocols: [], datapath_id: "0000020000000001" },
    ...{ other_config: { hwaddr: "02:00:00:00:00:01" }, external_ids: { who: 'ä☃ "\\' } },
    controllers: [{ target: "ssl:127.0.0.1:6654", is_connected: false }, { target: "tcp:127.0.0.1:6653", is_connected: false }],
  });
  expect(br0?.ports.map(({ name, tag, trunks, vlan_mode }) => [name, tag, trunks, vlan_mode])).toEqual([
    ["access", 5, [], "access"],
    ["br0", undefined, [], undefined],
    ["to-br1", undefined, [], undefined],
    ["trunk", undefined, [10, 20, 30], undefined],
  ]);
  const [access, , patch] = br0?.ports.flatMap(({ interfaces }) => interfaces) ?? [];
  const status = { mac_in_use: await interfaceColumn(host, "access", "mac_in_use"), ofport: await interfaceColumn(host, "access", "ofport") };
  expect(access).toMatchObject({ name: "access", type: "internal", mtu_request: 1400, mtu: 1400, ...status });
  expect(patch).toMatchObject({ name: "to-br1", type: "patch", options: { peer: "to-br0" } });
  expect([br1?.name, br1?.uuid]).toEqual(["br1", await vsctl(host, "get", "Bridge", "br1", "_uuid")]);
});

vswitchTest("keys, columns, controllers, ports and bridges are changed and removed in one transaction, and the rest stays", async (host) => {
  await vsctl(host, ...BY_OVS_VSCTL);
  await vsctl(host, "set", "Bridge", "br0", "external_ids:other=kept", "--", "add-br", "foreign", "--", "set", "Bridge", "foreign", "datapath_type=netdev");
  expect(await found(host, "change")).toBe("done");
  const columns = ["name", "other_config", "external_ids", "fail_mode", "datapath_type"];
  expect(await rows(host, "Bridge", ...columns)).toEqual([
    ["br0", ["map", [["forward-bpdu", "true"], ["hwaddr", "02:00:00:00:00:02"]]], ["map", [["other", "kept"]]], ["set", []], "netdev"],
    ["foreign", ["map", []], ["map", []], ["set", []], "netdev"],
  ]);
  expect(await rows(host, "Port", "name", "tag", "trunks", "vlan_mode")).toEqual([
    ["access", ["set", []], 7, ["set", []]],
    ["br0", ["set", []], ["set", []], ["set", []]],
    ["foreign", ["set", []], ["set", []], ["set", []]],
  ]);
  expect((await rows(host, "Interface", "name", "mtu_request")).map(([name]) => name)).toEqual(["access", "br0", "foreign"]);
  expect(await rows(host, "Controller", "target")).toEqual([]);
  expect((await host.must(["ip", "-brief", "link"])).stdout).not.toContain("trunk");
});

vswitchTest("a port and a bridge are replaced under their names in one transaction", async (host) => {
  await vsctl(host, ...BY_OVS_VSCTL);
  const [port, bridge] = [await vsctl(host, "get", "Port", "access", "_uuid"), await vsctl(host, "get", "Bridge", "br1", "_uuid")];
  expect(await found(host, "replace")).toEqual([]);
  expect([await vsctl(host, "list-ports", "br0"), await vsctl(host, "list-ports", "br1")]).toEqual(["trunk", "access"]);
  expect(await vsctl(host, "get", "Port", "access", "tag")).toBe("6");
  expect(await vsctl(host, "get", "Port", "access", "_uuid")).not.toBe(port);
  expect(await vsctl(host, "get", "Bridge", "br1", "_uuid")).not.toBe(bridge);
  expect(await interfaceColumn(host, "access", "ofport")).toBeGreaterThan(0);
});

vswitchTest("commit tells of the interfaces that ovs-vswitchd could not make, and of those only", async (host) => {
  const expected = [["nosuchdevice", "could not open network device nosuchdevice (No such device)"]];
  expect(await found(host, "noDevice")).toEqual(expected);
  expect(await interfaceColumn(host, "nosuchdevice", "error")).toBe(expected[0]?.[1]);
  expect(await found(host, "nothing")).toEqual({ results: [], interfaceErrors: expected });
});

vswitchTest("a transaction that fails names its operation, or its commit, and changes nothing", async (host) => {
  await vsctl(host, "add-br", "foreign", "--", "set", "Bridge", "foreign", "datapath_type=netdev", "--", "set-controller", "foreign", "tcp:127.0.0.1:6653");
  const numbers = ["ovsdb-client", "dump", "--format=json", "Open_vSwitch", "Open_vSwitch", "bridges", "next_cfg"];
  const dump = async () => (await host.must(numbers)).stdout + JSON.stringify(await configuration(host));
  const before = await dump();
  const timedOut = 'timed out: "where" clause test failed';
  const failures = await found<{ kind: string; message: string; hint: string | null }[]>(host, "failures");
  expect(await dump()).toBe(before);
  const cases: [string, string, string | RegExp][] = [
    ["the third fails", "failed", "Operation 3 of 7, update of Bridge: constraint violation: bad is not one of the allowed values ([secure, standalone])"],
    ["referential integrity", "failed", /^Commit of the 4 operations: referential integrity violation: cannot delete Bridge row [-0-9a-f]{36} because of 1 remaining reference\(s\)$/],
    ["a second bridge of the name", "failed", /^Commit of the 7 operations: constraint violation: .*identical values \(foreign\) for index on column "name"/],
    ["a port of no bridge", "failed", `Operation 7 of 11, wait of Bridge (nobridge): ${timedOut}`],
    ["a column of no port", "failed", `Operation 1 of 5, wait of Port (noport): ${timedOut}`],
    ["a key of no bridge", "failed", `Operation 1 of 5, wait of Bridge (nobridge): ${timedOut}`],
    ["a port that has become another", "failed", `Operation 1 of 6, wait of Port (foreign): ${timedOut}`],
    ["a port of another bridge", "failed", `Operation 6 of 10, wait of Bridge (br0): ${timedOut}`],
    ["a bridge that has become another", "failed", `Operation 1 of 5, wait of Bridge (foreign): ${timedOut}`],
    ["no column", "failed", "Operation 1 of 4, insert into Bridge: unknown column: No column nocolumn in table Bridge"],
    ["no table", "failed", /^Operation 1 of 4, select of NoTable: syntax error: .*No table named NoTable$/],
    ["a tag beyond tags", "failed", "Operation 1 of 4, insert into Port (p): constraint violation: 9000 is not in the valid range 0 to 4095 (inclusive)"],
    ["a lock that is not ours", "refused", "Operation 1 of 4, assert: not owner: Asserted lock anothers not held"],
  ];
  expect(failures).toHaveLength(cases.length);
  for (const [index, [name, kind, message]] of cases.entries()) {
    expect([name, failures[index]?.kind]).toEqual([name, kind]);
    if (typeof message === "string") expect(failures[index]?.message).toBe(message);
    else expect(failures[index]?.message).toMatch(message);
    const hint = failures[index]?.message.endsWith(timedOut) ? "What the transaction waited for is not there, or is another since it was read" : null;
    expect(failures[index]?.hint).toBe(hint);
  }
});

vswitchTest("reads through readOnly, which refuses the rest before it is sent", async (host) => {
  await vsctl(host, "add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=netdev");
  const { shapes, ...rest } = await found<{ shapes: Record<string, string> }>(host, "looking");
  expect(rest).toEqual({
    databases: ["Open_vSwitch", "_Server"],
    schema: ["Open_vSwitch", 1, [["name"]]],
    bridges: 1,
    write: { kind: "internal", message: "mutate of Open_vSwitch would write", hint: null, name: null },
    counts: { reads: 4, writes: 0 },
  });
  expect(shapes).toMatchObject({ name: "scalar", fail_mode: "optional", ports: "set", protocols: "set", other_config: "map", flow_tables: "map", stp_enable: "scalar" });
});

vswitchTest("when ovs-vswitchd does not do it, commit ends in its time, and says that the database has the change", async (host) => {
  const signal = (name: string) => host.must(["systemctl", "kill", `--signal=${name}`, "ovs-vswitchd"]);
  await signal("STOP");
  expect(await found(host, "stopped")).toEqual({
    kind: "unavailable",
    message: "ovs-vswitchd did not do the change within 0.5 s; the database has it",
    hint: "Start it with 'systemctl start openvswitch-switch', and see 'journalctl -u ovs-vswitchd'",
    name: null,
  });
  expect(await vsctl(host, "--no-wait", "list-br")).toBe("br0");
  expect((await host.must(["ip", "-brief", "link"])).stdout).not.toContain("br0");
  await signal("CONT");
  expect(await found(host, "nothing")).toEqual({ results: [], interfaceErrors: [] });
  expect((await host.must(["ip", "-brief", "link"])).stdout).toContain("br0");
});

vswitchTest("a server that is restarted ends what is in flight, and what follows, with what to start", async (host) => {
  const running = host.spawn([PROGRAM, "restarted"]);
  await host.waitUntil(() => running.stdout.includes("waiting"), { what: "the wait to begin" });
  await host.must(["systemctl", "restart", "ovsdb-server"]);
  const { stdout } = await running.ended();
  const why = "ovsdb-server at unix:/run/openvswitch/db.sock closed the connection";
  const expected = { kind: "unavailable", hint: HINT, name: null };
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual([
    { ...expected, message: `${why}: transact` },
    { ...expected, message: why },
    { ...expected, message: why },
  ]);
  expect((await found<Reading>(host, "read")).vswitch?.bridges).toEqual([]);
});

vswitchTest("without a server, or without the right to it, every request says what to do; OVS_RUNDIR says where it is", async (host) => {
  const daemon = await host.must([PROGRAM, "read"], { user: "daemon" });
  const message = "ovsdb-server at unix:/run/openvswitch/db.sock does not let this user in";
  expect(JSON.parse(daemon.stdout)).toEqual({ kind: "unavailable", message, hint: "The database's socket is root's", name: null });
  const moved = await host.must([PROGRAM, "read"], { env: { OVS_RUNDIR: "/nowhere" } });
  expect(JSON.parse(moved.stdout)).toEqual({ kind: "unavailable", message: "ovsdb-server at unix:/nowhere/db.sock is not there", hint: HINT, name: null });
  await host.must(["systemctl", "stop", "ovsdb-server"]);
  expect(await found(host, "read")).toEqual({ kind: "unavailable", message: "ovsdb-server at unix:/run/openvswitch/db.sock is not there", hint: HINT, name: null });
});

vswitchTest("a monitor sees what is there, and each change that ovs-vsctl makes", async (host) => {
  await vsctl(host, "add-br", "there", "--", "set", "Bridge", "there", "datapath_type=netdev");
  const running = host.spawn([PROGRAM, "monitor"]);
  const lines = () => running.stdout.trim().split("\n").map((line) => JSON.parse(line) as unknown);
  const seen = (what: string) => host.waitUntil(() => running.stdout.includes(what), { what: `the monitor to see ${what}` });
  await seen("there");
  await vsctl(host, "add-br", "new", "--", "set", "Bridge", "new", "datapath_type=netdev");
  await vsctl(host, "set", "Bridge", "new", "external_ids:who=somebody");
  await vsctl(host, "del-br", "new");
  await running.ended();
  expect(lines()).toEqual([
    [{ new: { name: "there", external_ids: { map: [] } } }],
    [{ new: { name: "new", external_ids: { map: [] } } }],
    [{ old: { external_ids: { map: [] } }, new: { name: "new", external_ids: { map: [["who", "somebody"]] } } }],
    [{ old: { name: "new", external_ids: { map: [["who", "somebody"]] } } }],
    { reads: 3, writes: 0 },
  ]);
});

vswitchTest("an idle connection is kept while the server answers echoes", async (host) => {
  expect(await found(host, "idle")).toEqual({ same: true, writes: 0 });
});

/** Two CAs, and of the first a key and a certificate each for the server and for us. */
const CERTIFICATES = `
set -e
mkdir -p /root/keys && cd /root/keys
for ca in ours another; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $ca.key -out $ca.pem -days 30 -subj "/CN=$ca CA"
done
for name in server client; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $name.key -out $name.csr -subj "/CN=$name id:1"
  openssl x509 -req -in $name.csr -CA ours.pem -CAkey ours.key -CAcreateserial -days 30 -out $name.crt
done
`;

vswitchTest("TLS: the CA that is given is trusted and no other, and who we are is shown; TCP without it", async (host) => {
  await host.must(["sh", "-c", CERTIFICATES]);
  const [ours, another, client] = ["/root/keys/ours.pem", "/root/keys/another.pem", "/root/keys/client"];
  const [ssl, tcp] = ["ssl:127.0.0.1:6640", "tcp:127.0.0.1:6641"];
  await vsctl(host, "set-ssl", "/root/keys/server.key", "/root/keys/server.crt", ours, "--", "set-manager", "pssl:6640:127.0.0.1", "ptcp:6641:127.0.0.1");
  await vsctl(host, "add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=netdev");
  const listens = async (address: string) => (await host.run(["ovsdb-client", "-p", `${client}.key`, "-c", `${client}.crt`, "-C", ours, "list-dbs", address])).exit === 0;
  for (const address of [ssl, tcp]) await host.waitUntil(() => listens(address), { what: `ovsdb-server to listen at ${address}` });
  const read = (...args: readonly string[]) => found<Reading>(host, "read", ...args);
  const bridges = async (...args: readonly string[]) => (await read(...args)).vswitch?.bridges.map(({ name }) => name);
  expect([await bridges(ssl, ours, client), await bridges(tcp)]).toEqual([["br0"], ["br0"]]);
  expect(await found(host, "idle", ssl, ours, client)).toEqual({ same: true, writes: 0 });
  // A CA that Bun itself has been told to trust is not ours either.
  const { stdout } = await host.must([PROGRAM, "read", ssl, another, client], { env: { NODE_EXTRA_CA_CERTS: ours } });
  const failures = [
    JSON.parse(stdout) as Reading,
    await read(ssl, another, client),
    await read(ssl, ours),
    await read(ssl),
    await read(tcp.replace("tcp", "ssl"), ours, client),
    await read(ssl.replace("ssl", "tcp")),
  ];
  expect(failures.map(({ kind, message }) => `${kind}: ${message}`)).toEqual([
    "unavailable: ovsdb-server at ssl:127.0.0.1:6640 is not who it should be: self signed certificate in certificate chain",
    "unavailable: ovsdb-server at ssl:127.0.0.1:6640 is not who it should be: self signed certificate in certificate chain",
    // The server's alert may be overtaken by its reset.
    expect.stringMatching(/^unavailable: ovsdb-server at ssl:127\.0\.0\.1:6640 (wants a certificate of ours that its CA has signed|closed the connection): transact$/),
    "invalid: ssl:127.0.0.1:6640 cannot be told from an impostor without a CA certificate",
    "unavailable: ovsdb-server at ssl:127.0.0.1:6641 closed the connection",
    "unavailable: ovsdb-server at tcp:127.0.0.1:6640 closed the connection: transact",
  ]);
});
