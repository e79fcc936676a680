import { entryFault, logFault } from "./fault.ts";
import { leafHash, sameHash } from "./merkle.ts";
import type { LogFiles } from "./log-files.ts";
import type { VerifierKey } from "./note.ts";
import { decodeFrames, type Frame, type Frames } from "./tail.ts";
import { TiledTree, tilePath, type Tile } from "./tile.ts";
import { openTreeHead, type TreeHead } from "./tree-head.ts";

/** What there is of a log at one instant: what is published, and the blocks of the tail that come after it. */
export interface LogEnd {
  /** The checkpoint's text and what it says; undefined before anything is published. */
  readonly checkpoint: string | undefined;
  readonly published: TreeHead | undefined;
  readonly frames: readonly Frame[];
  /** Bytes of the tail that are frames. */
  readonly tailLength: number;
}

/** How long to look away from a state that a writer may just be changing. */
const LOOK_AWAY_MS = 2;

/**
 * Reads the end of a log without the writer's lock. The tail is read before the checkpoint: what was taken off the tail by then is
 * in the checkpoint. A writer empties the tail in place, so what is read may be no state at all; one that does not fit is looked at
 * again, and is what it is if it stays. Throws kind integrity for an end that no crash can have left.
 */
export function readLogEnd(files: LogFiles, key: VerifierKey): LogEnd {
  let before: { tail: Buffer; checkpoint: string | undefined } | undefined;
  for (;;) {
    const [tail, checkpoint] = [files.tail(), files.checkpoint()];
    const frames = decodeFrames(tail);
    const last = before !== undefined && before.tail.equals(tail) && before.checkpoint === checkpoint;
    try {
      if (last || frames.end === "whole") return fitted(files, { key, checkpoint, frames });
    } catch (error) {
      if (last) throw error;
    }
    before = { tail, checkpoint };
    Bun.sleepSync(LOOK_AWAY_MS);
  }
}

function fitted(files: LogFiles, { key, checkpoint, frames: { frames, length, end } }: { key: VerifierKey; checkpoint: string | undefined; frames: Frames }): LogEnd {
  const published = checkpoint === undefined ? undefined : openTreeHead(checkpoint, key);
  if (checkpoint !== undefined && published === undefined) throw logFault(files.path, "its tree head, the file 'checkpoint', is not signed by its key");
  const size = published?.size ?? 0;
  const rest = frames.filter(({ block }) => block.first + block.count > size);
  const next = rest.at(-1) === undefined ? size : endOf(rest.at(-1) as Frame);
  if (end === "damaged") throw entryFault(files.path, next, "the file 'tail' is damaged in its middle");
  if (published === undefined && rest.length === 0 && files.hasBlock(0)) throw logFault(files.path, "its tree head, the file 'checkpoint', is missing");
  rest.reduce((first, frame) => {
    if (frame.block.first !== first) throw entryFault(files.path, first, `the file 'tail' goes on with entry ${frame.block.first}`);
    return endOf(frame);
  }, size);
  return { checkpoint, published, frames: rest, tailLength: length };
}

function endOf({ block }: Frame): number {
  return block.first + block.count;
}

/** The tree of a log up to its end, with the tiles that the tail adds, which are in no file yet. */
export interface LogTree {
  readonly tree: TiledTree;
  /** By path, for tiles that are full. */
  readonly added: ReadonlyMap<string, Uint8Array>;
}

/** Throws kind integrity where the tiles at the edge do not have the tree head's root, or a block of the tail not its own. */
export function treeAt(files: LogFiles, key: VerifierKey, { published, frames }: LogEnd): LogTree {
  const added = new Map<string, Uint8Array>();
  const tree = new TiledTree((tile, bytes) => added.set(tilePath(tile), bytes.slice()));
  if (published !== undefined) tree.restore(published.size, (tile) => edgeTile(files, tile));
  if (published !== undefined && !sameHash(tree.root(), published.root)) {
    throw logFault(files.path, "its last tiles are not those of its tree head");
  }
  for (const { block, entries } of frames) {
    for (const entry of entries) tree.append(leafHash(entry));
    const head = openTreeHead(block.head, key);
    if (head?.size !== tree.size || !sameHash(head.root, tree.root())) throw entryFault(files.path, block.first, `block ${block.number} is not signed by the log's key as it is`);
  }
  return { tree, added };
}

function edgeTile(files: LogFiles, tile: Tile): Uint8Array {
  const bytes = files.tile(tile);
  if (bytes === undefined) throw logFault(files.path, `the tile ${tilePath(tile)} is missing or cut short`);
  return bytes;
}
