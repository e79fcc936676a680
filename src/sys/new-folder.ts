import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { createSynced } from "./durable.ts";
import { makeDirectory, syncFolder } from "./durable-folders.ts";
import { isThere } from "./files.ts";

/** What is unfinished, or on its way out, has a name in front of which stands this. */
export const UNFINISHED = ".op-dbus-";

/** A folder of files that comes to be there whole, in one stroke, or not at all. A crash leaves one that `discardUnfinished` takes away. */
export class NewFolder {
  readonly #home: string;
  readonly #name: string;
  readonly #folders: Set<string>;

  /** Begins the folder `name` in `home`. Throws EEXIST where one of that name is unfinished. */
  constructor(home: string, name: string) {
    this.#home = home;
    this.#name = name;
    mkdirSync(this.path);
    this.#folders = new Set([this.path]);
  }

  /** Where it is until it is finished. */
  get path(): string {
    return join(this.#home, `${UNFINISHED}${this.#name}`);
  }

  /** Adds a file, and the folders above it. Takes a path that leads to nowhere else. */
  add(path: string, bytes: Uint8Array, mode: number): void {
    const full = join(this.path, path);
    this.#makeFolder(dirname(full));
    createSynced(full, bytes, mode);
  }

  /** Makes it what it is to be, on the disk. Throws ENOTEMPTY where there is something by that name. */
  finish(): void {
    for (const folder of [...this.#folders].toReversed()) syncFolder(folder);
    renameSync(this.path, join(this.#home, this.#name));
    syncFolder(this.#home);
  }

  discard(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #makeFolder(path: string): void {
    if (this.#folders.has(path)) return;
    this.#makeFolder(dirname(path));
    makeDirectory(path);
    this.#folders.add(path);
  }
}

/** Takes away what a crash left of folders of these names that were being made. The caller is the only one who makes any there. */
export function discardUnfinished(home: string, isOurs: (name: string) => boolean): void {
  const names = isThere(home) ? readdirSync(home) : [];
  const left = names.filter((name) => name.startsWith(UNFINISHED) && isOurs(name.slice(UNFINISHED.length)));
  for (const name of left) rmSync(join(home, name), { recursive: true });
}
