import { dirname, isAbsolute, join } from "node:path";
import { OpError } from "../../core/errors.ts";
import { isThere } from "../../sys/files.ts";
import { createLock } from "../../sys/lock.ts";
import { AuditKeys } from "../audit/audit-keys.ts";
import { blockText } from "../audit/block.ts";
import { ENTRY_LIMIT_BYTES } from "../audit/bundle.ts";
import { decodeEntry } from "../audit/entry.ts";
import { LogFiles } from "../audit/log-files.ts";
import { LogView } from "../audit/log-view.ts";
import { LogWriter } from "../audit/log-writer.ts";
import { sameHash } from "../audit/merkle.ts";
import { VerifierKey } from "../audit/note.ts";
import { verifyConsistency } from "../audit/proof.ts";
import { publish } from "../audit/publish.ts";
import { wholeFrames, type Frame } from "../audit/tail.ts";
import { openTreeHead, type TreeHead } from "../audit/tree-head.ts";
import { StateDirectory } from "../state-directory.ts";
import { MOST_OFFERED, type Manifest } from "./manifest.ts";
import { ReplicaSnapshots } from "./replica-snapshots.ts";
import type { OpenReplica, Opening, Standing } from "./open-replica.ts";

/** There from the first instant on: without it a folder that is not empty is not ours to write in. */
const LOCK = "replica.lock";
/** What a new file system has at its top. */
const FOUND = "lost+found";

const EVIDENCE = "Keep both as they are: they are evidence. 'op-dbus audit verify --blockchain-path' checks a replica by itself";

/**
 * A log that was written elsewhere, and the witness of what it was: it takes only what its log's key signed and what goes on from the
 * entries that it has. It is a log like any other but for the private key: blocks are synced into its tail one by one and then
 * published, so that it verifies at every instant, and what a crash cuts short the next run publishes.
 */
export class Replica implements OpenReplica {
  readonly #lock: AsyncDisposable;
  readonly #directory: StateDirectory;
  readonly #files: LogFiles;
  readonly #key: VerifierKey;
  readonly #writer: LogWriter;
  readonly #snapshots: ReplicaSnapshots;
  /** What it is to have when all is sent. */
  readonly #goal: TreeHead;
  #proven = false;

  /**
   * Opens the folder `opening.path`, made if it is not there and the folder above is. Throws, with nothing made and no replica changed: kind
   * invalid for an opening that says nothing, refused for a folder that is no replica or another log's, integrity for a log that has less.
   */
  static async open({ path, ...log }: Opening): Promise<Replica> {
    const key = VerifierKey.parse(log.key);
    if (key === undefined || !isAbsolute(path)) throw new OpError("invalid", "A replication begins with a folder's absolute path and a verifier key");
    const head = openTreeHead(log.head, key);
    if (head === undefined) throw new OpError("integrity", "The tree head that is sent is not signed by the log's key");
    const directory = new StateDirectory(path, { noun: "replica", another: "as a user who may write there" });
    const files = new LogFiles(directory, path);
    checkFolder(directory, files, key);
    await directory.makeRoot();
    const lock = await createLock(join(path, LOCK)).acquire("audit replicate");
    try {
      // Somebody else's first run may just have ended.
      const isNew = checkFolder(directory, files, key) === undefined;
      directory.sweep();
      if (isNew) directory.write({ folder: path, path: files.verifierKeyPath, content: `${key}\n` });
      return new Replica(lock, { directory, files, key, head });
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(lock: AsyncDisposable, { directory, files, key, head }: { directory: StateDirectory; files: LogFiles; key: VerifierKey; head: TreeHead }) {
    this.#lock = lock;
    this.#directory = directory;
    this.#files = files;
    this.#key = key;
    this.#goal = head;
    this.#writer = new LogWriter(directory, files, key);
    this.#snapshots = new ReplicaSnapshots({ directory, files, key });
    this.#snapshots.sweep();
    const { size } = this.#writer;
    if (size <= head.size) return;
    throw new OpError("integrity", `The replica ${files.path} has ${size} entries, the log itself has ${head.size}: the log has lost entries, or was taken back to an earlier state`, { hint: EVIDENCE });
  }

  get standing(): Standing {
    return { size: this.#writer.size, blocks: this.#writer.blocks };
  }

  async prove(proof: readonly Uint8Array[]): Promise<void> {
    const { size, root } = this.#writer;
    if (!verifyConsistency(proof, { first: size, firstRoot: root, size: this.#goal.size, root: this.#goal.root })) {
      throw new OpError("integrity", `The log does not begin with the ${size} entries that the replica ${this.#files.path} has of it: it was written anew`, { hint: EVIDENCE });
    }
    this.#proven = true;
    this.#publish();
  }

  async take(piece: Buffer): Promise<void> {
    const frames = wholeFrames(piece);
    if (!this.#proven || frames === undefined) throw new OpError("invalid", "Blocks came that are not whole, or before the proof that they go on from what is here");
    for (const frame of frames) this.#add(frame);
    this.#publish();
  }

  async offer(entries: readonly number[]): Promise<readonly number[]> {
    if (this.#writer.size < this.#goal.size || !this.#proven || entries.length > MOST_OFFERED) throw new OpError("invalid", "Snapshots are offered before the log is here, or too many at once");
    return this.#snapshots.missing(entries);
  }

  async begin(manifest: Manifest): Promise<readonly number[]> {
    if (!this.#proven) throw new OpError("invalid", "A snapshot came before the proof that the log goes on from what is here");
    return this.#snapshots.begin(manifest);
  }

  async fill(contents: Buffer): Promise<void> {
    this.#snapshots.fill(contents);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#snapshots.discard();
    } catch {
      // The next run takes it away; what ended this one is to be told.
    }
    await this.#lock[Symbol.asyncDispose]();
  }

  /** The block, its place and its predecessor's hash must come out as they were sent; and the tree as it was signed. */
  #add({ block, entries }: Frame): void {
    const first = this.#writer.size;
    const fault = (what: string) => new OpError("integrity", `What is sent for entry ${first} and after does not verify: ${what}`, { hint: EVIDENCE });
    for (const [offset, bytes] of entries.entries()) {
      if (bytes.length > ENTRY_LIMIT_BYTES) throw fault(`entry ${first + offset} is too long`);
      decodeEntry(bytes, { start: 0, end: bytes.length }, first + offset, fault);
    }
    const own = this.#writer.frameOf(entries, ({ size, root }) => {
      const head = openTreeHead(block.head, this.#key);
      const known = size < this.#goal.size ? root : this.#goal.root;
      if (size > this.#goal.size || head?.size !== size || !sameHash(head.root, root) || !sameHash(known, root)) throw fault(`block ${block.number} is not signed by the log's key as it is`);
      return block.head;
    });
    if (blockText(own.block) !== blockText(block)) throw fault(`block ${block.number} is not the block that comes next`);
    this.#writer.write(own);
  }

  #publish(): void {
    publish(this.#directory, this.#files, new LogView(this.#files, this.#key));
    this.#writer.published();
  }
}

/** The key that is in the folder; undefined where nothing is. Throws where it may not be written in. */
function checkFolder(directory: StateDirectory, files: LogFiles, key: VerifierKey): VerifierKey | undefined {
  const { path } = files;
  if (!isThere(dirname(path))) throw new OpError("refused", `There is no folder ${dirname(path)} for the replica`, { hint: "Is its disk mounted? Only the last part of the path is made" });
  const names = directory.list(path);
  if (!names.every((name) => name === FOUND) && !names.includes(LOCK)) {
    throw new OpError("refused", `${path} is not empty and no replica that 'audit replicate' began`, { hint: "Name a folder that is not there yet" });
  }
  const found = new AuditKeys(directory, files).verifier();
  if (found === undefined || found.toString() === key.toString()) return found;
  throw new OpError("refused", `${path} is the replica of another log, ${found.name}`, { hint: "One folder for each log: name another" });
}
