import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, statSync } from "node:fs";
import { readCompression } from "../../../src/sys/native/compression.ts";
import { builtBinary } from "../harness/folders.ts";
import { diskForTests } from "../harness/disk.ts";

setDefaultTimeout(120_000);

const disk = diskForTests();

/** Runs the built binary in the disk's namespace; what is asked of it here needs no D-Bus. */
async function opDbus(root: string, ...args: string[]): Promise<string> {
  return (await disk.run(builtBinary(), ...args, "--root", `/mnt/${root}`)).stdout;
}

async function subvolumesOn(path: string): Promise<string[]> {
  const { stdout } = await disk.run("btrfs", "subvolume", "list", "-o", path);
  return stdout.trim().split("\n").filter(Boolean).map((line) => line.replace(/^.* path /, ""));
}

async function stateDirectoryOf(root: string): Promise<string> {
  const { stdout } = await disk.try(builtBinary(), "doctor", "--json", "--root", `/mnt/${root}`);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; found: string }[] };
  return checks.find(({ name }) => name === "state directory")?.found ?? "";
}

test("on BTRFS each @folder is a subvolume, compressed, as btrfs-progs sees it, and the log verifies", async () => {
  expect(await stateDirectoryOf("btrfs/new")).toBe("/mnt/btrfs/new on btrfs, made by the first apply, in subvolumes");
  await opDbus("btrfs/new", "checkpoint", "create", "first");
  expect((await subvolumesOn("/mnt/btrfs")).filter((path) => /^new\/[^/]+$/.test(path)).sort()).toEqual(["new/@state", "new/@timing"]);
  for (const name of ["@state", "@timing"]) {
    expect((await disk.run("btrfs", "property", "get", `/mnt/btrfs/new/${name}`, "compression")).stdout.trim()).toBe("compression=zstd");
    expect((statSync(disk.at(`btrfs/new/${name}`)).mode & 0o777).toString(8)).toBe("755");
  }
  expect(readCompression(disk.at("btrfs/new/@timing/tile"))).toBe("zstd");
  expect(await stateDirectoryOf("btrfs/new")).toBe("/mnt/btrfs/new on btrfs, in subvolumes");
  await opDbus("btrfs/new", "checkpoint", "create", "second");
  expect(await opDbus("btrfs/new", "audit", "verify")).toContain("verifies: 5 entries");
});

test("keys are in no subvolume that is snapshotted", async () => {
  await opDbus("btrfs/keys", "checkpoint", "create", "first");
  expect(statSync(disk.at("btrfs/keys/keys/audit.key")).mode & 0o777).toBe(0o600);
  expect((await disk.run("btrfs", "subvolume", "show", "/mnt/btrfs/keys/@timing")).stdout).toContain("@timing");
  expect((await disk.try("btrfs", "subvolume", "show", "/mnt/btrfs/keys/keys")).exit).not.toBe(0);
});

test("a folder that is there is not replaced by a subvolume", async () => {
  mkdirSync(disk.at("btrfs/old/@timing"), { recursive: true });
  await disk.run("touch", "/mnt/btrfs/old/@timing/mine");
  await opDbus("btrfs/old", "checkpoint", "create", "first");
  expect((await subvolumesOn("/mnt/btrfs")).filter((path) => /^old\/[^/]+$/.test(path))).toEqual(["old/@state"]);
  expect((await disk.run("ls", "/mnt/btrfs/old/@timing")).stdout).toContain("mine");
  expect(await stateDirectoryOf("btrfs/old")).toBe("/mnt/btrfs/old on btrfs, in folders: no instant snapshots, all else works");
});

test("on ext4 and tmpfs they are folders, and all works", async () => {
  for (const [root, type] of [["ext4/new", "ext4"], ["new", "tmpfs"]] as const) {
    await opDbus(root, "checkpoint", "create", "first");
    expect(await opDbus(root, "checkpoint", "list")).toContain("first");
    expect(await opDbus(root, "audit", "verify")).toContain("verifies: 2 entries");
    expect(await stateDirectoryOf(root)).toBe(`/mnt/${root} on ${type}, in folders: no instant snapshots, all else works`);
  }
});
