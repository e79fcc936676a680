import type { OpError } from "../../core/errors.ts";
import { blockHash, blockText, NO_BLOCK_HASH, parseBlock, type Block } from "./block.ts";
import { entryFault } from "./fault.ts";
import type { LogEnd } from "./log-end.ts";
import type { LogFiles } from "./log-files.ts";
import { sameHash, type Hash } from "./merkle.ts";
import type { VerifierKey } from "./note.ts";
import { openTreeHead } from "./tree-head.ts";

export interface BlockChainParts {
  readonly files: LogFiles;
  readonly key: VerifierKey;
  readonly end: LogEnd;
  /** How many entries there are. */
  readonly size: number;
}

/**
 * The blocks of a log, checked one after another: place, hash of the one before, tree head signed over the tree as it was then.
 * Throws kind integrity, naming the block's first entry.
 */
export class BlockChain {
  readonly #parts: BlockChainParts;
  #block: Block | undefined;
  /** The root that the block was signed with. */
  #root: Hash | undefined;
  #previous = NO_BLOCK_HASH;
  #count = 0;

  constructor(parts: BlockChainParts) {
    this.#parts = parts;
  }

  /** How many blocks were begun. */
  get count(): number {
    return this.#count;
  }

  /** The number of the entry that the next block begins with. */
  get end(): number {
    return this.#block === undefined ? 0 : this.#block.first + this.#block.count;
  }

  /** The last block's signed tree head. */
  get head(): string | undefined {
    return this.#block?.head;
  }

  /** Goes on to the block that begins where the last one ended. */
  next(): void {
    const [number, first] = [this.#count, this.end];
    const { files, key, end: logEnd, size } = this.#parts;
    const waiting = logEnd.frames.find(({ block }) => block.first === first)?.block;
    const published = files.block(number);
    const text = waiting === undefined ? published : blockText(waiting);
    const wrong = (what: string) => this.#fault(first, `block ${number} ${what}`);
    if (text === undefined) throw wrong("is missing");
    const block = parseBlock(text);
    if (block === undefined) throw wrong("is not in its form");
    if (block.number !== number || block.first !== first) throw wrong(`says that it is block ${block.number} from entry ${block.first} on`);
    if (block.previous !== this.#previous) throw wrong("does not have the hash of the block before it");
    const [end, head] = [first + block.count, openTreeHead(block.head, key)];
    if (head?.size !== end) throw wrong("has no tree head of its size that is signed by the log's key");
    if (end > (waiting === undefined ? (logEnd.published?.size ?? 0) : size)) throw wrong("goes beyond the log's tree head");
    if (published !== undefined && published !== text) throw wrong("is not as it was logged");
    this.#block = block;
    this.#root = head.root;
    this.#previous = blockHash(text);
    this.#count += 1;
  }

  /** Told the root of all entries up to and with the block. */
  close(root: Hash): void {
    if (this.#block === undefined || sameHash(this.#root, root)) return;
    const { number, first } = this.#block;
    throw this.#fault(first, `block ${number} (entries ${first} to ${this.end - 1}) was signed with other entries`);
  }

  #fault(number: number, what: string): OpError {
    return entryFault(this.#parts.files.path, number, what);
  }
}
