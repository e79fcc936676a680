import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { syncFolder } from "../durable-folders.ts";
import { UNFINISHED } from "../new-folder.ts";
import { deleteSubvolume, isSubvolume, snapshotSubvolume, syncFilesystem } from "./btrfs.ts";
import { readSubvolume } from "./subvolume.ts";

/**
 * Makes the folder `name` in `home` with a read-only snapshot of each subvolume, by the name given for it. It is there whole or not at all: a crash
 * leaves an unfinished one, which `removeUnfinished` takes away. What is in the snapshots was on the disk when this returns.
 */
export function freeze(home: string, name: string, subvolumes: Readonly<Record<string, string>>): void {
  const scratch = join(home, `${UNFINISHED}${name}`);
  mkdirSync(scratch);
  for (const [as, source] of Object.entries(subvolumes)) snapshotSubvolume(source, join(scratch, as), { readOnly: true });
  renameSync(scratch, join(home, name));
  syncFilesystem(home);
}

/** Lets go of a frozen copy. A crash leaves it whole, or unfinished. */
export function unfreeze(home: string, name: string): void {
  renameSync(join(home, name), join(home, `${UNFINISHED}${name}`));
  removeUnfinished(home);
}

/** Takes away what a crash left of copies that were being made or let go: subvolumes and nothing else. */
export function removeUnfinished(home: string): void {
  const found = existsSync(home) ? readdirSync(home).filter((name) => name.startsWith(UNFINISHED)) : [];
  for (const name of found) {
    const folder = join(home, name);
    for (const each of readdirSync(folder)) if (isSubvolume(join(folder, each))) deleteSubvolume(join(folder, each));
    rmdirSync(folder);
  }
  if (found.length > 0) syncFolder(home);
}

/** The number of the file system's transaction in which a subvolume was made: which of two is older, whatever the clock said. */
export function madeIn(subvolume: string): bigint {
  return readSubvolume(subvolume).otransid;
}
