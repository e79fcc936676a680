import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from "node:fs";
import { codeOf, messageOf, OpError } from "../core/errors.ts";
import type { UserFiles } from "../core/ports.ts";
import { createDurably, writeDurably } from "./durable.ts";

const STANDARD_INPUT = 0;
const CHUNK_BYTES = 64 * 1024;

/** Files that the user names on the command line; "-" is standard input. */
export const userFiles: UserFiles = {
  read(path, limitBytes) {
    const name = path === "-" ? "standard input" : path;
    const fd = path === "-" ? STANDARD_INPUT : open(path);
    try {
      const stats = fstatSync(fd);
      if (fd !== STANDARD_INPUT && !stats.isFile()) throw unusable(name, `is ${kindOf(stats)}, not a file`);
      if (stats.isFile() && stats.size > limitBytes) throw tooLarge(name, limitBytes);
      return decode(readWithin(fd, limitBytes, name), name);
    } catch (error) {
      if (error instanceof OpError) throw error;
      throw unusable(name, spoken(error, "cannot be read"), error);
    } finally {
      if (fd !== STANDARD_INPUT) closeSync(fd);
    }
  },

  write(path, text, { replace }) {
    const stats = lookAt(path);
    if (stats !== undefined && !stats.isFile()) throw unusable(path, `is ${kindOf(stats)}, not a file`);
    try {
      if (replace) writeDurably(path, text);
      else createDurably(path, text);
    } catch (error) {
      if (codeOf(error) === "EEXIST") throw new OpError("refused", `${path} exists already`, { cause: error });
      if (codeOf(error) === "ENOENT") throw unusable(path, "cannot be written: there is no such folder", error);
      throw unusable(path, spoken(error, "cannot be written"), error);
    }
  },

  exists: (path) => lookAt(path) !== undefined,
};

/** Without waiting for a FIFO's other end, and without taking a terminal over. */
function open(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (codeOf(error) === "ENXIO") throw unusable(path, "is a socket or a device, not a file", error);
    throw unusable(path, spoken(error, "cannot be read"), error);
  }
}

function readWithin(fd: number, limitBytes: number, name: string): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const length = readWhenReady(fd, chunk);
    if (length === 0) return Buffer.concat(chunks, total);
    total += length;
    if (total > limitBytes) throw tooLarge(name, limitBytes);
    chunks.push(chunk.subarray(0, length));
  }
}

/** Standard input may have been left non-blocking by whoever had it before. */
function readWhenReady(fd: number, buffer: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, buffer, 0, buffer.length, null);
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") throw error;
      Bun.sleepSync(5);
    }
  }
}

function decode(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw unusable(name, "is not UTF-8 text", error);
  }
}

function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "")) return undefined;
    throw unusable(path, spoken(error, "cannot be looked at"), error);
  }
}

function unusable(name: string, what: string, cause?: unknown): OpError {
  return new OpError("invalid", `${JSON.stringify(name).slice(1, -1)} ${what}`, { cause });
}

function tooLarge(name: string, limitBytes: number): OpError {
  return unusable(name, `is larger than ${sizeText(limitBytes)}, the most that is read`);
}

function sizeText(bytes: number): string {
  return bytes % (1024 * 1024) === 0 ? `${bytes / (1024 * 1024)} MiB` : `${bytes} bytes`;
}

function spoken(error: unknown, failure: string): string {
  const known: Record<string, string> = {
    ENOENT: "does not exist",
    ENOTDIR: `${failure}: a part of its path is not a folder`,
    EACCES: `${failure}: permission denied`,
    EPERM: `${failure}: permission denied`,
    EISDIR: "is a folder, not a file",
    ELOOP: `${failure}: its links go in a circle`,
    ENAMETOOLONG: "is too long a name",
    ENOSPC: `${failure}: the disk is full`,
    EROFS: `${failure}: the file system is read-only`,
  };
  return known[codeOf(error) ?? ""] ?? `${failure}: ${messageOf(error)}`;
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a pipe (FIFO)";
  if (stats.isSocket()) return "a socket";
  return stats.isSymbolicLink() ? "a link" : "a device";
}
