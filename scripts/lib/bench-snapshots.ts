import { mkdirSync } from "node:fs";
import { createSubvolume } from "../../src/sys/native/btrfs.ts";
import { freeze } from "../../src/sys/native/frozen-copy.ts";
import { Disk } from "../../test/host/harness/disk.ts";
import { buildLibrary } from "./native.ts";

/** Seconds that one pair of snapshots of log and state takes, by op-dbus and by a C program that asks BTRFS for the same. */
export interface SnapshotTimes {
  readonly opDbus: number;
  readonly c: number;
}

/** On a BTRFS of its own, in memory; needs root. `program` is scripts/lib/snapshots.c, built. */
export async function measureSnapshots(program: string, count: number): Promise<SnapshotTimes> {
  await buildLibrary();
  await using disk = await Disk.mount();
  const at = (name: string) => disk.at(`btrfs/${name}`);
  for (const name of ["timing", "state"]) createSubvolume(at(name));
  for (const home of ["by-op-dbus", "by-c"]) mkdirSync(at(home));
  const started = performance.now();
  for (let number = 0; number < count; number += 1) freeze(at("by-op-dbus"), String(number), { timing: at("timing"), state: at("state") });
  const opDbus = (performance.now() - started) / 1000;
  const { stdout } = await disk.run(program, "/mnt/btrfs/by-c", "/mnt/btrfs/timing", "/mnt/btrfs/state", String(count));
  return { opDbus: opDbus / count, c: Number(stdout) / count };
}
