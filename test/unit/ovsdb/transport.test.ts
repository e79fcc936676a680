import { expect, test } from "bun:test";
import type { OpError } from "../../../src/core/errors.ts";
import { encodeOperation, type Operation } from "../../../src/protocols/ovsdb/operation.ts";
import type { Ovsdb } from "../../../src/protocols/ovsdb/ovsdb.ts";
import { readOnly } from "../../../src/protocols/ovsdb/read-only.ts";
import { isRead } from "../../../src/protocols/ovsdb/reads.ts";
import { UpdateQueue } from "../../../src/protocols/ovsdb/update-queue.ts";

const SELECT: Operation = { op: "select", table: "T", where: [], columns: [] };
const WAIT: Operation = { op: "wait", table: "T", where: [], columns: [], until: "==", rows: [] };
const COMMENT: Operation = { op: "comment", comment: "why" };
const READS: readonly Operation[] = [SELECT, WAIT, COMMENT];
const WRITES: readonly Operation[] = [
  { op: "insert", table: "T", row: {} },
  { op: "update", table: "T", where: [], row: {} },
  { op: "mutate", table: "T", where: [], mutations: [] },
  { op: "delete", table: "T", where: [] },
  { op: "commit", durable: true },
  { op: "abort" },
  { op: "assert", lock: "l" },
];

test("isRead knows what changes nothing, and takes the rest for a write", () => {
  const transact = (...operations: Operation[]) => ({ method: "transact", params: ["Open_vSwitch", ...operations.map(encodeOperation)] });
  for (const method of ["list_dbs", "get_schema", "echo", "monitor", "monitor_cancel", "cancel"]) expect([method, isRead({ method, params: [] })]).toEqual([method, true]);
  for (const method of ["lock", "steal", "unlock", "convert", "set_db_change_aware", "Echo", "", "toString"]) expect([method, isRead({ method, params: [] })]).toEqual([method, false]);
  expect([transact(), transact(...READS), ...READS.map((read) => transact(read))].map(isRead)).toEqual([true, true, true, true, true]);
  for (const write of WRITES) {
    expect([write.op, isRead(transact(write)), isRead(transact(SELECT, write, WAIT))]).toEqual([write.op, false, false]);
  }
  for (const params of [["S", null], ["S", 5], ["S", {}], ["S", { op: ["select"] }]]) expect(isRead({ method: "transact", params })).toBe(false);
});

test("readOnly lets reads through and refuses a write before it reaches the wire", async () => {
  const sent: (readonly Operation[])[] = [];
  const ovsdb: Ovsdb = {
    counts: { reads: 3, writes: 0 },
    closed: Promise.resolve(undefined),
    databases: async () => ["S"],
    schema: async () => ({ name: "S", version: "1", tables: new Map() }),
    transact: async (operations) => (sent.push(operations), []),
    monitor: async () => ({ async *[Symbol.asyncIterator]() {}, async [Symbol.asyncDispose]() {} }),
    close() {},
  };
  const looking = readOnly(ovsdb);
  expect(await looking.transact(READS)).toEqual([]);
  for (const write of WRITES) {
    await expect(looking.transact([SELECT, write])).rejects.toMatchObject({ kind: "internal", message: expect.stringMatching(/^\w+.* would write$/) });
  }
  expect(sent).toEqual([READS]);
  expect([await looking.databases(), (await looking.schema()).name, looking.counts.reads]).toEqual([["S"], "S", 3]);
});

test("UpdateQueue holds so much and no more: who does not read is told, once", async () => {
  const errors: OpError[] = [];
  const queue = new UpdateQueue((error) => errors.push(error), 100);
  const update = { T: { row: { new: { a: 1 } } } };
  queue.begin({});
  await queue.next();
  for (let count = 0; count < 20; count += 1) {
    queue.push(update, 60);
    expect((await queue.next()).done).toBe(false);
  }
  expect(errors).toEqual([]);
  for (let count = 0; count < 5; count += 1) queue.push(update, 60);
  await expect(queue.next()).rejects.toMatchObject({ kind: "unavailable", retryable: true });
  expect(errors).toHaveLength(1);
});
