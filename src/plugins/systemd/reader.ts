import type { ConfigFile, FolderEntry } from "../../core/ports.ts";
import type { Sources } from "./facts.ts";
import { Statuses } from "./statuses.ts";

/** What there is to read from, for the length of one reading: each file, folder and status is got once. */
export interface Reader extends Sources {
  readonly configFiles: ReadOnce;
  readonly statuses: Statuses;
}

export function readOnce({ manager, configFiles, operator }: Sources): Reader {
  return { manager, operator, configFiles: new ReadOnce(configFiles), statuses: new Statuses(manager) };
}

/** Files and folders as they were when they were first looked at. */
export class ReadOnce implements ConfigFile {
  readonly #files: ConfigFile;
  readonly #texts = new Map<string, string | undefined>();
  readonly #lists = new Map<string, readonly FolderEntry[]>();
  readonly #names = new Map<string, ReadonlySet<string>>();

  constructor(files: ConfigFile) {
    this.#files = files;
  }

  read(path: string): string | undefined {
    if (!this.#texts.has(path)) this.#texts.set(path, this.#files.read(path));
    return this.#texts.get(path);
  }

  list(path: string): readonly FolderEntry[] {
    const list = this.#lists.get(path) ?? this.#files.list(path);
    this.#lists.set(path, list);
    return list;
  }

  /** Whether the folder has anything by that name. */
  has(folder: string, name: string): boolean {
    const names = this.#names.get(folder) ?? new Set(this.list(folder).map((entry) => entry.name));
    this.#names.set(folder, names);
    return names.has(name);
  }

  isEmpty(path: string): boolean {
    return this.#files.isEmpty(path);
  }

  linkTarget(path: string): string | undefined {
    return this.#files.linkTarget(path);
  }

  sync(paths: readonly string[]): void {
    this.#files.sync(paths);
  }

  remove(path: string): void {
    this.#files.remove(path);
  }
}
