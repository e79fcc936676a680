import { expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { contentRoot } from "../../../src/store/content-root.ts";
import { filesBelow } from "../../../src/sys/files.ts";
import { filesIn, logged } from "../../unit/store/replica/sample-replica.ts";
import type { Result } from "../harness/command.ts";
import { diskForTests } from "../harness/disk.ts";
import { builtBinary } from "../harness/folders.ts";

setDefaultTimeout(300_000);

const disk = diskForTests();

const KILLS = 10;
const MOST_ROUNDS = 60;
const KILLED = 128 + 9;

/** Runs the built binary in the disk's namespace; what is asked of it here needs no D-Bus. */
async function opDbus(root: string, ...args: string[]): Promise<Result> {
  return await disk.try(builtBinary(), ...args, "--root", `/mnt/${root}`);
}

/** How many entries and snapshots a replica has, checked with the public key alone by a process that is told of nothing else. */
async function held(root: string, target: string): Promise<{ entries: number; snapshots: { checked: number } }> {
  const key = (await opDbus(root, "audit", "key")).stdout.trim();
  const { exit, stdout, stderr } = await opDbus("nowhere", "audit", "verify", "--blockchain-path", `/mnt/${target}`, "--key", key, "--json");
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  return JSON.parse(stdout) as { entries: number; snapshots: { checked: number } };
}

async function verified(root: string, target: string): Promise<number> {
  return (await held(root, target)).entries;
}

/** A change, and a snapshot of what it left. */
async function changed(root: string, name: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const settings = Object.entries({ OPDBUS_SNAPSHOT_INTERVAL: "per-op", ...env }).map(([key, value]) => `${key}=${value}`);
  await disk.run("env", ...settings, builtBinary(), "checkpoint", "create", name, "--root", `/mnt/${root}`);
}

const sizeOf = (folder: string) => filesBelow(folder).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

const blocks = (count: number) => Array.from({ length: count }, () => 7);

test("on BTRFS a new replica is a subvolume of its own, as btrfs-progs sees it; on ext4 a folder", async () => {
  for (const type of ["btrfs", "ext4"]) {
    await logged(disk.at(`${type}/log`), blocks(5));
    expect((await opDbus(`${type}/log`, "audit", "replicate", `/mnt/${type}/replica`)).exit).toBe(0);
    expect(await verified(`${type}/log`, `${type}/replica`)).toBe(35);
    expect((await disk.try("btrfs", "subvolume", "show", `/mnt/${type}/replica`)).exit === 0).toBe(type === "btrfs");
  }
});

test.each([["btrfs", "ext4"], ["ext4", "btrfs"], ["ext4", "ext4"]])(`a log on %s and its replica on %s, killed ${KILLS} times at a random instant: it verifies, and the next run goes on`, async (from, to) => {
  const [root, target] = [`${from}/killed-to-${to}`, `${to}/killed-from-${from}`];
  const replicate = [builtBinary(), "audit", "replicate", `/mnt/${target}`, "--root", `/mnt/${root}`, "--json"];
  let [size, killed, wholeMs] = [0, 0, 500];
  for (let round = 0; killed < KILLS; round += 1) {
    expect(round).toBeLessThan(MOST_ROUNDS);
    await logged(disk.at(root), blocks(60));
    const seconds = (Math.random() * wholeMs) / 1000;
    const { exit, ms, stderr } = await disk.try("timeout", "--signal=KILL", seconds.toFixed(3), ...replicate);
    expect({ exit, stderr }).toEqual({ exit: exit === 0 ? 0 : KILLED, stderr: "" });
    if (exit === 0) wholeMs = ms;
    else killed += 1;
    const now = existsSync(disk.at(`${target}/tail`)) ? await verified(root, target) : 0;
    expect(now).toBeGreaterThanOrEqual(size);
    size = now;
  }
  await disk.run(...replicate);
  const { stdout } = await opDbus(root, "audit", "verify", "--json");
  expect(await verified(root, target)).toBe((JSON.parse(stdout) as { entries: number }).entries);
  expect(readdirSync(disk.at(target)).sort()).toEqual(["blocks", "checkpoint", "replica.lock", "tail", "tile", "verifier-key"]);
});

test.each(["btrfs", "ext4"])("a full disk, %s: exit 6 and why; the replica verifies, and goes on when there is room", async (type) => {
  const [root, target] = ["full-log", `${type}/full`];
  await logged(disk.at(`${root}-${type}`), blocks(20));
  expect((await opDbus(`${root}-${type}`, "audit", "replicate", `/mnt/${target}`)).exit).toBe(0);
  await logged(disk.at(`${root}-${type}`), [...blocks(400), 30_000]);
  const fill = `while dd if=/dev/urandom of=/mnt/${type}/fill.$((n = n + 1)) bs=64K count=4096 status=none 2>/dev/null; do :; done; sync`;
  await disk.run("sh", "-c", fill);
  const { exit, stderr } = await opDbus(`${root}-${type}`, "audit", "replicate", `/mnt/${target}`);
  expect({ exit, said: stderr.replaceAll("\n", " ") }).toEqual({ exit: 6, said: expect.stringContaining(`The replica /mnt/${target} is on a full file system`) });
  expect(await verified(`${root}-${type}`, target)).toBeWithin(140, 140 + 2800 + 1);
  await disk.run("sh", "-c", `rm /mnt/${type}/fill.*; sync`);
  expect((await opDbus(`${root}-${type}`, "audit", "replicate", `/mnt/${target}`)).exit).toBe(0);
  expect(await verified(`${root}-${type}`, target)).toBe(140 + 2800 + 30_000);
});

test.each(["btrfs", "ext4"])("the state in each snapshot, to %s: as it is, once, and kept when it is let go; a byte of it changed is exit 7", async (to) => {
  const [root, target] = [`btrfs/state-to-${to}`, `${to}/replica-of-state`];
  for (const name of ["one", "two", "three"]) await changed(root, name);
  const names = readdirSync(disk.at(`${root}/@snapshots`)).sort();
  const replicate = async () => JSON.parse((await disk.run(builtBinary(), "audit", "replicate", `/mnt/${target}`, "--root", `/mnt/${root}`, "--json")).stdout) as { snapshots: { sent: number; bytes: number } };
  expect(await replicate()).toMatchObject({ snapshots: { sent: 3, left_out: [] } });
  expect(await replicate()).toMatchObject({ entries: 0, snapshots: { sent: 0, bytes: 0 } });
  for (const name of names) expect(contentRoot(disk.at(`${target}/snapshots/${name}/state`))).toBe(contentRoot(disk.at(`${root}/@snapshots/${name}/state`)));
  await changed(root, "four", { OPDBUS_RETAIN_HOURLY: "0", OPDBUS_RETAIN_DAILY: "0", OPDBUS_RETAIN_WEEKLY: "0", OPDBUS_RETAIN_QUARTERLY: "0" });
  const [left = ""] = readdirSync(disk.at(`${root}/@snapshots`));
  // What it has in common with the third is not sent again.
  const fourth = await replicate();
  expect(fourth.snapshots.sent).toBe(1);
  expect(fourth.snapshots.bytes).toBeLessThan(sizeOf(disk.at(`${root}/@snapshots/${left}/state`)));
  const { stdout } = await opDbus("nowhere", "audit", "snapshots", "--blockchain-path", `/mnt/${target}`, "--json");
  expect((JSON.parse(stdout) as { snapshots: { name: string }[] }).snapshots.map(({ name }) => name)).toEqual([...names, left]);
  expect((await held(root, target)).snapshots).toEqual({ checked: 4, unreadable: [], unlogged: [] } as never);
  const file = disk.at(`${target}/snapshots/${names[1]}/state/checkpoints/one.json`);
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill((bytes[9] ?? 0) ^ 1, 9, 10));
  const { exit, stderr } = await opDbus("nowhere", "audit", "verify", "--blockchain-path", `/mnt/${target}`);
  expect({ exit, said: stderr.replaceAll("\n", " ") }).toEqual({ exit: 7, said: expect.stringMatching(new RegExp(`Snapshot ${names[1]} in /mnt/${target}/snapshots does not verify: entry \\d+ has another content root`)) });
});

test.each(["btrfs", "ext4"])(`snapshots to %s, killed ${KILLS} times at a random instant: each is there whole or not at all, and the next run goes on`, async (to) => {
  const [root, target] = [`btrfs/snapshots-to-${to}`, `${to}/snapshots`];
  const replicate = [builtBinary(), "audit", "replicate", `/mnt/${target}`, "--root", `/mnt/${root}`, "--json"];
  await changed(root, "first");
  let [there, killed, wholeMs] = [0, 0, 500];
  for (let round = 0; killed < KILLS; round += 1) {
    expect(round).toBeLessThan(MOST_ROUNDS);
    // Some messages' worth, that no snapshot before it has.
    for (let number = 0; number < 5; number += 1) writeFileSync(disk.at(`${root}/@state/more-${number}`), crypto.getRandomValues(Buffer.alloc(60_000)).toString("hex").repeat(8));
    await changed(root, `round-${round}`);
    const seconds = (Math.random() * wholeMs) / 1000;
    const { exit, ms, stderr } = await disk.try("timeout", "--signal=KILL", seconds.toFixed(3), ...replicate);
    expect({ exit, stderr }).toEqual({ exit: exit === 0 ? 0 : KILLED, stderr: "" });
    if (exit === 0) wholeMs = ms;
    else killed += 1;
    const now = existsSync(disk.at(`${target}/checkpoint`)) ? (await held(root, target)).snapshots.checked : 0;
    expect(now).toBeGreaterThanOrEqual(there);
    there = now;
  }
  await disk.run(...replicate);
  const names = readdirSync(disk.at(`${root}/@snapshots`)).sort();
  expect(readdirSync(disk.at(`${target}/snapshots`)).sort()).toEqual(names);
  expect((await held(root, target)).snapshots.checked).toBe(names.length);
});

test("a log that was taken back with a whole state directory, keys and all: exit 7, and the replica stays as it is", async () => {
  await logged(disk.at("ext4/then"), blocks(3));
  cpSync(disk.at("ext4/then"), disk.at("ext4/taken-back"), { recursive: true });
  await logged(disk.at("ext4/then"), blocks(2));
  expect((await opDbus("ext4/then", "audit", "replicate", "/mnt/btrfs/witness")).exit).toBe(0);
  const before = filesIn(disk.at("btrfs/witness"));
  const expectRefused = async (said: string) => {
    expect((await opDbus("ext4/taken-back", "audit", "verify")).exit).toBe(0);
    const { exit, stderr } = await opDbus("ext4/taken-back", "audit", "replicate", "/mnt/btrfs/witness");
    expect({ exit, text: stderr.replaceAll("\n", " ") }).toEqual({ exit: 7, text: expect.stringContaining(said) });
  };
  await expectRefused("the log has lost entries, or was taken back");
  // From here on it is another history, and longer than the replica's.
  await disk.run(builtBinary(), "checkpoint", "create", "rewritten", "--root", "/mnt/ext4/taken-back");
  await logged(disk.at("ext4/taken-back"), blocks(3));
  await expectRefused("it was written anew");
  expect(filesIn(disk.at("btrfs/witness"))).toEqual(before);
});
