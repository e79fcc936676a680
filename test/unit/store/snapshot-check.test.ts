import { describe, expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openArchive } from "../../../src/store/audit/archive.ts";
import { isRoot, scratch } from "../sys/scratch.ts";
import { FIRST, SECOND, snapshotted, THIRD, threeSnapshots } from "./sample-snapshots.ts";
import { openAt } from "./samples.ts";

const verified = (place: { root: string } | { path: string }) => openArchive(place).verify(() => () => undefined).snapshots;

/** A state directory with three snapshots, and what a replica of its log has. */
async function sampled(folder: { file(...names: string[]): string }): Promise<{ root: string; path: string }> {
  const [root, path] = [folder.file("root"), folder.file("replica")];
  await threeSnapshots(root);
  const { timing, snapshots } = openAt(root).paths;
  cpSync(timing, path, { recursive: true });
  for (const name of readdirSync(snapshots)) cpSync(join(snapshots, name, "state"), join(path, "snapshots", name, "state"), { recursive: true });
  return { root, path };
}

test("a host's own snapshots and a replica's are what the log says; what has another name is not looked at", async () => {
  await using folder = scratch();
  const { root, path } = await sampled(folder);
  for (const name of [".op-dbus-20260101T000000.000Z", "theirs", "20261399T000000.000Z"]) mkdirSync(join(path, "snapshots", name, "state"), { recursive: true });
  for (const place of [{ root }, { path }]) expect(verified(place)).toEqual({ checked: 3, unreadable: [], unlogged: [] });
  expect(openArchive({ path }).snapshots().map(({ name }) => name)).toEqual([FIRST, SECOND, THIRD]);
});

const spoilt: Record<string, (state: string) => void> = {
  "a byte": (state) => writeFileSync(join(state, "current.json"), "{ "),
  "a mode": (state) => chmodSync(join(state, "lock"), 0o644),
  "a file less": (state) => rmSync(join(state, "lock")),
  "a file more": (state) => writeFileSync(join(state, "more"), ""),
  "a link": (state) => symlinkSync("current.json", join(state, "more")),
  "a link to everything": (state) => symlinkSync("/", join(state, "more")),
  "nothing left": (state) => rmSync(state, { recursive: true }),
};

describe("what is not what the log says: integrity, with the snapshot and the entry", () => {
  test.each(Object.keys(spoilt))("%s", async (what) => {
    await using folder = scratch();
    const { root, path } = await sampled(folder);
    for (const [place, home] of [[{ root }, join(root, "@snapshots")], [{ path }, join(path, "snapshots")]] as const) {
      spoilt[what]?.(join(home, SECOND, "state"));
      expect(() => verified(place)).toThrow(expect.objectContaining({ kind: "integrity", message: `Snapshot ${SECOND} in ${home} does not verify: entry 2 has another content root` }));
    }
  });
});

test("one that the log does not tell of: named on its own host, where it may just be taken; integrity in a replica", async () => {
  await using folder = scratch();
  const { root, path } = await sampled(folder);
  const name = "20261120T200000.000Z";
  for (const home of [join(root, "@snapshots"), join(path, "snapshots")]) mkdirSync(join(home, name, "state"), { recursive: true });
  expect(verified({ root })).toEqual({ checked: 3, unreadable: [], unlogged: [name] });
  expect(() => verified({ path })).toThrow(expect.objectContaining({ kind: "integrity", message: `Snapshot ${name} in ${join(path, "snapshots")} does not verify: no entry of its log tells of it` }));
});

test("a name that was given twice, after the clock was set back: either is what the log says", async () => {
  await using folder = scratch();
  const root = folder.file("root");
  await snapshotted(root, FIRST, { lock: "1" });
  const first = join(openAt(root).paths.snapshots, FIRST);
  cpSync(first, folder.file("kept"), { recursive: true });
  rmSync(first, { recursive: true });
  await snapshotted(root, FIRST, { lock: "2" });
  expect(verified({ root }).checked).toBe(1);
  rmSync(first, { recursive: true });
  cpSync(folder.file("kept"), first, { recursive: true });
  expect(verified({ root }).checked).toBe(1);
});

test.skipIf(isRoot)("one that this user may not read is named (root reads everything)", async () => {
  await using folder = scratch();
  const { path } = await sampled(folder);
  chmodSync(join(path, "snapshots", SECOND, "state/lock"), 0);
  expect(verified({ path })).toMatchObject({ checked: 2, unreadable: [SECOND] });
});
