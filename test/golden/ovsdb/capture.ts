import { connect, createServer, type Socket } from "node:net";
import { writeFileSync } from "node:fs";
import { Framer } from "../../../src/protocols/ovsdb/framer.ts";
import { decodeMessage } from "../../../src/protocols/ovsdb/message.ts";

/*
 * Made the .bin files of this folder: compiled (test/host/harness/compiled.ts) and run as root in a throw-away host of the variant
 * "network" with openvswitch-switch started, it stands between Open vSwitch's own clients and ovsdb-server and writes each message into the
 * folder given, as it was on the wire; the telling ones are kept.
 */

const folder = process.argv[2] ?? ".";
const SERVER = "/run/openvswitch/db.sock";
const PROXY = `${folder}/proxy.sock`;
const NEVER = 9_223_372_036_854_775_807n;

const vsctl = (...args: string[]) => ["ovs-vsctl", `--db=unix:${PROXY}`, ...args];
/** "NEVER" stands for the largest integer, which JSON.stringify has no number for. */
const paramsOf = (operations: readonly object[]) => JSON.stringify(["Open_vSwitch", ...operations]).replaceAll('"NEVER"', String(NEVER));
const transact = (...operations: object[]) => ["ovsdb-client", "transact", `unix:${PROXY}`, paramsOf(operations)];
const INTERFACE_COLUMNS = ["name", "type", "options", "ofport", "mtu_request", "mac", "statistics", "lldp"];
const HWADDR = "other_config:hwaddr=02:00:00:00:00:0";
const ofBridge = { table: "Bridge", where: [["name", "==", "br0"]] };
const ofAll = { table: "Open_vSwitch", where: [] };

const CONVERSATIONS: readonly (readonly [name: string, argv: readonly string[]])[] = [
  ["list-dbs", ["ovsdb-client", "list-dbs", `unix:${PROXY}`]],
  ["schema", ["ovsdb-client", "get-schema", `unix:${PROXY}`]],
  ["add-br", vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev", `${HWADDR}1`, "external_ids:who=ä☃\u{1f600}\\\"")],
  ["add-port", vsctl("add-port", "br0", "p1", "tag=5", "trunks=1,2,3", "vlan_mode=native-tagged", "--", "set", "interface", "p1", "type=internal", "mtu_request=1400")],
  ["patch", vsctl("add-port", "br0", "patch0", "--", "set", "interface", "patch0", "type=patch", "options:peer=patch1")],
  ["controller", vsctl("set-controller", "br0", "tcp:127.0.0.1:6653", "ssl:[::1]:6653", "--", "set-fail-mode", "br0", "secure")],
  ["select", transact({ op: "select", table: "Interface", where: [["type", "!=", "patch"]], columns: INTERFACE_COLUMNS })],
  ["clear", vsctl("remove", "port", "p1", "trunks", "2", "--", "clear", "port", "p1", "tag", "--", "set", "bridge", "br0", `${HWADDR}2`)],
  ["del-port", vsctl("del-port", "br0", "patch0")],
  ["long-integer", transact({ op: "update", ...ofAll, row: { next_cfg: "NEVER" } }, { op: "select", ...ofAll, columns: ["next_cfg"] }, { op: "abort" })],
  ["wait-fails", transact({ op: "insert", table: "SSL", row: {} }, { op: "wait", ...ofBridge, columns: ["name"], until: "!=", rows: [{ name: "br0" }], timeout: 0 })],
  ["third-fails", transact({ op: "comment", comment: "one" }, { op: "select", ...ofAll, columns: ["cur_cfg"] }, { op: "update", ...ofBridge, row: { fail_mode: "bad" } }, { op: "comment", comment: "four" })],
  ["commit-fails", transact({ op: "delete", ...ofBridge })],
  ["no-database", ["ovsdb-client", "transact", `unix:${PROXY}`, '["Nowhere"]']],
  ["del-br", vsctl("del-br", "br0")],
];

const watched = ["Open_vSwitch", "Bridge", "name,ports,other_config,external_ids,fail_mode,controller"];

/** Whose connection the next one is. */
let conversation = "monitor";
let written = 0;

function relay(from: Socket, to: Socket, record: (text: string) => void): void {
  const framer = new Framer();
  from.on("data", (chunk: Buffer) => {
    to.write(chunk);
    framer.push(chunk);
    for (let text = framer.next(); text !== undefined; text = framer.next()) record(text);
  });
  for (const event of ["close", "error"]) from.on(event, () => to.destroy());
}

const server = createServer((client) => {
  const name = conversation;
  const upstream = connect(SERVER);
  let count = 0;
  const recorder = (side: string) => (text: string) => {
    const message = decodeMessage(text);
    writeFileSync(`${folder}/${name}-${(count += 1)}-${side}-${"method" in message ? message.method : message.kind}.bin`, text);
    written += 1;
  };
  relay(client, upstream, recorder("sent"));
  relay(upstream, client, recorder("got"));
}).listen(PROXY);

// It watches while the rest happens.
const watcher = Bun.spawn(["ovsdb-client", "monitor", `unix:${PROXY}`, ...watched], { stdout: "ignore", stderr: "ignore" });
// The schema and what is there already, each asked for and given.
while (written < 4) await Bun.sleep(10);
for (const [name, argv] of CONVERSATIONS) {
  conversation = name;
  await Bun.spawn([...argv], { stdout: "ignore", stderr: "ignore" }).exited;
}
watcher.kill();
server.close();
process.exit(0);
