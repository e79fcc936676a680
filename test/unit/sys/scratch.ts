import { chmodSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of the test's own, gone with it. */
export interface Scratch extends AsyncDisposable {
  readonly path: string;
  file(...names: string[]): string;
}

export function scratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), "opd-"));
  chmodSync(path, 0o755);
  return {
    path,
    file: (...names) => join(path, ...names),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

export const isRoot = process.getuid?.() === 0;
