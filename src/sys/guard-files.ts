import { accessSync, chmodSync, constants, copyFileSync, existsSync, readlinkSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { GuardFiles } from "../core/confirmation.ts";
import { codeOf, messageOf, OpError } from "../core/errors.ts";
import { removeDurably, writeDurably } from "./durable.ts";
import { makeDirectory, removeFolderDurably, syncFolder, syncPaths } from "./durable-folders.ts";

/** Where systemd looks for an administrator's units. */
const UNITS = "/etc/systemd/system";
/** The program of this process, also where its file was replaced since. */
const SELF = "/proc/self/exe";

/** `folder` is op-dbus's own, for the copy alone. Everything throws kind refused, saying what could not be written. */
export function createGuardFiles(folder: string): GuardFiles {
  const program = join(folder, "op-dbus");
  const scratch = `${program}.tmp`;
  return {
    program,
    copyProgram: () =>
      writing(program, () => {
        if (basename(readlinkSync(SELF)) === "bun") throw new Error("op-dbus runs from its source, and only the program that 'scripts/build' makes can be copied");
        makeDirectory(folder, 0o700);
        copyFileSync(SELF, scratch, constants.COPYFILE_FICLONE);
        chmodSync(scratch, 0o700);
        syncPaths([scratch]);
        renameSync(scratch, program);
        syncFolder(folder);
        // On a file system that is mounted noexec, access(2) says so.
        accessSync(program, constants.X_OK);
      }),
    writeUnit: (name, text) => writing(join(UNITS, name), () => writeDurably(join(UNITS, name), text)),
    sync: (paths) => writing(paths[0] ?? UNITS, () => syncPaths(paths)),
    removeUnit: (name) => writing(join(UNITS, name), () => ignoreMissing(() => removeDurably(join(UNITS, name)))),
    removeProgram: () =>
      writing(program, () => {
        rmSync(scratch, { force: true });
        ignoreMissing(() => removeDurably(program));
        if (existsSync(folder)) removeFolderDurably(folder);
      }),
  };
}

function writing<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new OpError("refused", `The guard of the change cannot be set up below ${dirname(path)}: ${messageOf(cause)}`, { cause });
  }
}

function ignoreMissing(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}
