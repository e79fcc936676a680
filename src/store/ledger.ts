import { EMPTY_DOCUMENT, type StateDocument } from "../core/document.ts";
import { canonicalJson } from "../core/json.ts";
import type { Ownership } from "../core/resource.ts";
import type { Checkpoint, CheckpointMark, Commit, Ledger, Rejection } from "../core/ports.ts";
import { CheckpointFiles } from "./checkpoint-files.ts";
import { namedFile } from "./paths.ts";
import { RejectedFiles } from "./rejected-files.ts";
import type { Reserve } from "./reserve.ts";
import { commitSchema, ledgerSchemas } from "./schemas.ts";
import type { StateDirectory, StoredFile } from "./state-directory.ts";
import { damaged, readStored, storable, storedText } from "./stored-json.ts";

/** What is in force, in files that a person can read. Nothing is kept in memory: what is asked for is read. */
export class FileLedger implements Ledger {
  readonly #directory: StateDirectory;
  readonly #reserve: Reserve;
  readonly #checkpoints: CheckpointFiles;
  readonly #rejected: RejectedFiles;

  constructor(directory: StateDirectory, reserve: Reserve) {
    this.#directory = directory;
    this.#reserve = reserve;
    this.#checkpoints = new CheckpointFiles(directory);
    this.#rejected = new RejectedFiles(directory);
  }

  current(): StateDocument {
    return readStored(this.#directory, this.#directory.paths.current, ledgerSchemas.document) ?? EMPTY_DOCUMENT;
  }

  ownership(): Ownership {
    return readStored(this.#directory, this.#directory.paths.ownership, ledgerSchemas.ownership) ?? {};
  }

  checkpoints(): readonly Checkpoint[] {
    return this.#checkpoints.all();
  }

  marks(): readonly CheckpointMark[] {
    return this.#checkpoints.marks();
  }

  rejection(documentHash: string): Rejection | undefined {
    return this.#rejected.find(documentHash);
  }

  rejections(): readonly Rejection[] {
    return this.#rejected.all();
  }

  isSpent(planId: string): boolean {
    const path = this.#spentPath(planId);
    const spent = readStored(this.#directory, path, ledgerSchemas.spent);
    if (spent !== undefined && spent.plan !== planId) throw damaged(path, `it is about the plan '${spent.plan}'`);
    return spent !== undefined;
  }

  /**
   * What forbids and what is needed to undo comes first, what is in force after it, and what is let go last: a commit that a
   * crash cut short never permits more than a whole one. The same commit leaves the same bytes, however often it is made.
   * What is both written and let go is written. Throws kind invalid, before anything is written, for a name that cannot be a file's.
   */
  async commit(commit: Commit): Promise<void> {
    const { current, ownership, checkpoints = [], forget = [], reject = [], accept = [], spend } = storable(commit, commitSchema);
    const written = [
      ...reject.map((rejection) => this.#rejected.fileOf(rejection)),
      ...(spend === undefined ? [] : [this.#spentFile(spend)]),
      ...checkpoints.map((checkpoint) => this.#checkpoints.fileOf(checkpoint)),
      ...(ownership === undefined ? [] : [this.#ownershipFile(ownership)]),
      ...(current === undefined ? [] : this.#filesOf(current)),
    ];
    const letGo = [
      ...(current === undefined ? [] : this.#pluginsWithout(current)),
      ...forget.map((name) => this.#checkpoints.pathOf(name)),
      ...accept.map((hash) => this.#rejected.pathOf(hash)),
    ].filter((path) => !written.some((file) => file.path === path));
    for (const file of written) this.#reserve.attempt(() => this.#directory.write(file));
    for (const path of letGo) this.#directory.remove(path);
  }

  #ownershipFile(ownership: Ownership): StoredFile {
    const { state: folder, ownership: path } = this.#directory.paths;
    return { folder, path, content: storedText(ownership, ledgerSchemas.ownership) };
  }

  /** current.json last: it alone is asked what is in force, the files of the plugins are for people. */
  #filesOf(current: StateDocument): StoredFile[] {
    const { state, plugins, current: path } = this.#directory.paths;
    const sections = Object.entries(current.plugins).map(([name, section]) => ({
      folder: plugins,
      path: namedFile(plugins, "plugin", name),
      content: canonicalJson(section),
    }));
    return [...sections, { folder: state, path, content: storedText(current, ledgerSchemas.document) }];
  }

  #pluginsWithout(current: StateDocument): string[] {
    const { plugins } = this.#directory.paths;
    const gone = this.#directory.names(plugins).filter((name) => !Object.hasOwn(current.plugins, name));
    return gone.map((name) => namedFile(plugins, "plugin", name));
  }

  #spentFile(planId: string): StoredFile {
    const { spent: folder } = this.#directory.paths;
    return { folder, path: this.#spentPath(planId), content: storedText({ plan: planId }, ledgerSchemas.spent) };
  }

  #spentPath(planId: string): string {
    return namedFile(this.#directory.paths.spent, "plan", planId);
  }
}
