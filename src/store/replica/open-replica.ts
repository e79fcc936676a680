import type { Manifest } from "./manifest.ts";

/** What a log says of itself before anything is sent: where it is to go, its verifier key, its signed tree head. */
export interface Opening {
  /** Absolute. */
  readonly path: string;
  readonly key: string;
  readonly head: string;
}

/** How many entries a replica has, in how many blocks; they are on its disk. */
export interface Standing {
  readonly size: number;
  readonly blocks: number;
}

/** A replica that is being brought up to date, here or elsewhere. What it does not take it throws; then it is of no more use. */
export interface OpenReplica extends AsyncDisposable {
  /** What it had when it was opened; after each call what it has then. */
  readonly standing: Standing;
  /** Shows that the log begins with what the replica has. Throws kind integrity where it does not. Comes before `take`. */
  prove(proof: readonly Uint8Array[]): Promise<void>;
  /** The next blocks with their entries, frames as a tail has them. Throws kind integrity for any that the log's key did not sign there. */
  take(piece: Buffer): Promise<void>;
  /** The snapshots of these entries, at most MOST_OFFERED. Returns the places of those that it does not have. Comes after all of `take`. */
  offer(entries: readonly number[]): Promise<readonly number[]>;
  /**
   * A snapshot that it does not have. Returns the places of the files whose bytes it does not have; with the last of them, or at once where it
   * has all, the snapshot is there. Throws kind integrity for one that is not what its entry says, or that no replica takes.
   */
  begin(manifest: Manifest): Promise<readonly number[]>;
  /** The bytes of the next of those files, one or more of them. Throws kind integrity for any others. */
  fill(contents: Buffer): Promise<void>;
}

/** Opens the replica that a log with this key and tree head is to go to. */
export type Opener = (log: Omit<Opening, "path">) => Promise<OpenReplica>;
