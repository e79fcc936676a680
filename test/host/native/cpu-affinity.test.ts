import { beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { buildLibrary } from "../../../scripts/lib/native.ts";
import { readAffinity, setAffinity } from "../../../src/sys/native/cpu-affinity.ts";
import { refusalOf } from "./errors.ts";

beforeAll(async () => {
  await buildLibrary();
}, 120_000);

/** What the kernel says of a thread, "0-2,4" as [0, 1, 2, 4]. */
function allowed(thread: number | "self"): number[] {
  const list = /^Cpus_allowed_list:\t(.*)$/m.exec(readFileSync(`/proc/${thread}/status`, "utf8"))?.[1] ?? "";
  return list.split(",").flatMap((range) => {
    const [first = NaN, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

test("readAffinity is what /proc says", () => {
  expect(readAffinity()).toEqual(allowed("self"));
  expect(readAffinity(1)).toEqual(allowed(1));
});

test("setAffinity binds this thread, and programs that it starts inherit", () => {
  const before = readAffinity();
  const [last = NaN] = before.slice(-1);
  try {
    // A CPU that is not there does not count.
    setAffinity([last, 8191]);
    expect(allowed("self")).toEqual([last]);
    expect(readAffinity()).toEqual([last]);
    expect(Bun.spawnSync(["grep", "Cpus_allowed_list", "/proc/self/status"]).stdout.toString()).toBe(`Cpus_allowed_list:\t${last}\n`);
  } finally {
    setAffinity(before);
  }
  expect(allowed("self")).toEqual(before);
});

test("setAffinity binds another process and leaves this one alone", async () => {
  const before = readAffinity();
  const [first = NaN] = before;
  const child = Bun.spawn(["cat"], { stdin: "pipe", stdout: "ignore" });
  try {
    setAffinity([first], child.pid);
    expect(allowed(child.pid)).toEqual([first]);
    expect(readAffinity(child.pid)).toEqual([first]);
    expect(allowed("self")).toEqual(before);
  } finally {
    child.stdin.end();
    await child.exited;
  }
  expect(await refusalOf(() => readAffinity(child.pid))).toBe(`ESRCH failed: read on which CPUs thread ${child.pid} may run`);
  expect(await refusalOf(() => setAffinity([first], child.pid))).toBe(`ESRCH failed: have thread ${child.pid} run on the CPUs ${first}`);
});

test("setAffinity refuses no CPU, one that is not there, and what is no CPU number; nothing changes", async () => {
  const before = readAffinity();
  expect(await refusalOf(() => setAffinity([]))).toStartWith("EINVAL failed");
  expect(await refusalOf(() => setAffinity([8191]))).toBe("EINVAL failed: have this thread run on the CPUs 8191");
  for (const wrong of [-1, 0.5, 8192, NaN]) expect(() => setAffinity([wrong])).toThrow(`${wrong} is not a number from 0 to 8191`);
  expect(readAffinity()).toEqual(before);
});
