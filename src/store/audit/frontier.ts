import { EMPTY_ROOT, HASH_BYTES, Pair, type Hash } from "./merkle.ts";

/**
 * The right edge of a growing tree: the roots of the complete subtrees that it is made of, one for each bit of its size.
 * Enough to go on from and to know the root; it grows with the logarithm of the tree.
 */
export class Frontier {
  readonly #edge: Slot[] = [];
  readonly #scratch = new Uint8Array(HASH_BYTES);
  readonly #reached: (height: number, hash: Hash) => void;
  #size = 0;

  /** `reached` is told the root of each subtree as it becomes complete, leaves (height 0) included; it copies what it keeps. */
  constructor(reached: (height: number, hash: Hash) => void = () => undefined) {
    this.#reached = reached;
  }

  /** How many leaves there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf, or the root of a complete subtree where the size is a multiple of its own. */
  push(hash: Hash, height = 0): void {
    this.#size += 2 ** height;
    for (let carry = hash; ; height += 1) {
      this.#reached(height, carry);
      const slot = this.#slot(height);
      slot.filled = !slot.filled;
      if (slot.filled) {
        slot.pair.left.set(carry);
        return;
      }
      slot.pair.right.set(carry);
      carry = slot.pair.hash(this.#scratch);
    }
  }

  root(): Hash {
    let root: Hash | undefined;
    for (const { pair, filled } of this.#edge) {
      if (!filled) continue;
      if (root === undefined) {
        root = Uint8Array.from(pair.left);
      } else {
        pair.right.set(root);
        pair.hash(root);
      }
    }
    return root ?? EMPTY_ROOT;
  }

  #slot(height: number): Slot {
    while (this.#edge.length <= height) this.#edge.push({ pair: new Pair(), filled: false });
    return this.#edge[height] as Slot;
  }
}

/** The complete subtree of one height, on the left of the next one to come. */
interface Slot {
  readonly pair: Pair;
  filled: boolean;
}
