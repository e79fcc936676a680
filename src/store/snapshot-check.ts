import { codeOf, OpError } from "../core/errors.ts";
import type { AuditEntry } from "../core/ports.ts";
import { loggedSnapshot, type LoggedSnapshot } from "./audit/snapshot-entry.ts";
import { contentRoot } from "./content-root.ts";
import type { SnapshotFiles } from "./snapshot-files.ts";
import type { StateDirectory } from "./state-directory.ts";

/** What was found of a log's snapshots; none is damaged. */
export interface VerifiedSnapshots {
  /** How many are what the log says. */
  readonly checked: number;
  /** Names of those that this user may not read. */
  readonly unreadable: readonly string[];
  /** Names of those that no entry tells of: it was pruned, or never logged since the process died, or is about to be. */
  readonly unlogged: readonly string[];
}

export interface SnapshotCheckParts {
  readonly directory: StateDirectory;
  readonly stored: SnapshotFiles;
  /** In a replica there is none that its log does not tell of. */
  readonly replica: boolean;
}

/** Holds the snapshots that are there, and stay, to what the log says of each. Told of all entries first. */
export class SnapshotCheck {
  readonly #parts: SnapshotCheckParts;
  readonly #names: readonly string[];
  /** By name. A clock that was set back may have given it twice. */
  readonly #logged: Map<string, LoggedSnapshot[]>;

  constructor(parts: SnapshotCheckParts) {
    this.#parts = parts;
    this.#names = parts.stored.all().map(({ name }) => name);
    this.#logged = new Map(this.#names.map((name) => [name, []]));
  }

  saw(entry: AuditEntry): void {
    const logged = entry.kind === "snapshot" ? loggedSnapshot(entry) : undefined;
    if (logged !== undefined) this.#logged.get(logged.name)?.push(logged);
  }

  /** Throws kind integrity for the first that is not what its entry says. */
  run(): VerifiedSnapshots {
    let checked = 0;
    const [unreadable, unlogged]: [string[], string[]] = [[], []];
    for (const name of this.#names) {
      const logged = this.#logged.get(name) ?? [];
      const last = logged.at(-1);
      if (last === undefined) {
        if (this.#parts.replica) throw this.#fault(name, "no entry of its log tells of it");
        unlogged.push(name);
        continue;
      }
      const root = this.#rootOf(name);
      if (root === "unreadable") unreadable.push(name);
      else if (logged.some(({ state }) => state === root)) checked += 1;
      else if (this.#parts.stored.has(name)) throw this.#fault(name, `entry ${last.entry} has another content root`);
    }
    return { checked, unreadable, unlogged };
  }

  /** Undefined for one that is gone, or of which something is gone. */
  #rootOf(name: string): string | undefined {
    const { directory, stored } = this.#parts;
    const state = stored.statePath(name);
    try {
      return directory.reading(state, () => contentRoot(state));
    } catch (error) {
      const code = codeOf((error as OpError).cause);
      if (code === "ENOENT") return undefined;
      if (code === "EACCES") return "unreadable";
      throw error;
    }
  }

  #fault(name: string, what: string): OpError {
    return new OpError("integrity", `Snapshot ${name} in ${this.#parts.stored.home} does not verify: ${what}`, { hint: "Keep it as it is: it is evidence" });
  }
}
