import type { OpError } from "../../core/errors.ts";
import type { AuditEntry } from "../../core/ports.ts";
import type { StateDirectory } from "../state-directory.ts";
import { BlockChain } from "./block-chain.ts";
import { encodeBundle, spansOf } from "./bundle.ts";
import { decodeEntry, readEntry } from "./entry.ts";
import { entryFault, logFault } from "./fault.ts";
import { Gaps } from "./gaps.ts";
import { readLogEnd, type LogEnd } from "./log-end.ts";
import { isWidth, type LogFiles, type TileName } from "./log-files.ts";
import { HASH_BYTES, leafHash, sameHash, type Hash } from "./merkle.ts";
import type { VerifierKey } from "./note.ts";
import { StoredTiles } from "./stored-tiles.ts";
import { hashIn, TILE_WIDTH, TiledTree, tilePath, tileWidth, type Tile } from "./tile.ts";

/** What was found to be in order. */
export interface Verified {
  readonly size: number;
  readonly blocks: number;
  /** Entries that are in the tail only. */
  readonly unpublished: number;
  /** The signed tree head over all of it; undefined for an empty log. */
  readonly treeHead: string | undefined;
  /** What was pruned, of which the hashes were checked; undefined where nothing was. */
  readonly pruned: Gaps["pruned"];
}

export interface VerifyParts {
  readonly directory: StateDirectory;
  readonly files: LogFiles;
  readonly key: VerifierKey;
  /** Given each entry that is in order, oldest first. */
  visit(entry: AuditEntry): void;
}

/**
 * Checks a whole log, oldest entry first: form and number of each entry, bundles, tiles in all their forms, and for each block its
 * place, the hash of the one before it and its signed tree head over the tree as it was then, which makes all tree heads consistent.
 * Of entries that were pruned the hashes are checked so; that they were, an entry of the log must say.
 * Throws kind integrity for the first that is wrong, naming the first entry that it concerns. Needs no lock.
 */
export function verifyLog(parts: VerifyParts): Verified {
  return new LogCheck(parts).run();
}

class LogCheck {
  readonly #parts: VerifyParts;
  readonly #path: string;
  readonly #end: LogEnd;
  readonly #stored: StoredTiles;
  /** How many entries are published, and how many there are. */
  readonly #published: number;
  readonly #size: number;
  /** The entries of the tail. */
  readonly #waiting: readonly Buffer[];
  readonly #blocks: BlockChain;
  readonly #gaps = new Gaps();
  readonly #tree = new TiledTree((tile, bytes) => this.#checkTile(tile, bytes));
  readonly #leaves = new Uint8Array(TILE_WIDTH * HASH_BYTES);
  readonly #leafViews = Array.from({ length: TILE_WIDTH }, (_, offset) => this.#leaves.subarray(offset * HASH_BYTES, (offset + 1) * HASH_BYTES));

  constructor(parts: VerifyParts) {
    this.#parts = parts;
    this.#path = parts.files.path;
    this.#end = readLogEnd(parts.files, parts.key);
    this.#stored = new StoredTiles(parts.directory, parts.files);
    this.#published = this.#end.published?.size ?? 0;
    this.#waiting = this.#end.frames.flatMap(({ entries }) => entries);
    this.#size = this.#published + this.#waiting.length;
    this.#blocks = new BlockChain({ ...parts, end: this.#end, size: this.#size });
  }

  run(): Verified {
    try {
      this.#checkRoot();
      for (let index = 0; index < this.#bundles; index += 1) this.#checkBundle(index);
      for (const { bytes, ...tile } of this.#tree.edge()) this.#checkTile(tile, bytes);
      this.#checkNothingBeyond();
    } catch (error) {
      // What is gone comes before it, unless an entry further on lets it go.
      if (this.#lost() !== undefined) this.#findPrunes();
      throw this.#lost() ?? error;
    }
    const lost = this.#lost();
    if (lost !== undefined) throw lost;
    const { size } = this.#tree;
    return { size, blocks: this.#blocks.count, unpublished: size - this.#published, treeHead: this.#blocks.head, pruned: this.#gaps.pruned };
  }

  get #bundles(): number {
    return Math.ceil(this.#size / TILE_WIDTH);
  }

  #lost(): OpError | undefined {
    const index = this.#gaps.lost;
    return index === undefined ? undefined : this.#fault(index * TILE_WIDTH, `the bundle ${tilePath({ level: "entries", index, width: TILE_WIDTH })} is missing, and no entry of the log says that it was pruned`);
  }

  /** Looks through what there is, however damaged, for entries of a prune that are as their tile has them. */
  #findPrunes(): void {
    for (let index = 0; index < this.#bundles; index += 1) {
      const found = this.#bundleBytes(index);
      if (found === undefined) continue;
      const width = tileWidth(0, index, this.#published);
      const tile = width === 0 ? undefined : this.#parts.files.tile({ level: 0, index, width });
      const { spans, count } = spansOf(found.bytes, TILE_WIDTH);
      for (let offset = 0; offset < count; offset += 1) {
        const span = { start: spans[2 * offset] as number, end: spans[2 * offset + 1] as number };
        const logged = offset >= width || (tile !== undefined && sameHash(leafHash(found.bytes, span), hashIn(tile, offset)));
        const entry = logged ? readEntry(found.bytes, span) : undefined;
        if (entry !== undefined) this.#gaps.saw(entry);
      }
    }
  }

  #checkBundle(index: number): void {
    const first = index * TILE_WIDTH;
    const found = this.#bundleBytes(index);
    if (found === undefined) return this.#passOver(index);
    const { bytes, wanted } = found;
    const { spans, count } = spansOf(bytes, TILE_WIDTH);
    for (let offset = 0; offset < count; offset += 1) {
      leafHash(bytes, { start: spans[2 * offset] as number, end: spans[2 * offset + 1] as number, into: this.#leafViews[offset] as Uint8Array });
    }
    const agreed = this.#agreedLeaves(index);
    for (let offset = 0; offset < wanted; offset += 1) {
      const number = first + offset;
      if (offset === agreed) throw this.#fault(number, `its hash is not that in the tile ${tilePath({ level: 0, index, width: tileWidth(0, index, this.#published) })}`);
      if (offset === count) throw this.#fault(number, `the bundle ${tilePath({ level: "entries", index, width: tileWidth(0, index, this.#published) })} is missing or cut short`);
      const span = { start: spans[2 * offset] as number, end: spans[2 * offset + 1] as number };
      const entry = decodeEntry(bytes, span, number, (what) => this.#fault(number, what));
      this.#gaps.saw(entry);
      this.#parts.visit(entry);
      this.#append(this.#leafViews[offset] as Uint8Array);
    }
    this.#checkForms({ level: "entries", index, width: wanted }, bytes, (width) => spans[2 * width - 1] as number);
  }

  /** A bundle that is gone: its hashes go into the tree, and so under the tree heads. */
  #passOver(index: number): void {
    this.#gaps.gone(index);
    const tile = this.#leafTile(index, TILE_WIDTH);
    for (let offset = 0; offset < TILE_WIDTH; offset += 1) this.#append(hashIn(tile, offset));
  }

  /** A bundle with its entries of the tail, as it is stored, and how many entries belong in it; undefined for a full one that is gone in all its forms. */
  #bundleBytes(index: number): { bytes: Buffer; wanted: number } | undefined {
    const { directory, files } = this.#parts;
    const width = tileWidth(0, index, this.#published);
    const found = width === 0 ? undefined : files.storedBundle({ index, width });
    if (width === TILE_WIDTH && found === undefined && !directory.list(files.partialsPath({ level: "entries", index })).some(isWidth)) return undefined;
    const stored = found ?? Buffer.alloc(0);
    const from = index * TILE_WIDTH + width - this.#published;
    const waiting = this.#waiting.slice(from, from + TILE_WIDTH - width);
    return { bytes: waiting.length === 0 ? stored : Buffer.concat([stored, encodeBundle(waiting)]), wanted: width + waiting.length };
  }

  /** How many of a bundle's leaves are in the published tile as they should be, from the first on; all where none differs. */
  #agreedLeaves(index: number): number {
    const width = tileWidth(0, index, this.#published);
    if (width === 0) return TILE_WIDTH;
    const tile = this.#leafTile(index, width);
    const differs = firstDifference(tile, this.#leaves.subarray(0, tile.length));
    return differs === undefined ? TILE_WIDTH : Math.floor(differs / HASH_BYTES);
  }

  #leafTile(index: number, width: number): Buffer {
    const tile = this.#parts.files.tile({ level: 0, index, width });
    if (tile === undefined) throw this.#fault(index * TILE_WIDTH, `the tile ${tilePath({ level: 0, index, width })} is missing or cut short`);
    return tile;
  }

  /** Every form in which a tile is stored is the beginning of what it is; the form that the checkpoint asks for, or the full one, is there. */
  #checkTile(tile: Tile, bytes: Uint8Array): void {
    this.#checkForms(tile, bytes, (width) => width * HASH_BYTES);
  }

  #checkForms({ level, index, width: most }: TileName, bytes: Uint8Array, lengthOf: (width: number) => number): void {
    const widths = this.#stored.widths({ level, index });
    const each = TILE_WIDTH ** (level === "entries" ? 0 : level);
    const first = index * TILE_WIDTH * each;
    const wanted = tileWidth(level === "entries" ? 0 : level, index, this.#published);
    if (wanted > 0 && !widths.includes(wanted) && !widths.includes(TILE_WIDTH)) throw this.#fault(first, `the file ${tilePath({ level, index, width: wanted })} is missing`);
    for (const width of widths) {
      const name = tilePath({ level, index, width });
      if (width > most) throw this.#fault(this.#size, `the file ${name} goes beyond the end of the log`);
      const file = this.#parts.files.file({ level, index, width });
      // Meanwhile its full form took its place, or a bundle, which was read before, was pruned.
      if (file === undefined && (width < TILE_WIDTH || level === "entries")) continue;
      const differs = firstDifference(file ?? new Uint8Array(0), bytes.subarray(0, lengthOf(width)));
      if (differs === undefined) continue;
      let offset = 0;
      while (offset < width - 1 && lengthOf(offset + 1) <= differs) offset += 1;
      throw this.#fault(first + offset * each, `the file ${name} is not as it was published`);
    }
  }

  #append(leaf: Hash): void {
    if (this.#tree.size === this.#blocks.end) this.#blocks.next();
    this.#tree.append(leaf);
    if (this.#tree.size < this.#blocks.end) return;
    this.#blocks.close(this.#tree.root());
    this.#checkRoot();
  }

  /** The checkpoint says of its size what the entries say. */
  #checkRoot(): void {
    const { published } = this.#end;
    if (published?.size !== this.#tree.size) return;
    if (!sameHash(published.root, this.#tree.root())) throw logFault(this.#path, "its tree head, the file 'checkpoint', was signed with other entries");
  }

  #checkNothingBeyond(): void {
    const { directory, files } = this.#parts;
    for (const tile of this.#stored.all()) {
      const level = tile.level === "entries" ? 0 : tile.level;
      if (tileWidth(level, tile.index, this.#size) < tile.width) throw this.#fault(this.#size, `the file ${tilePath(tile)} goes beyond the end of the log`);
    }
    const beyond = directory.names(files.blocksPath).find((name) => /^\d+$/.test(name) && Number(name) >= this.#blocks.count);
    if (beyond !== undefined) throw this.#fault(this.#size, `block ${beyond} goes beyond the end of the log`);
  }

  #fault(number: number, what: string): OpError {
    return entryFault(this.#path, number, what);
  }
}

/** The first byte in which they differ, if only by there not being one. */
function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  if (Buffer.compare(a, b) === 0) return undefined;
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at += 1) if (a[at] !== b[at]) return at;
  return shorter;
}
