import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { codeOf } from "../core/errors.ts";
import { syncFolder } from "./durable-folders.ts";

/*
 * The one file of durable writes of files; folders have durable-folders.ts. What returned is on the disk; what threw left the old text, or a
 * file that was not there, as it was. Errors are the system's own, with their code (ENOSPC, EROFS, EACCES): only the caller knows what they
 * mean for its user.
 */

/** Replaces the file by `text` in one stroke: a reader, and a crash at any instant, sees the old text or the new one. */
export function writeDurably(path: string, text: string | Uint8Array, mode = 0o644): void {
  place(path, text, { mode, commit: renameSync });
}

/** Writes a file that is not there yet, in one stroke. Throws EEXIST, whoever made it and whenever. */
export function createDurably(path: string, text: string | Uint8Array, mode = 0o644): void {
  place(path, text, {
    mode,
    commit(temporary) {
      linkOrRename(temporary, path);
    },
  });
}

/** Makes a file that is not there yet. Its bytes are on the disk then; its name is once the folder is synced. Throws EEXIST. */
export function createSynced(path: string, text: string | Uint8Array, mode: number): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      writeAll(fd, Buffer.from(text));
      setMode(fd, mode);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    unlinkQuietly(path);
    throw error;
  }
}

/** A file and what is to be in it. */
export interface FileContent {
  readonly path: string;
  readonly content: string | Uint8Array;
}

/**
 * Replaces files, each in one stroke, with one sync for each folder. On their way they are in `scratch`, a folder of the same file
 * system. When it throws, some may have been replaced.
 */
export function writeAllDurably(files: readonly FileContent[], scratch: string): void {
  for (const { path, content } of files) {
    const temporary = stage(scratch, content, 0o644);
    try {
      renameSync(temporary, path);
    } catch (error) {
      unlinkQuietly(temporary);
      throw error;
    }
  }
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) syncFolder(folder);
}

/** An append-only file, open for as long as it is written to. */
export interface AppendFile extends Disposable {
  /** Bytes in the file, all of them durable. */
  readonly length: number;
  /** Adds all of it or throws and has added none. */
  append(text: string | Uint8Array): void;
  close(): void;
}

/** Opens a file for appending and makes it if need be. One handle a file: it takes the length it knows for the file's. */
export function openAppend(path: string, mode = 0o644): AppendFile {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, mode);
  try {
    const { size } = fstatSync(fd);
    if (size === 0) {
      setMode(fd, mode);
      fsyncSync(fd);
      syncFolder(dirname(path));
    }
    return new OpenAppendFile(fd, size);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Takes a file back to its first `length` bytes. */
export function cutDurably(path: string, length: number): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    ftruncateSync(fd, length);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Removes a file for good. Throws ENOENT where there is none. */
export function removeDurably(path: string): void {
  unlinkSync(path);
  syncFolder(dirname(path));
}

/** Removes files for good, in this order, with one sync for each folder. When it throws, or after a crash, some may be left. */
export function removeAllDurably(paths: readonly string[]): void {
  for (const path of paths) unlinkSync(path);
  for (const folder of new Set(paths.map((path) => dirname(path)))) syncFolder(folder);
}

/** Removes what writes that a crash ended left in a folder. The caller is the only writer there. */
export function removeLeftovers(folder: string): void {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of names.filter((candidate) => LEFTOVER.test(candidate))) unlinkSync(join(folder, name));
}

/** A name for a new temporary file, and how such names are known again. */
const temporaryName = () => `.op-dbus-${crypto.randomUUID()}.tmp`;
const LEFTOVER = /^\.op-dbus-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

class OpenAppendFile implements AppendFile {
  readonly #fd: number;
  #length: number;
  /** A failed append's bytes may still be there: nothing is added before they are gone. */
  #torn = false;

  constructor(fd: number, length: number) {
    this.#fd = fd;
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  append(text: string | Uint8Array): void {
    const bytes = Buffer.from(text);
    if (this.#torn) this.#mend();
    this.#torn = true;
    try {
      writeAll(this.#fd, bytes);
      fdatasyncSync(this.#fd);
    } catch (error) {
      try {
        this.#mend();
      } catch {
        // Tried again by the next append; the first failure is the one to tell.
      }
      throw error;
    }
    this.#torn = false;
    this.#length += bytes.length;
  }

  close(): void {
    closeSync(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #mend(): void {
    ftruncateSync(this.#fd, this.#length);
    fdatasyncSync(this.#fd);
    this.#torn = false;
  }
}

interface Placing {
  readonly mode: number;
  commit(temporary: string, path: string): void;
}

function place(path: string, text: string | Uint8Array, { mode, commit }: Placing): void {
  const folder = dirname(path);
  const temporary = stage(folder, text, mode);
  try {
    commit(temporary, path);
  } catch (error) {
    unlinkQuietly(temporary);
    throw error;
  }
  syncFolder(folder);
}

/** A new file in the folder, whose bytes are on the disk. */
function stage(folder: string, text: string | Uint8Array, mode: number): string {
  const temporary = join(folder, temporaryName());
  createSynced(temporary, text, mode);
  return temporary;
}

/** After a failure, which is the one to tell. */
function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The next sweep removes it.
  }
}

/** link(2) is what refuses an existing file; a file system without links (vfat) is left with a look beforehand. */
function linkOrRename(temporary: string, path: string): void {
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (codeOf(error) !== "EPERM" || lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw error;
    renameSync(temporary, path);
    return;
  }
  unlinkSync(temporary);
}

/** Exactly this mode, whatever the umask. A file system without modes (vfat) refuses the owner with EPERM, and keeps its own. */
function setMode(fd: number, mode: number): void {
  try {
    fchmodSync(fd, mode);
  } catch (error) {
    if (codeOf(error) !== "EPERM") throw error;
  }
}

/** The system may take less than it is given. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}
