/*
 * RFC 9162 2.1 word for word, on leaves' data in a list: slow, recursive, and sharing nothing with what it is to check.
 */

type Data = readonly Uint8Array[];

function hash(...parts: Uint8Array[]): Buffer {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const part of parts) hasher.update(part);
  return hasher.digest();
}

/** 2.1.1: MTH. */
export function naiveRoot(data: Data): Buffer {
  const [first] = data;
  if (first === undefined) return hash();
  if (data.length === 1) return hash(Buffer.of(0), first);
  const k = largestPower(data.length);
  return hash(Buffer.of(1), naiveRoot(data.slice(0, k)), naiveRoot(data.slice(k)));
}

/** 2.1.3.1: PATH. */
export function naivePath(m: number, data: Data): Buffer[] {
  const n = data.length;
  if (n === 1) return [];
  const k = largestPower(n);
  if (m < k) return [...naivePath(m, data.slice(0, k)), naiveRoot(data.slice(k))];
  return [...naivePath(m - k, data.slice(k)), naiveRoot(data.slice(0, k))];
}

/** 2.1.4.1: PROOF. */
export function naiveConsistency(m: number, data: Data): Buffer[] {
  return naiveSubproof(m, data, true);
}

function naiveSubproof(m: number, data: Data, complete: boolean): Buffer[] {
  const n = data.length;
  if (m === n) return complete ? [] : [naiveRoot(data)];
  const k = largestPower(n);
  if (m <= k) return [...naiveSubproof(m, data.slice(0, k), complete), naiveRoot(data.slice(k))];
  return [...naiveSubproof(m - k, data.slice(k), false), naiveRoot(data.slice(0, k))];
}

/** The largest power of two smaller than n. */
function largestPower(n: number): number {
  return n === 2 ? 1 : 2 ** Math.ceil(Math.log2(n) - 1);
}
