import { accessSync, closeSync, constants, type Dirent, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../core/errors.ts";
import type { FolderEntry } from "../core/ports.ts";

/*
 * Reading files and folders. What is not there is an answer; any other failure is the system's own error, with its code.
 */

/** The file's text, or undefined where there is none. */
export function readText(path: string): string | undefined {
  return ifThere(() => readFileSync(path, "utf8"));
}

/** The file's bytes, or undefined where there is none. */
export function readBytes(path: string): Buffer | undefined {
  return ifThere(() => readFileSync(path));
}

/** The bytes of what is a file of this size; undefined for anything else, a link too. */
export function readPlain(path: string, sizeBytes: number): Buffer | undefined {
  return ifThere(() => {
    const entry = lstatSync(path);
    return entry.isFile() && entry.size === sizeBytes ? readFileSync(path) : undefined;
  });
}

/** The last bytes of a file, and where in it they begin. */
export interface FileEnd {
  readonly bytes: Buffer;
  readonly offset: number;
}

/** At most `limitBytes` from the file's end, or undefined where there is no file. */
export function readEnd(path: string, limitBytes: number): FileEnd | undefined {
  return ifThere(() => {
    const fd = openSync(path, constants.O_RDONLY);
    try {
      const { size } = fstatSync(fd);
      const offset = Math.max(0, size - limitBytes);
      const bytes = Buffer.alloc(size - offset);
      let filled = 0;
      while (filled < bytes.length) {
        const count = readSync(fd, bytes, filled, bytes.length - filled, offset + filled);
        if (count === 0) break;
        filled += count;
      }
      return { bytes: bytes.subarray(0, filled), offset };
    } finally {
      closeSync(fd);
    }
  });
}

/** The names in a folder, sorted; none where there is no folder. */
export function listFolder(path: string): readonly string[] {
  return ifThere(() => readdirSync(path).sort()) ?? [];
}

/** What is in a folder, sorted by name; nothing where there is no folder. */
export function folderEntries(path: string): readonly FolderEntry[] {
  const entries = ifThere(() => readdirSync(path, { withFileTypes: true })) ?? [];
  return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function kindOf(entry: Dirent): FolderEntry["kind"] {
  if (entry.isFile()) return "file";
  if (entry.isSymbolicLink()) return "link";
  return entry.isDirectory() ? "folder" : "other";
}

/** linux/magic.h, BTRFS_SUPER_MAGIC; the top of every subvolume has this inode. */
const [BTRFS, SUBVOLUME_INODE] = [0x9123683e, 256];

/** Whether a folder is a subvolume of BTRFS. */
export function isVolume(path: string): boolean {
  return lstatSync(path).ino === SUBVOLUME_INODE && statfsSync(path).type === BTRFS;
}

/** A file or a symbolic link. */
export interface FoundFile {
  /** From the folder that was looked through. */
  readonly path: string;
  readonly mode: number;
  readonly sizeBytes: number;
  /** Where a link leads; undefined for a file. */
  readonly target: string | undefined;
  /** The file's bytes, piece by piece. */
  read(): Iterable<Uint8Array>;
}

/** All files below a folder, sorted by path. Links are found, and not followed. */
export function filesBelow(folder: string): FoundFile[] {
  return pathsBelow(folder, "").sort().flatMap((path) => {
    const full = join(folder, path);
    const entry = lstatSync(full);
    if (!entry.isFile() && !entry.isSymbolicLink()) return [];
    return [{ path, mode: entry.mode & 0o7777, sizeBytes: entry.size, target: entry.isFile() ? undefined : readlinkSync(full), read: () => pieces(full) }];
  });
}

/** Bun's own recursive listing goes into folders that a link leads to. */
function pathsBelow(folder: string, below: string): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    return entry.isDirectory() ? pathsBelow(folder, path) : [path];
  });
}

const PIECE_BYTES = 64 * 1024;

function* pieces(path: string): Generator<Uint8Array> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (let count = readSync(fd, piece); count > 0; count = readSync(fd, piece)) yield piece.subarray(0, count);
  } finally {
    closeSync(fd);
  }
}

/** Whether there is anything by that name, if only a link that leads nowhere. */
export function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}

/** Throws EACCES, EPERM or EROFS where this process may not write. */
export function checkWritable(path: string): void {
  accessSync(path, constants.W_OK);
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
