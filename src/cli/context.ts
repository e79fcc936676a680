import type { Probe, Reachability } from "../core/confirmation.ts";
import type { Plugin } from "../core/plugin.ts";
import type { UserFiles } from "../core/ports.ts";
import type { Pruning } from "../store/pruning.ts";
import type { Snapshot } from "../store/snapshot-name.ts";
import type { ArchivePlace, AuditArchive } from "../store/audit/archive.ts";
import type { Opener } from "../store/replica/open-replica.ts";
import type { Engine } from "../engine/engine.ts";
import type { Machine } from "./machine.ts";
import type { Output } from "./output.ts";
import type { ReplicaTarget } from "./replica-target.ts";
import type { Settings } from "./settings.ts";

/** What a command works with, handed over by main.ts. */
export interface Context {
  readonly settings: Settings;
  readonly output: Output;
  readonly files: UserFiles;
  readonly input: Input;
  readonly signals: Signals;
  readonly machine: Machine;
  readonly build: Build;
  readonly now: () => Date;
  /**
   * "books" reads the state directory and knows no plugin; "read" also reads the host and can write nothing on any wire;
   * "write" is for commands that change the host or the books. Services are reached when a plugin first needs them.
   */
  open(access: Access): Promise<Session>;
  /** The snapshots of the state directory, oldest first. */
  snapshots(): Promise<readonly Snapshot[]>;
  /** What lets the content of old entries of the log go. */
  pruning(): Promise<Pick<Pruning, "plan" | "prune">>;
  /** The audit log as evidence: this host's own, or a replica at `path`. Throws kind invalid where there is none. */
  archive(place: Omit<ArchivePlace, "root">): Promise<AuditArchive>;
  /** The replica in a folder, here or on another host. */
  replica(target: ReplicaTarget): Opener;
  /** Keeps a replica for who speaks on standard input, in any folder and of any log, or of none but these. False where nobody spoke. */
  receive(only: ReplicaBounds): Promise<boolean>;
  /** Makes the state directory, and the state file's folder where that is op-dbus's own. Throws kind refused. */
  makeHome(): Promise<void>;
  /** What the caller's own login shows. */
  readonly reachability: Reachability;
  /** The probe of that name. Throws kind invalid for one that there is not. */
  probe(name: string): Promise<Probe>;
  /** The plugins as far as they are known without reading anything: names and schemas. */
  plugins(): Promise<readonly Plugin[]>;
}

/** What a replica may be. */
export interface ReplicaBounds {
  readonly folder: string | undefined;
  /** The log's verifier key. */
  readonly key: string | undefined;
}

export type Access = "books" | "read" | "write";

export interface Session extends AsyncDisposable {
  readonly engine: Engine;
}

export interface Input {
  /** True when a person is there to be asked: standard input and standard error are terminals. */
  readonly interactive: boolean;
  /** One line that a person types; undefined when there is no more. */
  line(): Promise<string | undefined>;
}

export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

export interface Signals {
  /** From here on the first of these signals, or of any, calls `first`; the second ends the process as if nobody had listened. */
  listen(first: (name: SignalName) => void, names?: readonly SignalName[]): Disposable;
}

export interface Build {
  readonly version: string;
  readonly commit: string;
}
