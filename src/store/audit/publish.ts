import { dirname } from "node:path";
import type { StateDirectory, StoredFile } from "../state-directory.ts";
import { blockText } from "./block.ts";
import { encodeBundle } from "./bundle.ts";
import { isWidth, type LogFiles, type TileName } from "./log-files.ts";
import type { LogView } from "./log-view.ts";
import { leafHash } from "./merkle.ts";
import { TiledTree, TILE_WIDTH, type Tile } from "./tile.ts";

/**
 * Brings the blocks of the tail into the files that others read: bundles, tiles and blocks first, under names that no tree head
 * speaks of yet; then the checkpoint in one stroke; then the tail is emptied. Whatever a crash cuts short is done again from the
 * tail, to the same bytes. The caller holds the lock.
 */
export function publish(directory: StateDirectory, files: LogFiles, view: LogView): void {
  const { frames, published, tailLength } = view.end;
  const last = frames.at(-1);
  if (last !== undefined) {
    const size = published?.size ?? 0;
    const entries = frames.flatMap((frame) => frame.entries);
    const contents = [
      ...bundlesWith(entries, size, view.lastBundle()),
      ...tilesWith(entries, size, files),
    ].map(({ bytes, ...tile }) => stored(files.tilePath(tile), bytes));
    const blocks = frames.map(({ block }) => stored(files.blockPath(block.number), blockText(block)));
    directory.writeAll([...contents, ...blocks], files.path);
    directory.write(stored(files.checkpointPath, last.block.head));
    for (const tile of becameFull(size, view.size)) directory.discard(files.partialsPath(tile), isWidth);
  }
  if (tailLength > 0) directory.open(files.path, files.tailPath, 0).close();
}

interface Bytes {
  readonly bytes: Uint8Array;
}

/** The bundles that the entries are in, the first of which goes on where the last published one ended. */
function bundlesWith(entries: readonly Buffer[], size: number, lastBundle: Buffer): (TileName & Bytes)[] {
  const bundles: (TileName & Bytes)[] = [];
  let start = 0;
  for (let at = size; at < size + entries.length; ) {
    const index = Math.floor(at / TILE_WIDTH);
    const next = Math.min((index + 1) * TILE_WIDTH, size + entries.length);
    const more = encodeBundle(entries.slice(start, start + next - at));
    const bytes = at === size ? Buffer.concat([lastBundle, more]) : more;
    bundles.push({ level: "entries", index, width: next - index * TILE_WIDTH, bytes });
    start += next - at;
    at = next;
  }
  return bundles;
}

function tilesWith(entries: readonly Buffer[], size: number, files: LogFiles): (Tile & Bytes)[] {
  const full: (Tile & Bytes)[] = [];
  const tree = new TiledTree((tile, bytes) => full.push({ ...tile, bytes: bytes.slice() }));
  // The view has traced them to the tree head.
  tree.restore(size, (tile) => files.tile(tile) as Buffer);
  for (const entry of entries) tree.append(leafHash(entry));
  const grown = tree.edge().filter(({ level, index, width }) => index * TILE_WIDTH + width > Math.floor(size / TILE_WIDTH ** level));
  return [...full, ...grown];
}

/** Tiles and bundles that were partial in a tree of `from` leaves, and are full in one of `to`. */
function becameFull(from: number, to: number): Omit<TileName, "width">[] {
  const full: Omit<TileName, "width">[] = [];
  for (let level = 0; to >= TILE_WIDTH ** (level + 1); level += 1) {
    const [before, after] = [from, to].map((size) => Math.floor(size / TILE_WIDTH ** (level + 1))) as [number, number];
    // Those in between were never partial in a file; neither was a tile of which there was nothing.
    if (after > before && Math.floor(from / TILE_WIDTH ** level) % TILE_WIDTH > 0) full.push({ level, index: before });
  }
  const [bundle] = full;
  return bundle?.level === 0 ? [{ ...bundle, level: "entries" }, ...full] : full;
}

function stored(path: string, content: string | Uint8Array): StoredFile {
  return { folder: dirname(path), path, content };
}
