import { chmodSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf, OpError } from "../../core/errors.ts";
import { createSubvolume, isBtrfs, syncFilesystem } from "./btrfs.ts";
import { setCompression } from "./compression.ts";

/**
 * Makes a subvolume of this mode, compressed with zstd from the first byte on, and durable, where the folder above is on BTRFS. False, and
 * nothing made, where it is not, where this user may not, or where the native library cannot be had: a folder does as well, but for snapshots.
 * Throws the system's error, as the making of a folder does.
 */
export function makeVolume(path: string, mode: number): boolean {
  try {
    if (!isBtrfs(dirname(path))) return false;
    createSubvolume(path);
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    const code = codeOf(error.cause);
    if (error.kind === "unavailable" || code === "EPERM") return false;
    throw code === undefined ? error : error.cause;
  }
  chmodSync(path, mode);
  setCompression(path, "zstd");
  syncFilesystem(path);
  return true;
}
