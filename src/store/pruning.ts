import type { AuditEntry, AuditSink, Ledger, Pruned } from "../core/ports.ts";
import type { AuditKeys } from "./audit/audit-keys.ts";
import { encodeBase64 } from "./audit/base64.ts";
import { isWidth, type LogFiles } from "./audit/log-files.ts";
import { LogView } from "./audit/log-view.ts";
import { prunedBy, pruneEvent, type PruneDetail } from "./audit/prune-entry.ts";
import { StoredTiles } from "./audit/stored-tiles.ts";
import { TILE_WIDTH } from "./audit/tile.ts";
import { Reach, type Retention } from "./retention.ts";
import type { StateDirectory } from "./state-directory.ts";

export interface PruningParts {
  readonly directory: StateDirectory;
  readonly files: LogFiles;
  readonly keys: AuditKeys;
  readonly audit: AuditSink;
  readonly ledger: Ledger;
  readonly retention: Retention;
}

/** What of the log may go. */
export interface PrunePlan {
  /** The first entry that no earlier prune let go, and the first that stays; the same number where no entry may go. */
  readonly first: number;
  readonly minimumIndex: number;
  /** Bundles to be removed, those that an earlier prune was cut short of among them, and how much room they take. */
  readonly bundles: readonly number[];
  readonly bytes: number;
  /** A marked checkpoint that needs entries which would go otherwise. */
  readonly heldBy: string | undefined;
  /** What the log will say of it; undefined where no entry may go. */
  readonly detail: PruneDetail | undefined;
}

/**
 * Lets the content of the log's oldest entries go, in whole bundles of 256; tiles, blocks and tree heads stay. Never runs by itself: a log
 * is evidence, and there is no second copy of it here. Who prunes holds the lock.
 */
export class Pruning {
  readonly #parts: PruningParts;

  constructor(parts: PruningParts) {
    this.#parts = parts;
  }

  /**
   * What may go: whole bundles in which every entry is from before an instant, or, without one, before all that the rules of retention
   * reach back to. Everything stays from the creation of the oldest marked checkpoint on, since what was in force then is found through
   * the log; and a recovery stays with all of the transaction that it ended. Reads the log; throws kind integrity as reading does.
   */
  plan(before: Date | undefined): PrunePlan {
    const { files, keys } = this.#parts;
    const key = keys.known();
    if (key === undefined) return { first: 0, minimumIndex: 0, bundles: [], bytes: 0, heldBy: undefined, detail: undefined };
    const view = new LogView(files, key);
    const { earlier, minimumIndex, latest, heldBy } = this.#boundary(view, before);
    const first = earlier?.minimumIndex ?? 0;
    const found = this.#stored(minimumIndex);
    const plan = { first, minimumIndex, bundles: [...found.keys()], bytes: sum(found.values()), heldBy };
    if (minimumIndex === first) return { ...plan, detail: undefined };
    const [, size = "", root = ""] = view.treeHead?.split("\n") ?? [];
    const head = { size: Number(size), root };
    return { ...plan, detail: { minimum_index: minimumIndex, root: encodeBase64(view.rootAt(minimumIndex)), latest: laterOf(latest, earlier?.latest), tree_head: head } };
  }

  /** Where what stays begins, and the latest time of what goes besides what went with an earlier prune, or should have. */
  #boundary(view: LogView, before: Date | undefined): { earlier: Pruned | undefined; minimumIndex: number; latest: string; heldBy: string | undefined } {
    const reach = new Reach(this.#parts.retention);
    const mark = this.#oldestMark();
    const end = view.end.published?.size ?? 0;
    const [stay, unmarked] = [new Staying(end), new Staying(end)];
    let earlier: Pruned | undefined;
    for (const entry of view.entries({ newestFirst: true })) {
      if (entry.index < (earlier?.minimumIndex ?? 0)) break;
      earlier ??= prunedBy(entry);
      const time = new Date(entry.time);
      const wanted = before === undefined ? reach.holds(time) : !(time < before);
      stay.tell(entry, wanted || (mark !== undefined && !(time <= mark.created)));
      unmarked.tell(entry, wanted);
    }
    const heldBy = stay.minimumIndex < unmarked.minimumIndex ? mark?.name : undefined;
    return { earlier, minimumIndex: Math.max(earlier?.minimumIndex ?? 0, stay.minimumIndex), latest: stay.latest, heldBy };
  }

  /** Logs what goes, and then removes it: the first bundle before the others, so that one look tells whether any is gone. */
  async prune({ first, detail, bundles }: PrunePlan): Promise<void> {
    const { directory, files, audit } = this.#parts;
    if (detail !== undefined) await audit.append([pruneEvent(first, detail)]);
    for (const index of bundles) directory.discard(files.partialsPath({ level: "entries", index }), isWidth);
    const full = bundles.map((index) => ({ level: "entries", index, width: TILE_WIDTH }) as const).filter((tile) => files.has(tile));
    const paths = full.map((tile) => files.tilePath(tile));
    directory.removeAll(paths.slice(0, 1));
    directory.removeAll(paths.slice(1));
  }

  /** By index: the bundles of entries before a number that are there in any form, and their bytes. */
  #stored(minimumIndex: number): ReadonlyMap<number, number> {
    const { directory, files } = this.#parts;
    const found = new Map<number, number>();
    for (const tile of new StoredTiles(directory, files).all()) {
      if (tile.level !== "entries" || (tile.index + 1) * TILE_WIDTH > minimumIndex) continue;
      const bytes = directory.readEnd(files.tilePath(tile), 0)?.offset ?? 0;
      found.set(tile.index, (found.get(tile.index) ?? 0) + bytes);
    }
    return new Map([...found].sort(([a], [b]) => a - b));
  }

  /** Of the checkpoints that say themselves what was in force there is none that needs the log. */
  #oldestMark(): { name: string; created: Date } | undefined {
    const marks = this.#parts.ledger.checkpoints().filter(({ applied }) => applied === undefined);
    const dated = marks.map(({ name, created }) => ({ name, created: new Date(created) }));
    return dated.sort((a, b) => a.created.getTime() - b.created.getTime())[0];
  }
}

/** Told of entries from the newest back: which is the first that stays, and of what goes the latest time. */
class Staying {
  #first: number;
  #latest = "";
  /** By transaction, the number of its recovery. */
  readonly #recoveries = new Map<string, number>();

  /** Nothing from there on goes. */
  constructor(end: number) {
    this.#first = end;
  }

  /** The first entry of the first bundle that stays. */
  get minimumIndex(): number {
    return Math.floor(this.#first / TILE_WIDTH) * TILE_WIDTH;
  }

  get latest(): string {
    return this.#latest;
  }

  tell({ index, kind, transaction, time }: AuditEntry, stays: boolean): void {
    if (stays || this.#isRecovered(transaction)) {
      this.#first = Math.min(this.#first, index);
      this.#latest = "";
    } else if (index < this.minimumIndex) {
      this.#latest = laterOf(time, this.#latest);
    }
    if (kind === "recovery" && transaction !== undefined && !this.#recoveries.has(transaction)) this.#recoveries.set(transaction, index);
  }

  /** By a recovery that stays. */
  #isRecovered(transaction: string | undefined): boolean {
    return transaction !== undefined && (this.#recoveries.get(transaction) ?? -1) >= this.minimumIndex;
  }
}

/** Either may be "" or none. */
function laterOf(a: string, b = ""): string {
  return b === "" || Date.parse(a) > Date.parse(b) ? a : b;
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0);
}
