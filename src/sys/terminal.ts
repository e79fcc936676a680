import { fstatSync } from "node:fs";

/** Whether a descriptor is a terminal. node:tty takes 2 ms to load: a pipe or a file is told without it. */
export function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(fd);
  } catch {
    // The descriptor is closed.
    return false;
  }
}
