import { EMPTY_ROOT, nodeHash, sameHash, type Hash } from "./merkle.ts";

/*
 * Proofs of RFC 9162 2.1.3 (an entry is in a tree) and 2.1.4 (a tree begins with another), made and verified.
 * Sizes may be larger than 32 bits: no bit operators on them.
 */

/** The root of the complete subtree of 2^height leaves that begins at leaf index * 2^height. */
export type SubtreeHash = (height: number, index: number) => Hash;

/** The hashes that lead from leaf `index` to the root of the first `size` leaves, lowest first. Takes index < size. */
export function inclusionProof(subtree: SubtreeHash, index: number, size: number): Hash[] {
  return pathIn(subtree, index, { start: 0, end: size });
}

/** The hashes that show the tree of `first` leaves to be the beginning of that of `size`. Takes 0 <= first <= size. */
export function consistencyProof(subtree: SubtreeHash, first: number, size: number): Hash[] {
  return first === 0 ? [] : subproof(subtree, first, { start: 0, end: size }, true);
}

export interface Inclusion {
  readonly index: number;
  readonly leaf: Hash;
  readonly size: number;
  readonly root: Hash;
}

/** RFC 9162 2.1.3.2. */
export function verifyInclusion(proof: readonly Hash[], { index, leaf, size, root }: Inclusion): boolean {
  if (index < 0 || index >= size) return false;
  let hash = leaf;
  let [first, last] = [index, size - 1];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(first) || first === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(first) && first !== 0) [first, last] = [half(first), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [first, last] = [half(first), half(last)];
  }
  return last === 0 && sameHash(hash, root);
}

export interface Heads {
  readonly first: number;
  readonly firstRoot: Hash;
  readonly size: number;
  readonly root: Hash;
}

/** RFC 9162 2.1.4.2. Every tree begins with the empty one, which takes no proof. */
export function verifyConsistency(proof: readonly Hash[], { first, firstRoot, size, root }: Heads): boolean {
  if (first < 0 || first > size) return false;
  if (first === size) return proof.length === 0 && sameHash(firstRoot, root);
  if (first === 0) return proof.length === 0 && sameHash(firstRoot, EMPTY_ROOT);
  let [one, last] = [first - 1, size - 1];
  while (isOdd(one)) [one, last] = [half(one), half(last)];
  // Where the first tree is itself a subtree of the second, the proof leaves its root out.
  const [seed, ...rest] = one === 0 ? [firstRoot, ...proof] : proof;
  if (seed === undefined || proof.length === 0) return false;
  let [firstHash, hash] = [seed, seed];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (isOdd(one) || one === last) {
      firstHash = nodeHash(sibling, firstHash);
      hash = nodeHash(sibling, hash);
      while (!isOdd(one) && one !== 0) [one, last] = [half(one), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [one, last] = [half(one), half(last)];
  }
  return last === 0 && sameHash(firstHash, firstRoot) && sameHash(hash, root);
}

/** Leaves from `start` up to `end`, where `start` is a multiple of the largest power of two that fits in. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** MTH of RFC 9162 2.1.1. */
function rootOf(subtree: SubtreeHash, { start, end }: Span): Hash {
  const height = Math.round(Math.log2(end - start));
  if (2 ** height === end - start) return subtree(height, start / 2 ** height);
  const middle = split({ start, end });
  return nodeHash(rootOf(subtree, { start, end: middle }), rootOf(subtree, { start: middle, end }));
}

/** PATH of RFC 9162 2.1.3.1. */
function pathIn(subtree: SubtreeHash, index: number, { start, end }: Span): Hash[] {
  if (end - start === 1) return [];
  const middle = split({ start, end });
  const [left, right] = [{ start, end: middle }, { start: middle, end }];
  return index < middle
    ? [...pathIn(subtree, index, left), rootOf(subtree, right)]
    : [...pathIn(subtree, index, right), rootOf(subtree, left)];
}

/** SUBPROOF of RFC 9162 2.1.4.1; `known` says that the verifier has the root of the whole span. */
function subproof(subtree: SubtreeHash, first: number, { start, end }: Span, known: boolean): Hash[] {
  if (first === end) return known ? [] : [rootOf(subtree, { start, end })];
  const middle = split({ start, end });
  const [left, right] = [{ start, end: middle }, { start: middle, end }];
  return first <= middle
    ? [...subproof(subtree, first, left, known), rootOf(subtree, right)]
    : [...subproof(subtree, first, right, false), rootOf(subtree, left)];
}

/** Where a span of two leaves or more divides: after the largest power of two that is less than its length. */
function split({ start, end }: Span): number {
  let left = 1;
  while (left * 2 < end - start) left *= 2;
  return start + left;
}

function isOdd(number: number): boolean {
  return number % 2 === 1;
}

function half(number: number): number {
  return Math.floor(number / 2);
}
