import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { openStore } from "../../../src/store/open.ts";
import { builtBinary } from "../harness/folders.ts";
import { diskForTests } from "../harness/disk.ts";

setDefaultTimeout(120_000);

const disk = diskForTests();

/** Entries of three quarters of years ago, 300 of each. */
async function writeOld(root: string): Promise<void> {
  for (const day of ["2020-02-01", "2020-05-01", "2020-08-01"]) {
    const clock = { now: () => new Date(`${day}T12:00:00Z`), monotonicMs: () => 0, bootTime: () => ({ boot: "b", ms: 0 }), sleep: async () => undefined };
    const store = openStore({ root: disk.at(root), clock, actor: { uid: 0, user: "root", door: "cli" }, host: { host: "alder", boot: "b" } });
    await store.prepare();
    await store.audit.append(Array.from({ length: 300 }, () => ({ kind: "plan" }) as const));
  }
}

/** Runs the built binary in the disk's namespace; of quarters it keeps what a variable says, of all else nothing. */
async function opDbus(root: string, quarters: number, ...args: string[]): Promise<string> {
  const none = ["HOURLY", "DAILY", "WEEKLY"].map((length) => `OPDBUS_RETAIN_${length}=0`);
  return (await disk.run("env", ...none, `OPDBUS_RETAIN_QUARTERLY=${quarters}`, builtBinary(), ...args, "--root", `/mnt/${root}`)).stdout;
}

test.each(["btrfs", "ext4"])("on %s: by the rules of retention, in whole bundles, and the log verifies with what is left", async (fileSystem) => {
  const root = `${fileSystem}/prune`;
  const bundles = () => readdirSync(disk.at(`${root}/@timing/tile/entries`)).sort();
  await writeOld(root);
  expect(await opDbus(root, 3, "audit", "prune", "--dry-run")).toContain("Nothing to prune");
  // Entries 300 to 599 are of the second quarter: 0 to 255 can go.
  expect(await opDbus(root, 2, "audit", "prune", "--yes")).toContain("To go: entries 0 to 255 (1 bundle, ");
  expect(bundles()).toEqual(["001", "002", "003.p"]);
  // Its own entry is of a new quarter.
  expect(await opDbus(root, 2, "audit", "prune", "--yes")).toContain("To go: entries 256 to 511 (1 bundle, ");
  const verified = await opDbus(root, 2, "audit", "verify");
  expect(verified).toMatch(/verifies: 90\d entries in \d blocks\nEntries 0 to 511 were pruned on /);
  expect(JSON.parse(await opDbus(root, 2, "audit", "list", "--limit", "0", "--json"))).toMatchObject({ minimum_index: 512 });
});

test("a snapshot that was taken before a prune keeps the entries, and verifies with them", async () => {
  const root = "btrfs/kept";
  await writeOld(root);
  await opDbus(root, 9, "checkpoint", "create", "one");
  await opDbus(root, 9, "checkpoint", "delete", "one", "--yes");
  const { snapshots } = JSON.parse(await opDbus(root, 9, "audit", "snapshots", "--json")) as { snapshots: { name: string }[] };
  const timing = `/mnt/${root}/@snapshots/${snapshots[0]?.name}/timing`;
  expect(await opDbus(root, 9, "audit", "prune", "--before", "2021-01-01", "--yes")).toContain("To go: entries 0 to 767");
  expect(await opDbus(root, 9, "audit", "verify")).toContain("Entries 0 to 767 were pruned on");
  const before = await opDbus(root, 9, "audit", "verify", "--blockchain-path", timing);
  expect(before).toContain("verifies: 90");
  expect(before).not.toContain("pruned");
});
