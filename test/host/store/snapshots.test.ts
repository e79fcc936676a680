import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { contentRoot } from "../../../src/store/content-root.ts";
import { builtBinary } from "../harness/folders.ts";
import { diskForTests } from "../harness/disk.ts";

setDefaultTimeout(120_000);

const disk = diskForTests();

const ALWAYS = { OPDBUS_SNAPSHOT_INTERVAL: "per-op" };

interface Entry {
  readonly kind: string;
  readonly operation?: string;
  readonly resource?: string;
  readonly detail?: { readonly state: string; readonly tree_head: { readonly size: number } };
}

/** Runs the built binary in the disk's namespace; what is asked of it here needs no D-Bus. */
async function opDbus(root: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return (await disk.run("env", ...settings, builtBinary(), ...args, "--root", `/mnt/${root}`)).stdout;
}

async function snapshotsOf(root: string): Promise<string[]> {
  const { snapshots } = JSON.parse(await opDbus(root, ["audit", "snapshots", "--json"])) as { snapshots: { name: string }[] };
  return snapshots.map(({ name }) => name);
}

async function entriesOf(root: string): Promise<Entry[]> {
  const lines = (await opDbus(root, ["audit", "export"])).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Entry).filter(({ kind }) => kind === "snapshot");
}

const mark = (root: string, name: string, env: Readonly<Record<string, string>> = ALWAYS) => opDbus(root, ["checkpoint", "create", name], env);

test("each change is followed by a read-only snapshot, logged with the hash of what is in it, whose log verifies by itself", async () => {
  for (const name of ["one", "two", "three"]) await mark("btrfs/each", name);
  const names = await snapshotsOf("btrfs/each");
  expect(names).toHaveLength(3);
  const { stdout } = await disk.run("btrfs", "subvolume", "list", "-r", "-o", "/mnt/btrfs");
  const readOnly = stdout.trim().split("\n").map((line) => line.replace(/^.* path /, "")).filter((path) => path.startsWith("each/"));
  expect(readOnly.sort()).toEqual(names.flatMap((name) => ["state", "timing"].map((what) => `each/@snapshots/${name}/${what}`)).sort());
  const logged = await entriesOf("btrfs/each");
  expect(logged.map(({ operation, resource }) => [operation, resource])).toEqual(names.map((name) => ["create", name]));
  const key = (await opDbus("btrfs/each", ["audit", "key"])).trim();
  for (const [index, name] of names.entries()) {
    const folder = `btrfs/each/@snapshots/${name}`;
    expect(logged[index]?.detail?.state).toBe(contentRoot(disk.at(`${folder}/state`)));
    expect(readdirSync(disk.at(`${folder}/state/checkpoints`)).length).toBe(index + 1);
    const verified = await opDbus("btrfs/each", ["audit", "verify", "--blockchain-path", `/mnt/${folder}/timing`, "--key", key]);
    expect(verified).toContain(`verifies: ${logged[index]?.detail?.tree_head.size} entries`);
  }
  expect(new Set(logged.map(({ detail }) => detail?.state)).size).toBe(3);
});

test("an interval puts them apart, and without a change there is none", async () => {
  await mark("btrfs/apart", "one", { OPDBUS_SNAPSHOT_INTERVAL: "hourly" });
  await mark("btrfs/apart", "two", { OPDBUS_SNAPSHOT_INTERVAL: "hourly" });
  expect(await snapshotsOf("btrfs/apart")).toHaveLength(1);
  // The name is taken: nothing is done, and nothing logged.
  const refused = () => disk.try("env", "OPDBUS_SNAPSHOT_INTERVAL=per-op", builtBinary(), "checkpoint", "create", "two", "--root", "/mnt/btrfs/apart");
  expect((await refused()).exit).toBe(6);
  expect(await snapshotsOf("btrfs/apart")).toHaveLength(2);
  expect((await refused()).exit).toBe(6);
  expect(await snapshotsOf("btrfs/apart")).toHaveLength(2);
});

test("what retention does not keep goes, is logged as gone, and its subvolumes with it; what others put there stays", async () => {
  const few = { ...ALWAYS, OPDBUS_RETAIN_HOURLY: "0", OPDBUS_RETAIN_DAILY: "0", OPDBUS_RETAIN_WEEKLY: "0", OPDBUS_RETAIN_QUARTERLY: "0" };
  await mark("btrfs/few", "one", few);
  mkdirSync(disk.at("btrfs/few/@snapshots/theirs"));
  const [first] = await snapshotsOf("btrfs/few");
  for (const name of ["two", "three"]) await mark("btrfs/few", name, few);
  const left = await snapshotsOf("btrfs/few");
  expect(left).toHaveLength(1);
  expect(left).not.toContain(first);
  expect(readdirSync(disk.at("btrfs/few/@snapshots")).sort()).toEqual([...left, "theirs"].sort());
  const { stdout } = await disk.run("btrfs", "subvolume", "list", "-r", "-o", "/mnt/btrfs");
  expect(stdout.match(/few\/@snapshots/g)).toHaveLength(2);
  expect((await entriesOf("btrfs/few")).filter(({ operation }) => operation === "prune").map(({ resource }) => resource)).toContain(first);
  expect(await opDbus("btrfs/few", ["audit", "verify"])).toContain("verifies");
});

test("what a crash left of a snapshot is taken away by the next", async () => {
  await mark("btrfs/crash", "one");
  mkdirSync(disk.at("btrfs/crash/@snapshots/.op-dbus-20200101T000000.000Z"));
  await disk.run("btrfs", "subvolume", "snapshot", "-r", "/mnt/btrfs/crash/@state", "/mnt/btrfs/crash/@snapshots/.op-dbus-20200101T000000.000Z/state");
  expect(await snapshotsOf("btrfs/crash")).toHaveLength(1);
  await mark("btrfs/crash", "two");
  expect(readdirSync(disk.at("btrfs/crash/@snapshots")).sort()).toEqual((await snapshotsOf("btrfs/crash")).sort());
});

test("without BTRFS there are none, and the command says why; a setting that says nothing is refused", async () => {
  await mark("ext4/none", "one");
  const text = await opDbus("ext4/none", ["audit", "snapshots"]);
  expect(text.replaceAll("\n", " ")).toContain("only where the state directory is in subvolumes of BTRFS");
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  for (const [name, value] of [["OPDBUS_SNAPSHOT_INTERVAL", "sometimes"], ["OPDBUS_RETAIN_DAILY", "-1"]] as const) {
    const { exit, stderr } = await disk.try("env", `${name}=${value}`, builtBinary(), "checkpoint", "create", "two", "--root", "/mnt/ext4/none");
    expect({ exit, named: stderr.includes(name), allowed: stderr.includes("allowed is") }).toEqual({ exit: 2, named: true, allowed: true });
  }
});
