import { beforeAll, expect, test } from "bun:test";
import { ptr } from "bun:ffi";
import { readFileSync, writeFileSync } from "node:fs";
import { buildLibrary } from "../../../scripts/lib/native.ts";
import { bindMemory, readMemoryPolicy, setMemoryPolicy, type MemoryPolicy } from "../../../src/sys/native/memory-policy.ts";
import { scratch } from "../../unit/sys/scratch.ts";
import { refusalOf } from "./errors.ts";

beforeAll(async () => {
  await buildLibrary();
}, 120_000);

const PAGE_BYTES = 4096;
/** A node that no machine of ours has. */
const ABSENT = 1000;

/** The policy of a mapping, as numa_maps(5) has it. */
function policyAt(address: number): string | undefined {
  const line = readFileSync("/proc/self/numa_maps", "utf8").split("\n").find((text) => text.startsWith(`${address.toString(16)} `));
  return line?.replace(/^\w+ (.*?)( file=.*| anon=.*| mapped=.*)?$/, "$1");
}

test("setMemoryPolicy sets every mode, as numa_maps shows it for a mapping without one of its own", async () => {
  await using folder = scratch();
  writeFileSync(folder.file("data"), Buffer.alloc(PAGE_BYTES));
  const memory = Bun.mmap(folder.file("data"));
  const before = readMemoryPolicy();
  const policies: [MemoryPolicy, string][] = [
    [{ mode: "preferred", nodes: [0] }, "prefer:0"],
    [{ mode: "bind", nodes: [0] }, "bind:0"],
    [{ mode: "interleave", nodes: [0] }, "interleave:0"],
    [{ mode: "local", nodes: [] }, "local"],
    [{ mode: "default", nodes: [] }, "default"],
  ];
  try {
    for (const [policy, shown] of policies) {
      setMemoryPolicy(policy);
      expect(readMemoryPolicy()).toEqual(policy);
      expect(policyAt(ptr(memory))).toBe(shown);
    }
  } finally {
    setMemoryPolicy(before);
  }
  expect(readMemoryPolicy()).toEqual(before);
});

test("bindMemory is for one mapping: its neighbours and the thread keep their policies", async () => {
  await using folder = scratch();
  writeFileSync(folder.file("data"), Buffer.alloc(4 * PAGE_BYTES, "x"));
  const memory = Bun.mmap(folder.file("data"));
  const address = ptr(memory);
  const other = Bun.mmap(folder.file("data"));
  expect(policyAt(address)).toBe("default");
  bindMemory(memory.subarray(0, PAGE_BYTES + 1), { mode: "bind", nodes: [0] });
  expect([policyAt(address), policyAt(address + 2 * PAGE_BYTES)]).toEqual(["bind:0", "default"]);
  bindMemory(memory, { mode: "interleave", nodes: [0], move: true });
  expect(policyAt(address)).toBe("interleave:0");
  expect(policyAt(ptr(other))).toBe("default");
  expect(readMemoryPolicy()).toEqual({ mode: "default", nodes: [] });
  expect(memory.every((byte) => byte === 0x78)).toBe(true);
});

test("what cannot be set throws with errno and operation, and nothing changes", async () => {
  await using folder = scratch();
  writeFileSync(folder.file("data"), Buffer.alloc(2 * PAGE_BYTES));
  const memory = Bun.mmap(folder.file("data"));
  const before = readMemoryPolicy();
  expect(await refusalOf(() => setMemoryPolicy({ mode: "bind", nodes: [ABSENT] }))).toBe(`EINVAL failed: set this thread's memory policy to bind:${ABSENT}`);
  expect(await refusalOf(() => setMemoryPolicy({ mode: "bind", nodes: [] }))).toBe("EINVAL failed: set this thread's memory policy to bind");
  expect(await refusalOf(() => setMemoryPolicy({ mode: "local", nodes: [0] }))).toBe("EINVAL failed: set this thread's memory policy to local:0");
  expect(await refusalOf(() => bindMemory(memory, { mode: "bind", nodes: [ABSENT] }))).toBe(`EINVAL failed: bind ${memory.length} bytes of memory with bind:${ABSENT}`);
  expect(await refusalOf(() => bindMemory(memory.subarray(1), { mode: "bind", nodes: [0] }))).toStartWith("EINVAL failed");
  expect(readMemoryPolicy()).toEqual(before);
  expect(policyAt(ptr(memory))).toBe("default");
});
