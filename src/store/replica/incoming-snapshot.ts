import { join } from "node:path";
import { OpError } from "../../core/errors.ts";
import { readPlain } from "../../sys/files.ts";
import { NewFolder } from "../../sys/new-folder.ts";
import type { LoggedSnapshot } from "../audit/snapshot-entry.ts";
import { contentRoot, sha256 } from "../content-root.ts";
import { STATE } from "../snapshot-files.ts";
import type { StateDirectory } from "../state-directory.ts";
import type { SnapshotFile } from "./manifest.ts";

export interface IncomingParts {
  readonly directory: StateDirectory;
  /** The folder that snapshots are in. */
  readonly home: string;
  readonly logged: LoggedSnapshot;
  /** Together they have the content root that was logged. */
  readonly files: readonly SnapshotFile[];
}

/**
 * A snapshot on its way, in a folder that no reader looks at. Each file is held to its hash, then all that is on the disk to the log; only then
 * is it there, in one stroke.
 */
export class IncomingSnapshot {
  readonly #parts: IncomingParts;
  readonly #folder: NewFolder;
  /** The places of the files that are still to come. */
  readonly #missing: number[] = [];

  constructor(parts: IncomingParts) {
    this.#parts = parts;
    const { directory, home, logged } = parts;
    directory.makeFolder(home);
    this.#folder = directory.writing(home, () => new NewFolder(home, logged.name));
  }

  get name(): string {
    return this.#parts.logged.name;
  }

  get isWhole(): boolean {
    return this.#missing.length === 0;
  }

  /** Takes the files that the state in this folder has too, and returns the places of all others. */
  copy(state: string | undefined): readonly number[] {
    for (const [place, file] of this.#parts.files.entries()) {
      const bytes = this.#found(file, state);
      if (bytes === undefined) this.#missing.push(place);
      else this.#add(file, bytes);
    }
    return [...this.#missing];
  }

  /** Throws kind invalid for what ends within a file or goes beyond the last, integrity for what is not the file that was announced. */
  fill(contents: Buffer): void {
    for (let rest = contents; rest.length > 0; ) {
      const file = this.#parts.files[this.#missing.shift() ?? -1];
      if (file === undefined || rest.length < file.sizeBytes) throw new OpError("invalid", `What is sent for snapshot ${this.name} are not the bytes of whole files`);
      const bytes = rest.subarray(0, file.sizeBytes);
      if (sha256([bytes]) !== file.sha256) throw new OpError("integrity", `What is sent for ${JSON.stringify(file.path)} in snapshot ${this.name} is not what entry ${this.#parts.logged.entry} of the log has the hash of`);
      this.#add(file, bytes);
      rest = rest.subarray(file.sizeBytes);
    }
  }

  /** From here on it is there. Throws kind refused where the disk does not give back what was written. */
  finish(): void {
    const { directory, logged } = this.#parts;
    const root = directory.reading(this.#folder.path, () => contentRoot(join(this.#folder.path, STATE)));
    if (root !== logged.state) throw new OpError("refused", `The replica's file system does not keep snapshot ${this.name} as it was written`, { hint: "Does it keep the modes of files?" });
    directory.writing(this.#folder.path, () => this.#folder.finish());
  }

  discard(): void {
    this.#folder.discard();
  }

  #found({ path, sha256: hash, sizeBytes }: SnapshotFile, state: string | undefined): Buffer | undefined {
    if (sizeBytes === 0) return Buffer.alloc(0);
    try {
      const bytes = state === undefined ? undefined : readPlain(join(state, path), sizeBytes);
      return bytes !== undefined && sha256([bytes]) === hash ? bytes : undefined;
    } catch {
      // What cannot be read here can be sent.
      return undefined;
    }
  }

  #add({ path, mode }: SnapshotFile, bytes: Uint8Array): void {
    this.#parts.directory.writing(this.#folder.path, () => this.#folder.add(join(STATE, path), bytes, Number.parseInt(mode, 8)));
  }
}
