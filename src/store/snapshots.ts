import { join } from "node:path";
import type { AuditSink, Clock } from "../core/ports.ts";
import type { LogFiles } from "./audit/log-files.ts";
import { contentRoot } from "./content-root.ts";
import { retained, type SnapshotOptions } from "./retention.ts";
import type { StateDirectory } from "./state-directory.ts";

export interface Snapshot {
  /** The time it was made, "20261120T220501.123Z". */
  readonly name: string;
  readonly made: Date;
}

export interface SnapshotParts {
  readonly directory: StateDirectory;
  readonly files: LogFiles;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly options: SnapshotOptions;
}

const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3})Z$/;

/** Read-only snapshots of the log and the state, one folder each in @snapshots. Who takes and lets go holds the lock. */
export class Snapshots {
  readonly #parts: SnapshotParts;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  /** In the order in which they were made, whatever the clock said. */
  async list(): Promise<readonly Snapshot[]> {
    const { directory } = this.#parts;
    const { snapshots } = directory.paths;
    const names = directory.list(snapshots).filter((name) => NAME.test(name));
    if (names.length === 0) return [];
    const { madeIn } = await import("../sys/native/frozen-copy.ts");
    const found = names.map((name) => ({ name, made: timeOf(name), at: madeIn(join(snapshots, name, "state")) }));
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
    const name = unusedName(now, before);
    directory.makeFolder(snapshots);
    removeUnfinished(snapshots);
    freeze(snapshots, name, { timing, state });
    const taken = { name, made: timeOf(name) };
    const all = [...before, taken];
    const kept = retained(all, ({ made }) => made, options.retention);
    const letGo = all.filter((snapshot) => !kept.has(snapshot)).map((snapshot) => snapshot.name);
    const [, size = "", root = ""] = head.split("\n");
    const content = { tree_head: { size: Number(size), root }, state: contentRoot(join(snapshots, name, "state")) };
    await audit.append([
      { kind: "snapshot", operation: "create", resource: name, detail: content },
      ...letGo.map((gone) => ({ kind: "snapshot", operation: "prune", resource: gone }) as const),
    ]);
    for (const gone of letGo) unfreeze(snapshots, gone);
    return taken;
  }

  /** Whether more than that the last snapshot was made has been logged since. */
  #isNews({ name }: Snapshot, head: string): boolean {
    const then = this.#parts.directory.readText(join(this.#parts.directory.paths.snapshots, name, "timing", "checkpoint"));
    const sizeIn = (text: string | undefined) => Number(text?.split("\n")[1] ?? 0);
    return sizeIn(head) > sizeIn(then) + 1;
  }
}

/** A clock that was set back does not keep the next snapshot waiting. */
function isDue(now: Date, last: Date, intervalMs: number): boolean {
  const elapsed = now.getTime() - last.getTime();
  return elapsed >= intervalMs || elapsed < 0;
}

function unusedName(now: Date, existing: readonly Snapshot[]): string {
  const taken = new Set(existing.map(({ name }) => name));
  let ms = now.getTime();
  while (taken.has(nameOf(new Date(ms)))) ms += 1;
  return nameOf(new Date(ms));
}

function nameOf(time: Date): string {
  return time.toISOString().replaceAll(/[-:]/g, "");
}

function timeOf(name: string): Date {
  return new Date(name.replace(NAME, "$1-$2-$3T$4:$5:$6Z"));
}
