import { join } from "node:path";
import { OpError } from "../../core/errors.ts";
import { filesBelow, readPlain } from "../../sys/files.ts";
import type { LogView } from "../audit/log-view.ts";
import { loggedSnapshot, type LoggedSnapshot } from "../audit/snapshot-entry.ts";
import { sha256 } from "../content-root.ts";
import { SnapshotFiles } from "../snapshot-files.ts";
import type { StateDirectory } from "../state-directory.ts";
import { unfit, type SnapshotFile } from "./manifest.ts";

/** Between a snapshot's log and its entry stands only what was not published when it was taken. */
const MOST_BETWEEN = 4096;

/** A host's own snapshots, to be sent. Any may be let go at any time. */
export class SnapshotSource {
  readonly #directory: StateDirectory;
  readonly #stored: SnapshotFiles;

  constructor(directory: StateDirectory) {
    this.#directory = directory;
    this.#stored = new SnapshotFiles(directory);
  }

  names(): readonly string[] {
    return this.#stored.all().map(({ name }) => name);
  }

  has(name: string): boolean {
    return this.#stored.has(name);
  }

  /** What the log says of it; undefined where it says nothing, or not any more. */
  logged(name: string, view: LogView): LoggedSnapshot | undefined {
    const checkpoint = this.#directory.readText(join(this.#stored.timingPath(name), "checkpoint"));
    const from = Number(checkpoint?.split("\n")[1] ?? 0);
    for (const entry of view.entries({ from, to: from + MOST_BETWEEN })) {
      const found = loggedSnapshot(entry);
      if (found?.name === name) return found;
    }
    return undefined;
  }

  /** Throws kind refused for files that may not be read, or that no replica takes. */
  files(name: string): readonly SnapshotFile[] {
    const state = this.#stored.statePath(name);
    const files = this.#directory.reading(state, () =>
      filesBelow(state).map(({ path, mode, sizeBytes, target, read }) => {
        if (target !== undefined) throw notTaken(`its file ${JSON.stringify(path)} is a symbolic link`);
        return { path, mode: mode.toString(8), sizeBytes, sha256: sha256(read()) };
      }),
    );
    const why = unfit(files);
    if (why !== undefined) throw notTaken(why);
    return files;
  }

  bytes(name: string, { path, sizeBytes }: SnapshotFile): Buffer {
    const full = join(this.#stored.statePath(name), path);
    const bytes = this.#directory.reading(full, () => readPlain(full, sizeBytes));
    if (bytes === undefined) throw notTaken(`its file ${JSON.stringify(path)} is not what it was just now`);
    return bytes;
  }
}

function notTaken(why: string): OpError {
  return new OpError("refused", `No replica takes it: ${why}`);
}
