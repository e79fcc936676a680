import { chmodSync, closeSync, constants, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, rmdirSync, statSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { codeOf } from "../core/errors.ts";

/*
 * Durable changes of folders, and of what others wrote. What returned is on the disk. Errors are the system's own, with their code.
 */

/** Makes a folder and what is missing above it. One that is there keeps its mode. */
export function makeDirectory(path: string, mode = 0o755): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeDirectory(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
    chmodSync(path, mode);
  } catch (error) {
    // Another process may have made it just now.
    if (codeOf(error) !== "EEXIST" || !isFolder(path)) throw error;
  }
  syncFolder(dirname(path));
}

/** Makes symbolic links in a folder, which is made if need be, by name and where each leads. What is there by such a name, or in the folder's place, stays. */
export function linkDurably(folder: string, links: Readonly<Record<string, string>>): void {
  makeDirectory(folder);
  if (lstatSync(folder).isSymbolicLink()) return;
  const missing = Object.entries(links).filter(([name]) => lstatSync(join(folder, name), { throwIfNoEntry: false }) === undefined);
  for (const [name, target] of missing) symlinkSync(target, join(folder, name));
  if (missing.length > 0) syncFolder(folder);
}

/** Removes a folder's files of these names and then the folder, where nothing else is in it. A crash may bring some back. */
export function discardFolder(path: string, isOurs: (name: string) => boolean): void {
  if (!existsSync(path)) return;
  const names = readdirSync(path);
  for (const name of names.filter(isOurs)) unlinkSync(join(path, name));
  if (names.every(isOurs)) rmdirSync(path);
}

/** Removes an empty folder for good. Throws ENOTEMPTY otherwise. */
export function removeFolderDurably(path: string): void {
  rmdirSync(path);
  syncFolder(dirname(path));
}

/**
 * Makes durable what another program wrote, linked or removed at these paths: the files and, as far as they are there, three folders above
 * each, which it may have made for them. Links are not followed.
 */
export function syncPaths(paths: readonly string[]): void {
  const folders = new Set<string>();
  for (const path of paths) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === true) syncFile(path);
    for (let [folder, above] = [dirname(path), 0]; above < 3; [folder, above] = [dirname(folder), above + 1]) folders.add(folder);
  }
  for (const folder of folders) if (isFolder(folder)) syncForeignFolder(folder);
}

/** Some file systems know no syncing of folders, and keep their entries in other ways. */
function syncForeignFolder(path: string): void {
  try {
    syncFolder(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
  }
}

function syncFile(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
