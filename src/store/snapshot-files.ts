import { join } from "node:path";
import { isThere } from "../sys/files.ts";
import type { LogFiles } from "./audit/log-files.ts";
import { snapshotNamed, type Snapshot } from "./snapshot-name.ts";
import type { StateDirectory } from "./state-directory.ts";

/** What a snapshot has of the state is in a folder of this name. */
export const STATE = "state";

/** Where snapshots are, a folder each. What is there under any other name is not ours. */
export class SnapshotFiles {
  readonly #directory: StateDirectory;
  readonly home: string;

  constructor(directory: StateDirectory, home: string = directory.paths.snapshots) {
    this.#directory = directory;
    this.home = home;
  }

  /** By the times that they are named after. */
  all(): readonly Snapshot[] {
    return this.#directory.list(this.home).flatMap((name) => snapshotNamed(name) ?? []);
  }

  has(name: string): boolean {
    return isThere(join(this.home, name));
  }

  statePath(name: string): string {
    return join(this.home, name, STATE);
  }

  /** The log as it was; only its own host's snapshots have it. */
  timingPath(name: string): string {
    return join(this.home, name, "timing");
  }
}

/** Those of a replica, beside its log. */
export function replicaSnapshotFiles(directory: StateDirectory, files: LogFiles): SnapshotFiles {
  return new SnapshotFiles(directory, join(files.path, "snapshots"));
}
