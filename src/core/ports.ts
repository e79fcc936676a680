import type { BootTime, Hold } from "./confirmation.ts";
import type { StateDocument } from "./document.ts";
import type { Json } from "./json.ts";
import type { Change } from "./plugin.ts";
import type { Resources, Ownership } from "./resource.ts";
import type { Opening } from "./secret.ts";

/*
 * What a lower room needs from a higher or a neighbouring one. Each is implemented in one place and handed over in main.ts.
 */

export interface Clock {
  now(): Date;
  /** Milliseconds on a clock that no one sets. */
  monotonicMs(): number;
  /** Goes on while the machine sleeps (CLOCK_BOOTTIME). */
  bootTime(): BootTime;
  sleep(ms: number): Promise<void>;
}

/** Who is doing this, from the kernel's word where it has one; SUDO_USER only as claimed. */
export interface Actor {
  readonly uid: number;
  readonly user: string;
  readonly loginUid?: number;
  readonly session?: number;
  readonly claimedSudoUser?: string;
  /** "cli" or "dbus". */
  readonly door: string;
}

/** One line of history, before the sink adds who, where and when. */
export interface AuditEvent {
  readonly kind: AuditKind;
  readonly transaction?: string;
  readonly plugin?: string;
  readonly operation?: string;
  readonly resource?: string;
  readonly before?: Json;
  readonly after?: Json;
  readonly outcome?: "begun" | "done" | "failed";
  readonly detail?: Json;
  /** True for an entry that could not be written when it happened. */
  readonly late?: boolean;
}

export type AuditKind =
  | "plan"
  | "action"
  | "verify"
  | "confirm"
  | "commit"
  | "revert"
  | "recovery"
  | "rollback"
  | "checkpoint"
  | "refusal"
  | "ownership"
  | "snapshot"
  | "reveal"
  | "prune";

export interface AuditEntry extends AuditEvent {
  readonly index: number;
  readonly time: string;
  readonly host: string;
  readonly boot: string;
  readonly monotonicMs: number;
  readonly actor: Actor;
}

/** Where history goes. `append` returns when all the entries are durable, together, in order, or throws and has added none. */
export interface AuditSink {
  append(events: readonly AuditEvent[]): Promise<void>;
  /** Sets room aside so that a revert can still be logged on a full disk; `free` gives it back. */
  reserve(): Promise<void>;
  free(): Promise<void>;
}

export interface AuditReader {
  /** How many entries there are; they are numbered from 0. */
  size(): number;
  /**
   * The entries of a range as they are when the first is asked for, read as they are asked for. Throws kind integrity on coming
   * to one that is not as it was logged, naming it by its number.
   */
  entries(range?: EntryRange): Iterable<AuditEntry>;
  /**
   * What was pruned of it, so that it is not among the entries any more; undefined where all are there. Throws kind integrity where
   * entries are missing that no prune let go.
   */
  pruned(): Pruned | undefined;
}

/** The content of a log's oldest entries was let go; their hashes were kept. */
export interface Pruned {
  /** The number of the first entry that is still there (the minimum index of c2sp.org/tlog-tiles). */
  readonly minimumIndex: number;
  /** The latest time that an entry had that is gone. */
  readonly latest: string;
  /** When that was, and the number of the entry that says so. */
  readonly when: string;
  readonly entry: number;
}

/** All entries, oldest first, unless it says otherwise. */
export interface EntryRange {
  readonly from?: number;
  /** The first that is not in it. */
  readonly to?: number;
  readonly newestFirst?: boolean;
}

/** The one writer's right to change the host; it ends with the process that holds it. */
export interface Lock {
  /** Throws kind refused, saying who holds it and since when. */
  acquire(purpose: string): Promise<AsyncDisposable>;
  /**
   * The same, from a holder that does not let go: its process is killed when it had `patienceMs()`, asked for again and again, or at once
   * where it is stopped. Throws kind refused when it cannot be killed, or cannot be told from another.
   */
  seize(purpose: string, patienceMs: () => number): Promise<AsyncDisposable>;
  holder(): LockHolder | undefined;
}

export interface LockHolder {
  readonly pid: number;
  readonly user: string;
  readonly purpose: string;
  readonly since: string;
}

/** What recovery decides by. Every call is durable before it returns. One transaction at a time. */
export interface Journal {
  begin(header: TransactionHeader): Promise<void>;
  append(record: JournalRecord): Promise<void>;
  /** What a dead process left behind. A record torn by the crash was never begun and is not in it. */
  pending(): OpenTransaction | undefined;
  close(): Promise<void>;
}

export interface OpenTransaction {
  readonly header: TransactionHeader;
  readonly records: readonly JournalRecord[];
}

/** Everything that recovery needs without asking anything else. */
export interface TransactionHeader {
  readonly id: string;
  readonly kind: "apply" | "rollback";
  readonly started: string;
  readonly actor: Actor;
  /** What was asked for, and its hash. A rollback's is the state it returns to. */
  readonly document: StateDocument;
  readonly documentHash: string;
  /** By plugin: the desired state in full (with what `--prune` adds), and what the changed keys were. */
  readonly desired: Readonly<Record<string, Resources>>;
  readonly before: Readonly<Record<string, Resources>>;
  readonly identities: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly steps: readonly TransactionStep[];
  readonly planId?: string;
  /** For a rollback: the checkpoints whose applies it undoes. */
  readonly undoes?: readonly string[];
  /** Without it the change is committed as soon as it is verified. */
  readonly hold?: Hold;
  /** The boot that it was made in, where the next one takes some of it back by itself. */
  readonly boot?: string;
}

export interface TransactionStep {
  readonly plugin: string;
  readonly name: string;
  readonly oneWay?: string;
  readonly changes: readonly Change[];
}

export type Phase = "apply" | "revert";

export type JournalRecord =
  | { readonly record: "step-begun"; readonly phase: Phase; readonly step: number }
  | { readonly record: "step-done"; readonly phase: Phase; readonly step: number; readonly plugin: string; readonly effects: readonly Change[] }
  /** `besides`: what keys were that the way back will bring about to change, and that it returns to that too. */
  | { readonly record: "reverting"; readonly why: string; readonly besides?: Readonly<Record<string, Resources>> }
  /** Verified, and to be committed when it is confirmed. */
  | { readonly record: "waiting"; readonly commit: Commit; readonly verified: BootTime }
  /** `confirmed`: how that was proved, where it had to be. */
  | { readonly record: "committing"; readonly commit: Commit; readonly confirmed?: string }
  /** The way back is over: what the ledger is told, and what is left different. */
  | { readonly record: "reverted"; readonly commit: Commit; readonly left: readonly string[] }
  | { readonly record: "unlogged"; readonly events: readonly AuditEvent[] };

/** What is in force and how it came to be. */
export interface Ledger {
  /** The merge of what is in force, by plugin. */
  current(): StateDocument;
  ownership(): Ownership;
  /** Oldest first. */
  checkpoints(): readonly Checkpoint[];
  /** The names and numbers of all checkpoints, oldest first, without looking into them. */
  marks(): readonly CheckpointMark[];
  rejection(documentHash: string): Rejection | undefined;
  /** Oldest first. */
  rejections(): readonly Rejection[];
  isSpent(planId: string): boolean;
  /** Writes all of it; doing it twice is doing it once, so that a crash in between can be mended by doing it again. */
  commit(commit: Commit): Promise<void>;
}

export type CheckpointMark = Pick<Checkpoint, "name" | "sequence">;

/** Absent keys are left as they are. */
export interface Commit {
  readonly current?: StateDocument;
  readonly ownership?: Ownership;
  /** Written over those of the same name. */
  readonly checkpoints?: readonly Checkpoint[];
  readonly forget?: readonly string[];
  readonly reject?: readonly Rejection[];
  /** Document hashes that may be applied again. */
  readonly accept?: readonly string[];
  readonly spend?: string;
}

export interface Rejection {
  readonly documentHash: string;
  readonly when: string;
  readonly who: string;
  readonly why: string;
}

/** The point just before an apply (kind apply), or one that a user marked. */
export interface Checkpoint {
  readonly name: string;
  readonly sequence: number;
  readonly created: string;
  readonly actor: Actor;
  readonly applied?: Applied;
}

/** What one apply changed: all that rollback needs. */
export interface Applied {
  readonly transaction: string;
  readonly documentHash: string;
  /** By plugin, in the order made. */
  readonly changes: Readonly<Record<string, readonly Change[]>>;
  /** By plugin: the policy keys of the resources touched. */
  readonly policies: Readonly<Record<string, Resources>>;
  readonly ownershipBefore: Ownership;
  readonly currentBefore: StateDocument;
  readonly undone?: Undone;
}

/** The rollback that undid an apply. */
export interface Undone {
  readonly when: string;
  readonly why: string;
  readonly transaction?: string;
  /** What the rollback found in force. */
  readonly currentBefore?: StateDocument;
}

/** Secret values, apart from all else that is kept. */
export interface SecretStore {
  /** The commitment to what stands at a key: the same for the same two on one host. Writes nothing, and the value is known from here on. */
  commit(key: readonly string[], value: string): string;
  /** What a commitment is to; undefined where it is not known here. Throws kind refused where this user may not know. */
  open(commitment: string): Opening | undefined;
  /** The commitments in a value that only this process knows what they are to. */
  unkept(named: unknown): readonly string[];
  /** Makes durable what those are to. The caller holds the lock. */
  keep(named: unknown): Promise<void>;
}

/** A file under /etc that belongs to a change: read, and removed durably. */
export interface ConfigFile {
  /** The text, or undefined where there is no such file. Throws kind unavailable when it cannot be read. */
  read(path: string): string | undefined;
  /** Whether it is a file of no bytes; a link is followed. */
  isEmpty(path: string): boolean;
  /** What a link says, or undefined where there is no link. */
  linkTarget(path: string): string | undefined;
  /** What is in a folder, by name; nothing where there is no folder. */
  list(path: string): readonly FolderEntry[];
  /** Makes durable what a peer wrote, linked or removed at these paths, and the folders that it made for it. Throws kind failed. */
  sync(paths: readonly string[]): void;
  remove(path: string): void;
}

export interface FolderEntry {
  readonly name: string;
  readonly kind: "file" | "link" | "folder" | "other";
}

/** Who would be cut off, and what the system lets them do. */
export interface Operator {
  readonly isRoot: boolean;
  /** op-dbus and the processes above it, nearest first. */
  readonly pids: readonly number[];
  readonly overSsh: boolean;
  /** This host's ends of the TCP connections that those processes hold: where a session came in. */
  readonly sessionAddresses: readonly string[];
}

/** A unit's own words. */
export interface UnitLog {
  /** The last lines that the unit logged in this invocation (or at all), oldest first; or one line that says where to look. */
  lastLines(unit: string, count: number): readonly string[];
}

/** Files that the user names on the command line. */
export interface UserFiles {
  /** Throws kind invalid, naming the path, for what is not a readable file of at most `limitBytes`. */
  read(path: string, limitBytes: number): string;
  /** Throws kind refused when it exists, unless `replace`. */
  write(path: string, text: string, options: { readonly replace: boolean }): void;
  exists(path: string): boolean;
}

/** Bytes to and from a process elsewhere. */
export interface Channel {
  /** The next bytes; undefined at their end. */
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
}
