import { join } from "node:path";
import type { AuditSink, Clock } from "../core/ports.ts";
import type { LogFiles } from "./audit/log-files.ts";
import { snapshotLetGo, snapshotTaken } from "./audit/snapshot-entry.ts";
import { contentRoot } from "./content-root.ts";
import { retained, type SnapshotOptions } from "./retention.ts";
import { SnapshotFiles } from "./snapshot-files.ts";
import { snapshotName, type Snapshot } from "./snapshot-name.ts";
import type { StateDirectory } from "./state-directory.ts";

export interface SnapshotParts {
  readonly directory: StateDirectory;
  readonly files: LogFiles;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly options: SnapshotOptions;
}

/** Read-only snapshots of the log and the state, one folder each in @snapshots. Who takes and lets go holds the lock. */
export class Snapshots {
  readonly #parts: SnapshotParts;
  readonly #stored: SnapshotFiles;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
    this.#stored = new SnapshotFiles(parts.directory);
  }

  /** In the order in which they were made, whatever the clock said. */
  async list(): Promise<readonly Snapshot[]> {
    const all = this.#stored.all();
    if (all.length === 0) return [];
    const { madeIn } = await import("../sys/native/frozen-copy.ts");
    const found = all.map((snapshot) => ({ ...snapshot, at: madeIn(this.#stored.statePath(snapshot.name)) }));
    return found.sort((a, b) => (a.at < b.at ? -1 : 1)).map(({ name, made }) => ({ name, made }));
  }

  /**
   * Takes one where state and log are in subvolumes, the last is old enough and something was logged since; lets go what retention does not
   * keep; and logs both. Returns the new one.
   */
  async takeIfDue(): Promise<Snapshot | undefined> {
    const { directory, files, audit, clock, options } = this.#parts;
    const { timing, state, snapshots } = directory.paths;
    if ((await directory.onSubvolumes()) !== true) return undefined;
    const before = await this.list();
    const [now, last] = [clock.now(), before.at(-1)];
    if (last !== undefined && !isDue(now, last.made, options.intervalMs)) return undefined;
    const head = files.checkpoint();
    if (head === undefined || (last !== undefined && !this.#isNews(last, head))) return undefined;
    const { freeze, removeUnfinished, unfreeze } = await import("../sys/native/frozen-copy.ts");
    const taken = unusedName(now, before);
    const { name } = taken;
    directory.makeFolder(snapshots);
    directory.makeLinks();
    removeUnfinished(snapshots);
    freeze(snapshots, name, { timing, state });
    const all = [...before, taken];
    const kept = retained(all, ({ made }) => made, options.retention);
    const letGo = all.filter((snapshot) => !kept.has(snapshot)).map((snapshot) => snapshot.name);
    const [, size = "", root = ""] = head.split("\n");
    const content = { tree_head: { size: Number(size), root }, state: contentRoot(this.#stored.statePath(name)) };
    await audit.append([snapshotTaken(name, content), ...letGo.map(snapshotLetGo)]);
    for (const gone of letGo) unfreeze(snapshots, gone);
    return taken;
  }

  /** Whether more than that the last snapshot was made has been logged since. */
  #isNews({ name }: Snapshot, head: string): boolean {
    const then = this.#parts.directory.readText(join(this.#stored.timingPath(name), "checkpoint"));
    const sizeIn = (text: string | undefined) => Number(text?.split("\n")[1] ?? 0);
    return sizeIn(head) > sizeIn(then) + 1;
  }
}

/** A clock that was set back does not keep the next snapshot waiting. */
function isDue(now: Date, last: Date, intervalMs: number): boolean {
  const elapsed = now.getTime() - last.getTime();
  return elapsed >= intervalMs || elapsed < 0;
}

function unusedName(now: Date, existing: readonly Snapshot[]): Snapshot {
  const taken = new Set(existing.map(({ name }) => name));
  let made = now;
  while (taken.has(snapshotName(made))) made = new Date(made.getTime() + 1);
  return { name: snapshotName(made), made };
}
