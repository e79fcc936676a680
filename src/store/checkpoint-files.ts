import type { Checkpoint } from "../core/ports.ts";
import { namedFile } from "./paths.ts";
import { ledgerSchemas } from "./schemas.ts";
import type { StateDirectory, StoredFile } from "./state-directory.ts";
import { damaged, readStored, storedText } from "./stored-json.ts";

/** The checkpoints, one file each, under the name that the user knows. */
export class CheckpointFiles {
  readonly #directory: StateDirectory;

  constructor(directory: StateDirectory) {
    this.#directory = directory;
  }

  /** Oldest first. Throws kind integrity for one that is damaged, or lies under another's name. */
  all(): readonly Checkpoint[] {
    const names = this.#directory.names(this.#directory.paths.checkpoints);
    return names.flatMap((name) => this.#read(name)).sort((a, b) => a.sequence - b.sequence || (a.name < b.name ? -1 : 1));
  }

  /** Throws kind invalid for a name that cannot be a file's. */
  fileOf(checkpoint: Checkpoint): StoredFile {
    const content = storedText(checkpoint, ledgerSchemas.checkpoint);
    return { folder: this.#directory.paths.checkpoints, path: this.pathOf(checkpoint.name), content };
  }

  pathOf(name: string): string {
    return namedFile(this.#directory.paths.checkpoints, "checkpoint", name);
  }

  /** Empty for one that was removed since the folder was listed: readers hold no lock. */
  #read(name: string): Checkpoint[] {
    const path = this.pathOf(name);
    const checkpoint = readStored(this.#directory, path, ledgerSchemas.checkpoint);
    if (checkpoint === undefined) return [];
    if (checkpoint.name !== name) throw damaged(path, `it holds the checkpoint '${checkpoint.name}'`);
    return [checkpoint];
  }
}
