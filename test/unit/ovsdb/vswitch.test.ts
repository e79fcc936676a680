import { expect, test } from "bun:test";
import { openOvsdb } from "../../../src/protocols/ovsdb/client.ts";
import { commit } from "../../../src/protocols/ovsdb/commit.ts";
import type { Wire } from "../../../src/protocols/ovsdb/json.ts";
import type { Operation } from "../../../src/protocols/ovsdb/operation.ts";
import type { Ovsdb } from "../../../src/protocols/ovsdb/ovsdb.ts";
import type { Result } from "../../../src/protocols/ovsdb/transaction.ts";
import { EMPTY, ID, mapOf, type Row } from "../../../src/protocols/ovsdb/value.ts";
import { addBridge, addPort, movePort, removeBridge, removePort, setColumns, setControllers, setKeys } from "../../../src/protocols/ovsdb/vswitch-operations.ts";
import { readVswitch } from "../../../src/protocols/ovsdb/vswitch.ts";
import { fakePeer, type Behaviour } from "./fake-peer.ts";

const A = "00000000-0000-4000-8000-00000000000a";
const B = "00000000-0000-4000-8000-00000000000b";

test("names of new rows are ids, each another, whatever the names are made of", () => {
  const names = ["br0", "br-0", "br_0", "br.0", "BR0", "ä", "", "0", "x".repeat(300)];
  const operations = names.flatMap((name) => [...addBridge(name), ...addPort("br0", `${name}p`), ...setControllers(name, ["tcp:a", "tcp:b"])]);
  const given = operations.flatMap((operation) => (operation.op === "insert" ? [operation.uuidName ?? "none"] : []));
  expect(given.filter((name) => !ID.test(name))).toEqual([]);
  expect(new Set(given).size).toBe(names.length * 7);
});

test("a change of what is there begins with a wait of no time, and one of what was read with its identity", () => {
  const there = (table: string, name: string, more: Row = {}): Operation => {
    return { op: "wait", table, where: [["name", "==", name]], columns: ["name", ...Object.keys(more)], until: "==", rows: [{ name, ...more }], timeoutMs: 0 };
  };
  expect(setColumns("Port", "p", { tag: EMPTY })[0]).toEqual(there("Port", "p"));
  expect(setKeys("Bridge", "b", "other_config", {})[0]).toEqual(there("Bridge", "b"));
  expect(removeBridge({ uuid: A, name: "b" })[0]).toEqual(there("Bridge", "b", { _uuid: { uuid: A } }));
  const hasIt = { ...there("Bridge", "b"), where: [["name", "==", "b"], ["ports", "includes", { uuid: A }]] };
  expect(removePort("b", { uuid: A, name: "p" }).slice(0, 2)).toEqual([there("Port", "p", { _uuid: { uuid: A } }), hasIt as Operation]);
  expect(addPort("b", "p")).toContainEqual(there("Bridge", "b"));
});

test("movePort takes the row from one bridge to another, and nothing of it is said anew", () => {
  const operations = movePort("b", "c", { uuid: A, name: "p" });
  expect(operations.slice(0, 3)).toEqual(removePort("b", { uuid: A, name: "p" }));
  expect(operations.slice(3)).toEqual([
    { op: "wait", table: "Bridge", where: [["name", "==", "c"]], columns: ["name"], until: "==", rows: [{ name: "c" }], timeoutMs: 0 },
    { op: "mutate", table: "Bridge", where: [["name", "==", "c"]], mutations: [["ports", "insert", { uuid: A }]] },
  ]);
});

test("setKeys takes a key away before it has its new value", () => {
  expect(setKeys("Bridge", "b", "other_config", { a: "1", b: null }).at(-1)).toEqual({
    op: "mutate",
    table: "Bridge",
    where: [["name", "==", "b"]],
    mutations: [["other_config", "delete", { set: ["a", "b"] }], ["other_config", "insert", mapOf({ a: "1" })]],
  });
});

/** A database that selects these, table by table. */
function selecting(...tables: readonly (readonly Row[])[]): Ovsdb {
  const unused = () => Promise.reject(new Error("Not asked for"));
  const results: Result[] = tables.map((rows) => ({ rows }));
  return { transact: async () => results, databases: unused, schema: unused, monitor: unused, counts: { reads: 0, writes: 0 }, closed: Promise.resolve(undefined), close() {} };
}

test("readVswitch says what is wrong with a database that is not Open vSwitch's", async () => {
  const vswitch: Row = { external_ids: mapOf({}), other_config: mapOf({}), ovs_version: EMPTY, bridges: EMPTY };
  expect(await readVswitch(selecting([vswitch]))).toMatchObject({ ovs_version: undefined, bridges: [] });
  const cases: [Ovsdb, string, string][] = [
    [selecting([], [], [], [], []), "unavailable", "Open vSwitch's database is empty"],
    [selecting([{ ...vswitch, bridges: { uuid: B } }]), "failed", `Open vSwitch's table Bridge has no row ${B} although another refers to it`],
    [selecting([{ ...vswitch, bridges: A }]), "failed", "Column 'bridges' of Open vSwitch's table Open_vSwitch is not what it should be"],
    [selecting([{ ...vswitch, ovs_version: { set: ["1", "2"] } }]), "failed", "Column 'ovs_version' of Open vSwitch's table Open_vSwitch is not what it should be"],
    [selecting([{ ...vswitch, other_config: { map: [["a", 1]] } }]), "failed", "Column 'other_config' of Open vSwitch's table Open_vSwitch is not what it should be"],
    [selecting([vswitch], [{ name: "b" }]), "failed", "Column '_uuid' of Open vSwitch's table Bridge is not what it should be"],
  ];
  for (const [ovsdb, kind, message] of cases) await expect(readVswitch(ovsdb)).rejects.toMatchObject({ kind, message });
});

test("commit waits until cur_cfg has come as far as next_cfg, beyond what a number holds", async () => {
  const asked = 9_007_199_254_740_993n;
  const sent: Wire[] = [];
  const behaviour: Behaviour = (message, peer) => {
    if (message.kind !== "request") return;
    const reached = (cur_cfg: Wire): Wire => ({ Open_vSwitch: { [A]: { new: { cur_cfg } } } });
    const update = (cur_cfg: Wire) => peer.send({ kind: "notification", method: "update", params: [message.params[1] ?? null, reached(cur_cfg)] });
    if (message.method === "monitor_cancel") return peer.reply(message, {});
    if (message.method === "monitor") {
      peer.reply(message, reached(asked - 2n));
      update(asked - 1n);
      sent.push("before");
      return update(asked);
    }
    const selectsErrors = message.params.length === 2;
    if (selectsErrors) sent.push("errors");
    peer.reply(message, selectsErrors ? [{ rows: [{ name: "p", error: ["set", ["no such device"]] }] }] : [{}, {}, { count: 1 }, { rows: [{ next_cfg: asked }] }]);
  };
  await using peer = fakePeer(behaviour);
  const ovsdb = openOvsdb({ address: peer.address });
  using _ = { [Symbol.dispose]: () => ovsdb.close() };
  const { results, interfaceErrors } = await commit(ovsdb, [{ op: "comment", comment: "why" }]);
  expect([results, [...interfaceErrors]]).toEqual([[{}], [["p", "no such device"]]]);
  expect(sent).toEqual(["before", "errors"]);
});
