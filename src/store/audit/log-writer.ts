import type { StateDirectory } from "../state-directory.ts";
import { blockHash, blockText, NO_BLOCK_HASH, parseBlock } from "./block.ts";
import { logFault } from "./fault.ts";
import type { LogFiles } from "./log-files.ts";
import { LogView } from "./log-view.ts";
import { leafHash, type Hash } from "./merkle.ts";
import type { VerifierKey } from "./note.ts";
import { encodeFrame, type Frame } from "./tail.ts";
import type { TiledTree } from "./tile.ts";
import type { TreeHead } from "./tree-head.ts";

/** Gives the signed tree head for what the tree has become. */
export type Signing = (tree: Pick<TreeHead, "size" | "root">) => string;

/** The end of a log, to go on from. Good for as long as nobody else writes; one whose `write` failed is not used again. */
export class LogWriter {
  readonly #directory: StateDirectory;
  readonly #files: LogFiles;
  readonly #tree: TiledTree;
  #nextBlock: { readonly number: number; readonly previous: string };
  #checkpoint: string | undefined;
  #tailLength: number;

  /** Throws kind integrity for an end that does not verify: last entries, tiles, tree head, block. */
  constructor(directory: StateDirectory, files: LogFiles, key: VerifierKey) {
    const view = new LogView(files, key);
    view.entries({ from: view.size - 1 }).next();
    this.#directory = directory;
    this.#files = files;
    this.#tree = view.treeToGrow();
    this.#nextBlock = nextBlock(files, view);
    this.#checkpoint = view.end.checkpoint;
    this.#tailLength = view.end.tailLength;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#tree.size;
  }

  /** How many blocks there are. */
  get blocks(): number {
    return this.#nextBlock.number;
  }

  get root(): Hash {
    return this.#tree.root();
  }

  /** True where the log is as this writer left it. */
  isCurrent(): boolean {
    return this.#files.checkpoint() === this.#checkpoint && this.#files.tailLength() === this.#tailLength;
  }

  /** The log's next block, as a frame for `write`. */
  frameOf(entries: readonly Buffer[], sign: Signing): Frame {
    const first = this.#tree.size;
    for (const entry of entries) this.#tree.append(leafHash(entry));
    const head = sign({ size: this.#tree.size, root: this.#tree.root() });
    const block = { ...this.#nextBlock, first, count: entries.length, head };
    this.#nextBlock = { number: block.number + 1, previous: blockHash(blockText(block)) };
    return { block, entries };
  }

  /** Adds the frame to the tail, synced. Opened anew each time, at the length that it is known to have. */
  write(frame: Frame): void {
    const { tailPath, path } = this.#files;
    using file = this.#directory.open(path, tailPath, this.#tailLength);
    this.#directory.append(file, tailPath, encodeFrame(frame));
    this.#tailLength = file.length;
  }

  /** Told that the tail's blocks are published. */
  published(): void {
    this.#checkpoint = this.#files.checkpoint();
    this.#tailLength = this.#files.tailLength();
  }
}

function nextBlock(files: LogFiles, { end, size }: LogView): { number: number; previous: string } {
  if (size === 0) return { number: 0, previous: NO_BLOCK_HASH };
  const waiting = end.frames.at(-1)?.block;
  const text = waiting === undefined ? files.block(lastBlock(files)) : blockText(waiting);
  const block = parseBlock(text ?? "");
  if (text === undefined || block === undefined || block.head !== (waiting?.head ?? end.checkpoint)) throw logFault(files.path, "its last block is not that of its tree head");
  return { number: block.number + 1, previous: blockHash(text) };
}

/** The number of the last block, found by doubling and halving: there are all of them. */
function lastBlock(files: LogFiles): number {
  let [there, gone] = [0, 1];
  while (files.hasBlock(gone)) [there, gone] = [gone, 2 * gone];
  while (gone - there > 1) {
    const middle = Math.floor((there + gone) / 2);
    if (files.hasBlock(middle)) there = middle;
    else gone = middle;
  }
  return there;
}
