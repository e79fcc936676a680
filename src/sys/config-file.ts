import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { dirname, normalize } from "node:path";
import { codeOf, messageOf, OpError } from "../core/errors.ts";
import type { ConfigFile } from "../core/ports.ts";
import { removeFolderDurably, syncPaths } from "./durable-folders.ts";
import { removeDurably } from "./durable.ts";
import { folderEntries } from "./files.ts";

/** Where systemd keeps what SetUnitProperties made permanent: nothing but drop-ins that can be set again. */
const SYSTEM_CONTROL = "/etc/systemd/system.control/";
const LIMIT_BYTES = 1024 * 1024;

/** Files under /etc as part of a change. It removes only below `roots`; asking for another path is a bug (kind internal). */
export function createConfigFile(roots: readonly string[] = [SYSTEM_CONTROL]): ConfigFile {
  return {
    read(path) {
      try {
        const entry = lstatSync(path);
        if (!entry.isFile() && !entry.isSymbolicLink()) throw new Error("it is not a file");
        if (entry.size > LIMIT_BYTES) throw new Error(`it is larger than ${LIMIT_BYTES} bytes`);
        return readFileSync(path, "utf8");
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw new OpError("unavailable", `${path} cannot be read: ${messageOf(error)}`, { cause: error });
      }
    },

    isEmpty(path) {
      try {
        const entry = statSync(path);
        return entry.isFile() && entry.size === 0;
      } catch (error) {
        if (isMissing(error)) return false;
        throw new OpError("unavailable", `${path} cannot be looked at: ${messageOf(error)}`, { cause: error });
      }
    },

    linkTarget(path) {
      try {
        return readlinkSync(path);
      } catch (error) {
        if (isMissing(error) || codeOf(error) === "EINVAL") return undefined;
        throw new OpError("unavailable", `${path} cannot be looked at: ${messageOf(error)}`, { cause: error });
      }
    },

    list: folderEntries,

    sync(paths) {
      try {
        syncPaths(paths);
      } catch (error) {
        throw new OpError("failed", `What changed below ${dirname(paths[0] ?? "")} could not be made durable: ${messageOf(error)}`, { cause: error });
      }
    },

    /** Removing what is not there is done already: a step may be taken again after a crash. Removes a `.d` folder with its last file. */
    remove(path) {
      if (!roots.some((root) => isBelow(path, root))) {
        throw new OpError("internal", `${path} is not below ${roots.join(" or ")}`, { operation: `remove ${path}` });
      }
      try {
        ignoreMissing(() => removeDurably(path));
        const folder = dirname(path);
        if (folder.endsWith(".d")) ignoreMissing(() => readdirSync(folder).length === 0 && removeFolderDurably(folder));
      } catch (error) {
        throw new OpError("failed", `${path} could not be removed: ${messageOf(error)}`, { cause: error });
      }
    },
  };
}

/** By name and by where its folder's links lead. */
function isBelow(path: string, root: string): boolean {
  const base = root.endsWith("/") ? root : `${root}/`;
  if (!path.startsWith(base) || normalize(path) !== path || path.endsWith("/")) return false;
  try {
    return `${realpathSync(dirname(path))}/`.startsWith(`${realpathSync(base)}/`);
  } catch (error) {
    return isMissing(error);
  }
}

function ignoreMissing(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
}
