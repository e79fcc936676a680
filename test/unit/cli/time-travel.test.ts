import { expect, test } from "bun:test";
import type { StateDocument } from "../../../src/core/document.ts";
import { Books, run } from "./in-memory.ts";
import { pointBefore } from "./points.ts";

const FIRST = { version: 1, plugins: { lamps: { hall: { on: true } } } } as const satisfies StateDocument;
const SECOND = { version: 1, plugins: { lamps: { hall: { on: false } } } } as const satisfies StateDocument;

test("time-travel prints what was in force then, and says where the books do not tell", async () => {
  const books = new Books();
  const { audit } = books.hostWith([]);
  await audit.append([{ kind: "plan", transaction: "t1", outcome: "begun" }, { kind: "commit", transaction: "t1", outcome: "done" }, { kind: "commit", transaction: "t2", outcome: "done" }]);
  const hours = [10, 11, 15];
  books.entries.splice(0, Infinity, ...books.entries.map((entry, index) => ({ ...entry, time: `2026-11-20T${hours[index]}:00:00.000Z` })));
  books.points = [pointBefore({ name: "a", sequence: 1 }), pointBefore({ name: "b", sequence: 2 }, FIRST)];
  books.document = SECOND;
  const at = async (date: string, ...flags: string[]) => await run(["time-travel", "--date", date, ...flags], { books });
  for (const flags of [[], ["--json"]]) {
    expect((await at("2026-11-20T12:00Z", ...flags)).json()).toEqual(FIRST);
    expect((await at("1h", ...flags)).json()).toEqual(SECOND);
  }
  expect((await at("2026-11-20T10:30Z")).json()).toEqual({ version: 1, plugins: {} });
  const before = await at("2026-11-20");
  expect([before.exit, before.stdout, before.stderr.replaceAll(/\s+/g, " ")]).toEqual([6, "", expect.stringContaining("do not tell what was in force at 2026-11-20T00:00:00.000Z The audit log begins on 2026-11-20T10:00:00.000Z hint: op-dbus checkpoint list")]);
});

test("what was in force when an apply was undone is not in the list of checkpoints", async () => {
  const books = new Books();
  const point = pointBefore({ name: "a", sequence: 1 });
  books.points = [{ ...point, applied: { ...point.applied, undone: { when: "2026-11-20T18:00:00.000Z", why: "rolled back", transaction: "t2", currentBefore: FIRST } } }];
  for (const line of ["checkpoint list", "checkpoint show a", "status"]) expect((await run([...line.split(" "), "--json"], { books })).stdout).not.toContain("currentBefore");
});
