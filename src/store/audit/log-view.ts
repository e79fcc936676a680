import { OpError } from "../../core/errors.ts";
import type { AuditEntry, EntryRange, Pruned } from "../../core/ports.ts";
import { parseBlock, type Block } from "./block.ts";
import { spansOf } from "./bundle.ts";
import { decodeEntry } from "./entry.ts";
import { entryFault, entryGone } from "./fault.ts";
import { readLogEnd, treeAt, type LogEnd, type LogTree } from "./log-end.ts";
import type { LogFiles } from "./log-files.ts";
import { HASH_BYTES, leafHash, sameHash, type Hash } from "./merkle.ts";
import type { VerifierKey } from "./note.ts";
import { consistencyProof, inclusionProof } from "./proof.ts";
import { prunedBy } from "./prune-entry.ts";
import type { Frame } from "./tail.ts";
import { hashIn, rootIn, subtreesOf, TILE_WIDTH, TiledTree, tilePath, tileWidth, type Tile } from "./tile.ts";

/**
 * A log as it was at one instant. Everything that is read out of it was first traced to its signed tree head through the tiles;
 * what comes after that instant is not seen, but that entries were pruned. Throws kind integrity, naming an entry that cannot be traced.
 */
export class LogView {
  readonly end: LogEnd;
  readonly #files: LogFiles;
  readonly #key: VerifierKey;
  readonly #tree: LogTree;
  readonly #edge: ReadonlyMap<string, Uint8Array>;
  /** By level, the full tile that was traced last. */
  readonly #traced: { readonly index: number; readonly bytes: Uint8Array }[] = [];
  /** The published bundle that was traced last. */
  #last: Bundle | undefined;

  constructor(files: LogFiles, key: VerifierKey) {
    this.#files = files;
    this.#key = key;
    this.end = readLogEnd(files, key);
    this.#tree = treeAt(files, key, this.end);
    this.#edge = new Map(this.#tree.tree.edge().map(({ bytes, ...tile }) => [tilePath(tile), bytes]));
  }

  get size(): number {
    return this.#tree.tree.size;
  }

  /** A tree like that of the log, for whoever goes on from here. It keeps no tile that becomes full. */
  treeToGrow(): TiledTree {
    const tree = new TiledTree();
    tree.restore(this.size, (tile) => this.#edge.get(tilePath(tile)) as Uint8Array);
    return tree;
  }

  get #publishedSize(): number {
    return this.end.published?.size ?? 0;
  }

  /** The signed tree head over all that is seen; undefined for an empty log. */
  get treeHead(): string | undefined {
    return this.end.frames.at(-1)?.block.head ?? this.end.checkpoint;
  }

  /** Those that were pruned are passed over. */
  *entries({ from = 0, to = Number.POSITIVE_INFINITY, newestFirst = false }: EntryRange = {}): Generator<AuditEntry> {
    const [first, end] = [Math.max(0, from), Math.min(this.size, to)];
    for (let number = newestFirst ? end - 1 : first; number >= first && number < end; number += newestFirst ? -1 : 1) {
      const pruned = this.#prunedWith(number);
      if (pruned === undefined) yield this.#decoded(number);
      else if (newestFirst) return;
      else number = pruned.minimumIndex - 1;
    }
  }

  /** What was pruned until now, which is no matter of the view's instant; undefined where all entries are there. */
  pruned(): Pruned | undefined {
    if (this.#publishedSize < TILE_WIDTH || this.#files.has({ level: "entries", index: 0, width: TILE_WIDTH })) return undefined;
    return new LogView(this.#files, this.#key).#newestPrune();
  }

  /** Takes a log whose first bundle is missing. */
  #newestPrune(): Pruned {
    try {
      for (let number = this.size - 1; ; number -= 1) {
        const found = prunedBy(this.#decoded(number));
        if (found !== undefined) return found;
      }
    } catch (cause) {
      if (!(cause instanceof OpError) || cause.kind !== "integrity") throw cause;
      throw entryFault(this.#files.path, 0, `the bundle ${tilePath({ level: "entries", index: 0, width: TILE_WIDTH })} is missing, and no entry that can be read says that it was pruned`);
    }
  }

  /** The bytes that were hashed. Takes a number that is in the log; throws kind refused for one that was pruned. */
  entryBytes(number: number): Buffer {
    const pruned = this.#prunedWith(number);
    if (pruned !== undefined) throw entryGone(number, pruned);
    const { bytes, start, end } = this.#located(number);
    return bytes.subarray(start, end);
  }

  /** The published entries of the bundle that goes on with the next block; empty where a new one begins. */
  lastBundle(): Buffer {
    const index = Math.floor(this.#publishedSize / TILE_WIDTH);
    return this.#publishedSize % TILE_WIDTH === 0 ? Buffer.alloc(0) : this.#bundle(index).bytes;
  }

  inclusionProof(number: number): Uint8Array[] {
    return inclusionProof(subtreesOf(this.size, (tile) => this.#tile(tile)), number, this.size);
  }

  /** Shows that the log begins with its first `size` entries. Takes no more than there are. */
  consistencyProof(size: number): Uint8Array[] {
    return consistencyProof(subtreesOf(this.size, (tile) => this.#tile(tile)), size, this.size);
  }

  /** A block without its entries; undefined where there is none of that number. */
  block(number: number): Block | undefined {
    const waiting = this.#waiting(number)?.block;
    const block = waiting ?? parseBlock(this.#files.block(number) ?? "");
    return block?.number === number && block.first + block.count <= this.size ? block : undefined;
  }

  /** The blocks with their entries, from one of that number on. Throws kind integrity for one that is missing or not where it should be. */
  *frames(from: number): Generator<Frame> {
    let next = this.block(from)?.first ?? this.size;
    for (let number = from; next < this.size; number += 1) {
      const block = this.block(number);
      if (block?.first !== next) throw entryFault(this.#files.path, next, `block ${number} does not begin with it`);
      const first = next;
      yield this.#waiting(number) ?? { block, entries: Array.from({ length: block.count }, (_, offset) => this.entryBytes(first + offset)) };
      next += block.count;
    }
  }

  #waiting(number: number): Frame | undefined {
    return this.end.frames.find(({ block }) => block.number === number);
  }

  /** The root of the first `size` entries. */
  rootAt(size: number): Hash {
    const tree = new TiledTree();
    tree.restore(size, ({ width, ...tile }) => this.#tile({ ...tile, width: tileWidth(tile.level, tile.index, this.size) }).subarray(0, width * HASH_BYTES));
    return tree.root();
  }

  /** What an entry was pruned with; undefined for one that is there. Takes in the entry's bundle. */
  #prunedWith(number: number): Pruned | undefined {
    const index = Math.floor(number / TILE_WIDTH);
    if (number >= this.#publishedSize || this.#last?.index === index) return undefined;
    const bytes = this.#files.bundle({ index, width: tileWidth(0, index, this.#publishedSize) });
    const pruned = bytes === undefined ? this.pruned() : undefined;
    if (pruned !== undefined && number < pruned.minimumIndex) return pruned;
    this.#bundle(index, bytes);
    return undefined;
  }

  #decoded(number: number): AuditEntry {
    const { bytes, start, end } = this.#located(number);
    return decodeEntry(bytes, { start, end }, number, (what) => entryFault(this.#files.path, number, what));
  }

  #located(number: number): { bytes: Buffer; start: number; end: number } {
    if (number >= this.#publishedSize) {
      const bytes = this.#inTail(number);
      return { bytes, start: 0, end: bytes.length };
    }
    const { bytes, spans } = this.#bundle(Math.floor(number / TILE_WIDTH));
    const offset = 2 * (number % TILE_WIDTH);
    return { bytes, start: spans[offset] as number, end: spans[offset + 1] as number };
  }

  #inTail(number: number): Buffer {
    const frame = this.end.frames.find(({ block }) => number < block.first + block.count);
    return frame?.entries[number - frame.block.first] as Buffer;
  }

  #bundle(index: number, found?: Buffer): Bundle {
    if (this.#last?.index !== index) {
      const bytes = this.#tracedBundle(index, found);
      this.#last = { index, bytes, spans: spansOf(bytes, TILE_WIDTH).spans };
    }
    return this.#last;
  }

  #tracedBundle(index: number, found?: Buffer): Buffer {
    const width = tileWidth(0, index, this.#publishedSize);
    const first = index * TILE_WIDTH;
    const bytes = found ?? this.#files.bundle({ index, width });
    if (bytes === undefined) throw entryFault(this.#files.path, first, `the bundle ${tilePath({ level: "entries", index, width })} is missing or cut short`);
    const { spans } = spansOf(bytes, width);
    const tile = this.#tile({ level: 0, index, width: tileWidth(0, index, this.size) });
    for (let offset = 0; offset < width; offset += 1) {
      const [start, end] = [spans[2 * offset] as number, spans[2 * offset + 1] as number];
      if (!sameHash(leafHash(bytes, { start, end }), hashIn(tile, offset))) throw entryFault(this.#files.path, first + offset, "it is not what was logged");
    }
    return bytes;
  }

  /** The tiles at the edge have the signed root together, and the root of a full one is in the tile above it. */
  #tile({ level, index, width }: Tile): Uint8Array {
    const path = tilePath({ level, index, width });
    const known = this.#edge.get(path) ?? this.#tree.added.get(path);
    if (known !== undefined) return known;
    const last = this.#traced[level];
    if (last?.index === index) return last.bytes;
    const bytes = this.#files.tile({ level, index, width });
    const above = Math.floor(index / TILE_WIDTH);
    const parent = this.#tile({ level: level + 1, index: above, width: tileWidth(level + 1, above, this.size) });
    if (bytes === undefined || !sameHash(rootIn(bytes), hashIn(parent, index % TILE_WIDTH))) {
      throw entryFault(this.#files.path, index * TILE_WIDTH ** (level + 1), `the tile ${path}, which has its hash, is ${bytes === undefined ? "missing" : "not as it was"}`);
    }
    this.#traced[level] = { index, bytes };
    return bytes;
  }
}

interface Bundle {
  readonly index: number;
  readonly bytes: Buffer;
  readonly spans: Uint32Array;
}
