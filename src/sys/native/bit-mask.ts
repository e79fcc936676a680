import { OpError } from "../../core/errors.ts";

/** More CPUs, and more NUMA nodes, than any Linux is built for (NR_CPUS 8192, MAX_NUMNODES 1024). */
export const MASK_BITS = 8192;
const WORD_BITS = 64;

/** The kernel's way of writing a set of small numbers: bit n of 64-bit words for n. */
export function maskOf(numbers: Iterable<number>): BigUint64Array {
  const mask = emptyMask();
  for (const number of numbers) {
    if (!Number.isInteger(number) || number < 0 || number >= MASK_BITS) throw new OpError("invalid", `${number} is not a number from 0 to ${MASK_BITS - 1}`);
    const word = Math.floor(number / WORD_BITS);
    mask[word] = (mask[word] ?? 0n) | (1n << BigInt(number % WORD_BITS));
  }
  return mask;
}

export function emptyMask(): BigUint64Array {
  return new BigUint64Array(MASK_BITS / WORD_BITS);
}

/** The numbers in a mask, in order. */
export function numbersIn(mask: BigUint64Array): number[] {
  return Array.from({ length: mask.length * WORD_BITS }, (_, number) => number).filter(
    (number) => ((mask[Math.floor(number / WORD_BITS)] ?? 0n) >> BigInt(number % WORD_BITS)) & 1n,
  );
}
