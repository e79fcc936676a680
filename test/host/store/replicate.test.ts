import { expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, readdirSync } from "node:fs";
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

/** How many entries a replica has, checked with the public key alone by a process that is told of nothing else. */
async function verified(root: string, target: string): Promise<number> {
  const key = (await opDbus(root, "audit", "key")).stdout.trim();
  const { exit, stdout, stderr } = await opDbus("nowhere", "audit", "verify", "--blockchain-path", `/mnt/${target}`, "--key", key, "--json");
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  return (JSON.parse(stdout) as { entries: number }).entries;
}

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
