import type { Checkpoint, CheckpointMark } from "../core/ports.ts";
import { namedFile } from "./paths.ts";
import { ledgerSchemas } from "./schemas.ts";
import type { StateDirectory, StoredFile } from "./state-directory.ts";
import { damaged, readStored, storedText } from "./stored-json.ts";

/** Longer than "sequence":N} can be. */
const END_BYTES = 40;

/** The checkpoints, one file each, under the name that the user knows. */
export class CheckpointFiles {
  readonly #directory: StateDirectory;

  constructor(directory: StateDirectory) {
    this.#directory = directory;
  }

  /** Oldest first. Throws kind integrity for one that is damaged, or lies under another's name. */
  all(): readonly Checkpoint[] {
    return this.#names().flatMap((name) => this.#read(name)).sort(byAge);
  }

  /** Out of the ends of the files: a checkpoint grows with what was applied, and there are more of them with every apply. */
  marks(): readonly CheckpointMark[] {
    const marks = this.#names().flatMap((name) => {
      const sequence = this.#sequence(name);
      return sequence === undefined ? this.#read(name).map((checkpoint) => ({ name, sequence: checkpoint.sequence })) : [{ name, sequence }];
    });
    return marks.sort(byAge);
  }

  /** Throws kind invalid for a name that cannot be a file's. */
  fileOf(checkpoint: Checkpoint): StoredFile {
    const content = storedText(checkpoint, ledgerSchemas.checkpoint);
    return { folder: this.#directory.paths.checkpoints, path: this.pathOf(checkpoint.name), content };
  }

  pathOf(name: string): string {
    return namedFile(this.#directory.paths.checkpoints, "checkpoint", name);
  }

  #names(): readonly string[] {
    return this.#directory.names(this.#directory.paths.checkpoints);
  }

  /** The last key of the canonical form; undefined where that is not how the file ends. */
  #sequence(name: string): number | undefined {
    const end = this.#directory.readEnd(this.pathOf(name), END_BYTES)?.bytes.toString() ?? "";
    const digits = /"sequence":(\d{1,15})\}$/.exec(end)?.[1];
    return digits === undefined ? undefined : Number(digits);
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

function byAge(a: CheckpointMark, b: CheckpointMark): number {
  return a.sequence - b.sequence || (a.name < b.name ? -1 : 1);
}
