import { closeSync, constants, openSync } from "node:fs";
import { codeOf } from "../../core/errors.ts";
import { failure } from "./failure.ts";

const O_CLOEXEC = 0o2000000;

/** Opens a file or folder for as long as `use` runs. Follows links; does not wait for a FIFO's other end. */
export function withOpen<T>(path: string, operation: string, use: (fd: number) => T): T {
  const fd = open(path, operation);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function open(path: string, operation: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC);
  } catch (error) {
    throw failure(codeOf(error) ?? String(error), operation);
  }
}
