/*
 * Hashes of a Merkle tree (RFC 6962 2.1, RFC 9162 2.1.1): SHA-256, with a byte in front that tells leaves from nodes.
 */

export const HASH_BYTES = 32;

/** 32 bytes. */
export type Hash = Uint8Array;

const LEAF = 0x00;
const NODE = 0x01;

/** The root of the tree without leaves. */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array(0));

export function sha256(bytes: Uint8Array, into: Hash = new Uint8Array(HASH_BYTES)): Hash {
  Bun.SHA256.hash(bytes, into);
  return into;
}

/** The hash of `bytes` from `start` to `end` as a leaf, at most 65,535 of them, written into `into`. */
export function leafHash(bytes: Uint8Array, { start = 0, end = bytes.length, into = new Uint8Array(HASH_BYTES) }: LeafSpan = {}): Hash {
  leaf.set(bytes.subarray(start, end), 1);
  return sha256(leaf.subarray(0, end - start + 1), into);
}

export interface LeafSpan {
  readonly start?: number;
  readonly end?: number;
  readonly into?: Hash;
}

export function nodeHash(left: Hash, right: Hash): Hash {
  const pair = new Pair();
  pair.left.set(left);
  pair.right.set(right);
  return pair.hash(new Uint8Array(HASH_BYTES));
}

/** What is hashed for a node. Kept and written over, it hashes without allocating. */
export class Pair {
  readonly #bytes = Uint8Array.of(NODE, ...new Uint8Array(2 * HASH_BYTES));
  readonly left = this.#bytes.subarray(1, 1 + HASH_BYTES);
  readonly right = this.#bytes.subarray(1 + HASH_BYTES);

  hash(into: Hash): Hash {
    return sha256(this.#bytes, into);
  }
}

export function sameHash(a: Hash | undefined, b: Hash | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}

const leaf = new Uint8Array(1 + 0xffff).fill(LEAF, 0, 1);
