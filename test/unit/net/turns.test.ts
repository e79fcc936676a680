import { expect, test } from "bun:test";
import { inTurns, type Turn } from "../../../src/plugins/net/ovs/turns.ts";

const work = (first: Turn, last: Turn) => ({ operations: [], actions: [], rank: 0, turns: [first, last] as const });
const stages = (...turns: readonly (readonly [Turn, Turn])[]) => inTurns(turns.map(([first, last]) => work(first, last))).map(({ stage }) => stage);

test("inTurns makes one transaction of what nothing has to come between, whichever turn it is", () => {
  expect(new Set(stages([1, 3], [1, 2], [1, 1], [1, 3])).size).toBe(1);
  expect(new Set(stages([1, 3], [2, 2], [1, 2])).size).toBe(1);
  expect(new Set(stages([3, 3], [1, 3])).size).toBe(1);
  expect(stages()).toEqual([]);
});

test("inTurns makes no more transactions than the turns that are needed, each work in one of its own", () => {
  expect(stages([1, 1], [3, 3], [1, 3], [1, 2])).toEqual(["change Open vSwitch", "change Open vSwitch at last", "change Open vSwitch", "change Open vSwitch"]);
  expect(stages([1, 1], [2, 2], [3, 3])).toEqual(["change Open vSwitch", "change Open vSwitch again", "change Open vSwitch at last"]);
  expect(stages([1, 1], [2, 2], [1, 2], [1, 3])).toEqual(["change Open vSwitch", "change Open vSwitch again", "change Open vSwitch", "change Open vSwitch"]);
});
