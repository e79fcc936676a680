import { expect, test } from "bun:test";
import type { Plugin } from "../../../src/core/plugin.ts";
import { lasting } from "../../../src/engine/lasting.ts";
import type { Transaction } from "../../../src/engine/steps.ts";

/** `memory` forgets the key "value" at a boot, and everything of a resource that is "fleeting". */
const PLUGINS = [
  { name: "memory", endsWithBoot: (_, [key], keys) => key === "value" || keys.kind === "fleeting" },
  { name: "disk" },
] satisfies Partial<Plugin>[];

function made(boot: string | undefined): Transaction {
  const before = { memory: { a: { value: "old", up: true }, b: { kind: "fleeting" } }, disk: { c: { value: "old" } } };
  return { host: { plugins: PLUGINS, clock: { bootTime: () => ({ boot: "this one", ms: 0 }) } }, header: { before, desired: {}, ...(boot === undefined ? {} : { boot }) } } as unknown as Transaction;
}

const STATE = { memory: { a: { value: "old", up: true }, b: { up: false, list: { x: "present" } } }, disk: { c: { value: "old" } } };

test("lasting leaves all of it in the boot that the change was made in, and where that is not known", () => {
  for (const boot of ["this one", undefined]) expect(lasting(STATE, made(boot))).toEqual(STATE);
});

test("lasting leaves out what another boot has taken back since, and resources of which nothing is left", () => {
  expect(lasting(STATE, made("an earlier one"))).toEqual({ memory: { a: { up: true } }, disk: { c: { value: "old" } } });
  expect(lasting({ memory: { a: { value: "old" } } }, made("an earlier one"))).toEqual({});
});
