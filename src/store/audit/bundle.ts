/*
 * Entry bundles of c2sp.org/tlog-tiles: entries one after another, each after its length as two bytes, the higher first.
 */

export const ENTRY_LIMIT_BYTES = 0xffff;
const LENGTH_BYTES = 2;

/** Takes entries of at most 65,535 bytes. */
export function encodeBundle(entries: readonly Uint8Array[]): Buffer {
  const bundle = Buffer.alloc(entries.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  let offset = 0;
  for (const entry of entries) {
    offset = bundle.writeUInt16BE(entry.length, offset);
    bundle.set(entry, offset);
    offset += entry.length;
  }
  return bundle;
}

/** Where each entry begins and ends in a bundle, as far as it has whole ones. */
export interface BundleSpans {
  /** Begin and end of entry n at 2n and 2n + 1. */
  readonly spans: Uint32Array;
  readonly count: number;
  /** Bytes of the whole entries; less than the bundle has where it does not end with one. */
  readonly length: number;
}

/** Finds at most `limit` entries. */
export function spansOf(bundle: Uint8Array, limit: number): BundleSpans {
  const spans = new Uint32Array(2 * limit);
  let [count, offset] = [0, 0];
  while (count < limit && offset + LENGTH_BYTES <= bundle.length) {
    const start = offset + LENGTH_BYTES;
    const end = start + (bundle[offset] as number) * 256 + (bundle[offset + 1] as number);
    if (end > bundle.length) break;
    spans[2 * count] = start;
    spans[2 * count + 1] = end;
    [count, offset] = [count + 1, end];
  }
  return { spans, count, length: offset };
}
