import { OpError } from "../../core/errors.ts";
import { discardUnfinished } from "../../sys/new-folder.ts";
import type { LogFiles } from "../audit/log-files.ts";
import { LogView } from "../audit/log-view.ts";
import type { VerifierKey } from "../audit/note.ts";
import { loggedSnapshot, type LoggedSnapshot } from "../audit/snapshot-entry.ts";
import { replicaSnapshotFiles, type SnapshotFiles } from "../snapshot-files.ts";
import { snapshotNamed } from "../snapshot-name.ts";
import type { StateDirectory } from "../state-directory.ts";
import { IncomingSnapshot } from "./incoming-snapshot.ts";
import { manifestRoot, unfit, type Manifest } from "./manifest.ts";

export interface ReplicaSnapshotsParts {
  readonly directory: StateDirectory;
  readonly files: LogFiles;
  readonly key: VerifierKey;
}

/** The snapshots of a replica, each what its entry of the replica's own log says. Who adds to them holds the lock. */
export class ReplicaSnapshots {
  readonly #parts: ReplicaSnapshotsParts;
  readonly #stored: SnapshotFiles;
  #incoming: IncomingSnapshot | undefined;
  /** The snapshot that came last, which the next has most in common with. */
  #latest: string | undefined;

  constructor(parts: ReplicaSnapshotsParts) {
    this.#parts = parts;
    this.#stored = replicaSnapshotFiles(parts.directory, parts.files);
    this.#latest = this.#stored.all().at(-1)?.name;
  }

  /** Takes away what dead runs left unfinished. */
  sweep(): void {
    const { home } = this.#stored;
    this.#parts.directory.writing(home, () => discardUnfinished(home, (name) => snapshotNamed(name) !== undefined));
  }

  /** The places of those that are not there. Throws kind invalid for a number of another entry. */
  missing(entries: readonly number[]): number[] {
    const view = this.#view();
    return [...entries.keys()].filter((place) => !this.#stored.has(loggedAt(view, entries[place] as number).name));
  }

  /** The places of the files that are to come for it; with none, it is there. */
  begin(manifest: Manifest): readonly number[] {
    this.discard();
    const logged = loggedAt(this.#view(), manifest.entry);
    const { name, state, entry } = logged;
    if (this.#stored.has(name)) throw new OpError("invalid", `Snapshot ${name} is sent, and is here`);
    const why = unfit(manifest.files);
    if (why !== undefined) throw new OpError("integrity", `Snapshot ${name} is not taken: ${why}`);
    if (manifestRoot(manifest) !== state) throw new OpError("integrity", `What is sent as snapshot ${name} is not what entry ${entry} of the log has the content root of`);
    const incoming = (this.#incoming = new IncomingSnapshot({ directory: this.#parts.directory, home: this.#stored.home, logged, files: manifest.files }));
    const wanted = incoming.copy(this.#latest === undefined ? undefined : this.#stored.statePath(this.#latest));
    this.#finish(incoming);
    return wanted;
  }

  /** Takes the bytes of files of the snapshot that was begun. Throws kind invalid where none was. */
  fill(contents: Buffer): void {
    const incoming = this.#incoming;
    if (incoming === undefined) throw new OpError("invalid", "Files came that belong to no snapshot");
    incoming.fill(contents);
    this.#finish(incoming);
  }

  /** Lets go of a snapshot that is not whole. */
  discard(): void {
    const incoming = this.#incoming;
    this.#incoming = undefined;
    if (incoming !== undefined) this.#parts.directory.writing(this.#stored.home, () => incoming.discard());
  }

  #finish(incoming: IncomingSnapshot): void {
    if (!incoming.isWhole) return;
    incoming.finish();
    this.#latest = incoming.name;
    this.#incoming = undefined;
  }

  #view(): LogView {
    return new LogView(this.#parts.files, this.#parts.key);
  }
}

/** Traced to the tree head. Throws kind invalid for an entry that is none of a snapshot. */
function loggedAt(view: LogView, number: number): LoggedSnapshot {
  const [entry] = view.entries({ from: number, to: number + 1 });
  const logged = entry === undefined ? undefined : loggedSnapshot(entry);
  if (logged === undefined) throw new OpError("invalid", `Entry ${number} of the log is about no snapshot that was taken`);
  return logged;
}
