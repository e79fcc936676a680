import { basename, join } from "node:path";
import { codeOf } from "../core/errors.ts";
import { cutDurably, openAppend, removeAllDurably, removeDurably, removeLeftovers, writeAllDurably, writeDurably, type AppendFile } from "../sys/durable.ts";
import { discardFolder, linkDurably, makeDirectory } from "../sys/durable-folders.ts";
import { checkWritable, isThere, isVolume, listFolder, readBytes, readEnd, readText, type FileEnd } from "../sys/files.ts";
import { isName, modeOf, statePaths, type StatePaths } from "./paths.ts";
import { storageFailure, type Named } from "./storage-failure.ts";

/** A file as it is to be. */
export interface StoredFile {
  readonly folder: string;
  readonly path: string;
  readonly content: string | Uint8Array;
  /** 0644 without it. */
  readonly mode?: number;
}

const STATE_DIRECTORY: Named = { noun: "state directory", another: "name another directory with --root" };

/**
 * The files under the root. Folders come with the first write into them, so that reading leaves no trace. A failure of the
 * file system is an OpError that names the path and says why; its cause keeps the system's code.
 */
export class StateDirectory {
  readonly paths: StatePaths;
  readonly #made = new Set<string>();
  readonly #named: Named;

  constructor(root?: string, named: Named = STATE_DIRECTORY) {
    this.paths = statePaths(root);
    this.#named = named;
  }

  /**
   * Makes room for the lock, the first thing that a change writes, and the folders that are to be subvolumes where that can be: one that is
   * there is never replaced; and the links. Throws kind refused where nothing could be written.
   */
  async prepare(): Promise<void> {
    const { root, timing, state } = this.paths;
    const makeVolumes = await volumeMaker([timing, state]);
    this.writing(state, () => {
      makeDirectory(root);
      makeVolumes((path) => modeOf(path, this.paths));
      this.#make(state);
      this.#make(timing);
      checkWritable(state);
    });
    this.makeLinks();
  }

  /** Links the folders that there are by the names that scripts may know. What is there by such a name stays; without a link all works. */
  makeLinks(): void {
    const { links, timing, state, snapshots } = this.paths;
    const there = [timing, state, snapshots].filter(isThere).map((folder) => basename(folder));
    try {
      linkDurably(links, Object.fromEntries(there.map((name) => [name.slice(1), join("..", name)])));
    } catch (error) {
      // A full disk must not stand in the way of a revert; some file systems have no links.
      if (codeOf(error) === undefined) throw error;
    }
  }

  /** Makes the root itself, a subvolume where that can be; the folder above is there. */
  async makeRoot(): Promise<void> {
    const { root } = this.paths;
    const makeVolumes = await volumeMaker([root]);
    this.writing(root, () => {
      makeVolumes(() => 0o755);
      makeDirectory(root);
      checkWritable(root);
    });
  }

  /** undefined while there is nothing. */
  async onSubvolumes(): Promise<boolean | undefined> {
    const { timing, state } = this.paths;
    const made = [timing, state].filter(isThere);
    if (made.length === 0) return undefined;
    // Without the native library: most hosts have none, and pay nothing for it.
    return made.every(isVolume);
  }

  readText(path: string): string | undefined {
    return this.reading(path, () => readText(path));
  }

  readBytes(path: string): Buffer | undefined {
    return this.reading(path, () => readBytes(path));
  }

  readEnd(path: string, limitBytes: number): FileEnd | undefined {
    return this.reading(path, () => readEnd(path, limitBytes));
  }

  /** All names in a folder; none where there is no folder. */
  list(folder: string): readonly string[] {
    return this.reading(folder, () => listFolder(folder));
  }

  /** The names, without ".json", of the files in a folder that holds one a thing. What op-dbus cannot have named is not its own. */
  names(folder: string): readonly string[] {
    const found = this.list(folder).filter((name) => name.endsWith(".json"));
    return found.map((name) => name.slice(0, -".json".length)).filter(isName);
  }

  write({ folder, path, content, mode }: StoredFile): void {
    this.writing(path, () => {
      this.#make(folder);
      writeDurably(path, content, mode);
    });
  }

  makeFolder(folder: string): void {
    this.writing(folder, () => this.#make(folder));
  }

  /** Writes files of the same file system, with fewer syncs than one after another; a failure may leave some of them written. */
  writeAll(files: readonly StoredFile[], scratch: string): void {
    this.writing(scratch, () => {
      for (const { folder } of files) this.#make(folder);
      writeAllDurably(files, scratch);
    });
  }

  /** Removes a folder of files that are not needed any more, if it is there and holds nothing but names such as these. */
  discard(folder: string, isOurs: (name: string) => boolean): void {
    this.writing(folder, () => {
      discardFolder(folder, isOurs);
      this.#made.delete(folder);
    });
  }

  /** Removes a file for good; one that is not there is removed already. */
  remove(path: string): void {
    this.writing(path, () => {
      try {
        removeDurably(path);
      } catch (error) {
        if (codeOf(error) !== "ENOENT") throw error;
      }
    });
  }

  /** Removes files for good, with fewer syncs than one after another; a failure may leave some of them. */
  removeAll(paths: readonly string[]): void {
    this.writing(paths[0] ?? this.paths.root, () => removeAllDurably(paths));
  }

  /** A file for appending, taken back to `length` bytes first where it is longer. */
  open(folder: string, path: string, length: number): AppendFile {
    return this.writing(path, () => {
      this.#make(folder);
      const file = openAppend(path);
      if (file.length <= length) return file;
      file.close();
      cutDurably(path, length);
      return openAppend(path);
    });
  }

  append(file: AppendFile, path: string, content: string | Uint8Array): void {
    this.writing(path, () => file.append(content));
  }

  /** Removes the temporary files of processes that died while they wrote. The caller holds the lock. */
  sweep(): void {
    const { root, timing, state, plugins, checkpoints, rejected, spent, keys, secrets } = this.paths;
    this.writing(root, () => [root, timing, state, plugins, checkpoints, rejected, spent, keys, secrets].forEach(removeLeftovers));
  }

  /** Does what writes at a path; a failure of the file system comes out as one of this directory's. */
  writing<T>(path: string, act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw storageFailure(cause, { path, doing: "written", root: this.paths.root, named: this.#named });
    }
  }

  /** As `writing`, of what reads. */
  reading<T>(path: string, act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw storageFailure(cause, { path, doing: "read", root: this.paths.root, named: this.#named });
    }
  }

  #make(folder: string): void {
    if (this.#made.has(folder)) return;
    makeDirectory(this.paths.root);
    makeDirectory(folder, modeOf(folder, this.paths));
    this.#made.add(folder);
  }
}

/** Makes subvolumes of those that are not there. The native library is loaded only where there is something to make. */
async function volumeMaker(paths: readonly string[]): Promise<(modeOf: (path: string) => number) => void> {
  const missing = paths.filter((path) => !isThere(path));
  if (missing.length === 0) return () => undefined;
  const { makeVolume } = await import("../sys/native/volume.ts");
  return (mode) => missing.forEach((path) => makeVolume(path, mode(path)));
}
