import { Frontier } from "./frontier.ts";
import { HASH_BYTES, type Hash } from "./merkle.ts";
import type { SubtreeHash } from "./proof.ts";

/*
 * Tiles of c2sp.org/tlog-tiles: a tile of level L has the roots of up to 256 complete subtrees of 256^L leaves each, in order.
 */

export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 1 to 256 hashes; a partial tile has less than 256. */
  readonly width: number;
}

/** "tile/0/x001/234", "tile/1/000.p/17"; of a bundle "tile/entries/000". */
export function tilePath({ level, index, width }: Omit<Tile, "level"> & { readonly level: number | "entries" }): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, "0");
  const groups = digits.match(/\d{3}/g) ?? [];
  const path = [...groups.slice(0, -1).map((group) => `x${group}`), groups.at(-1)].join("/");
  return `tile/${level}/${path}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

/** How wide the tile is in a tree of that size; 0 where it is not in it. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return Math.min(TILE_WIDTH, Math.max(0, hashes - index * TILE_WIDTH));
}

/** The partial tiles of a tree of that size, highest level first: together they have its root. */
export function edgeTiles(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
    const width = hashes % TILE_WIDTH;
    if (width > 0) tiles.unshift({ level, index: Math.floor(hashes / TILE_WIDTH), width });
  }
  return tiles;
}

/** The hash in a tile's bytes at `offset` hashes. */
export function hashIn(tile: Uint8Array, offset: number): Hash {
  return tile.subarray(offset * HASH_BYTES, (offset + 1) * HASH_BYTES);
}

/** Reads subtrees out of tiles of a tree of `size` leaves; `read` gives the bytes of a tile of that tree. */
export function subtreesOf(size: number, read: (tile: Tile) => Uint8Array): SubtreeHash {
  return (height, index) => {
    const level = Math.floor(height / TILE_HEIGHT);
    const count = 2 ** (height % TILE_HEIGHT);
    const first = index * count;
    const tileIndex = Math.floor(first / TILE_WIDTH);
    const bytes = read({ level, index: tileIndex, width: tileWidth(level, tileIndex, size) });
    return rootIn(bytes, first % TILE_WIDTH, count);
  };
}

/** The root of the subtree over `count` hashes of a tile, a power of two. */
export function rootIn(tile: Uint8Array, offset = 0, count = TILE_WIDTH): Hash {
  const frontier = new Frontier();
  for (let each = offset; each < offset + count; each += 1) frontier.push(hashIn(tile, each));
  return frontier.root();
}

/** A tree that keeps the tiles of its right edge and hands over each tile as it becomes full. */
export class TiledTree {
  readonly #frontier = new Frontier((height, hash) => this.#reached(height, hash));
  readonly #levels: Level[] = [];
  readonly #full: (tile: Tile, bytes: Uint8Array) => void;

  /** `full` copies the bytes that it keeps. */
  constructor(full: (tile: Tile, bytes: Uint8Array) => void = () => undefined) {
    this.#full = full;
  }

  /** Goes on from a tree's edge; `read` gives a tile's bytes. */
  restore(size: number, read: (tile: Tile) => Uint8Array): void {
    for (const tile of edgeTiles(size)) {
      const bytes = read(tile);
      for (let offset = 0; offset < tile.width; offset += 1) this.#frontier.push(hashIn(bytes, offset), tile.level * TILE_HEIGHT);
    }
    for (let level = 0; size >= TILE_WIDTH ** level; level += 1) this.#level(level).index = Math.floor(size / TILE_WIDTH ** (level + 1));
  }

  get size(): number {
    return this.#frontier.size;
  }

  root(): Hash {
    return this.#frontier.root();
  }

  append(leaf: Hash): void {
    this.#frontier.push(leaf);
  }

  /** The partial tiles as they are now, highest level first. */
  edge(): (Tile & { readonly bytes: Uint8Array })[] {
    return edgeTiles(this.size).map((tile) => ({ ...tile, bytes: this.#level(tile.level).bytes.slice(0, tile.width * HASH_BYTES) }));
  }

  #reached(height: number, hash: Hash): void {
    if (height % TILE_HEIGHT !== 0) return;
    const number = height / TILE_HEIGHT;
    const level = this.#level(number);
    level.bytes.set(hash, level.width * HASH_BYTES);
    level.width += 1;
    if (level.width < TILE_WIDTH) return;
    this.#full({ level: number, index: level.index, width: TILE_WIDTH }, level.bytes);
    level.width = 0;
    level.index += 1;
  }

  #level(number: number): Level {
    while (this.#levels.length <= number) this.#levels.push({ bytes: new Uint8Array(TILE_WIDTH * HASH_BYTES), width: 0, index: 0 });
    return this.#levels[number] as Level;
  }
}

interface Level {
  readonly bytes: Uint8Array;
  width: number;
  index: number;
}
