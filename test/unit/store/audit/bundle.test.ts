import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { encodeBundle, ENTRY_LIMIT_BYTES, spansOf } from "../../../../src/store/audit/bundle.ts";

function decoded(bundle: Uint8Array, limit: number): Uint8Array[] {
  const { spans, count } = spansOf(bundle, limit);
  return Array.from({ length: count }, (_, number) => bundle.slice(spans[2 * number], spans[2 * number + 1]));
}

test("an entry stands after its length, the higher byte first", () => {
  expect(encodeBundle([Buffer.from("ab"), Buffer.alloc(0), Buffer.alloc(300, 1)]).subarray(0, 8)).toEqual(Buffer.from([0, 2, 97, 98, 0, 0, 1, 44]));
});

test("spansOf finds what encodeBundle wrote, and of a part the entries that are whole", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 20 }), fc.nat(100), (entries, cut) => {
    const bundle = new Uint8Array(encodeBundle(entries));
    expect(decoded(bundle, entries.length)).toEqual(entries);
    expect(spansOf(bundle, 256).length).toBe(bundle.length);
    const part = bundle.subarray(0, Math.max(0, bundle.length - cut));
    const { count, length } = spansOf(part, 256);
    expect(decoded(part, 256)).toEqual(entries.slice(0, count));
    expect(length).toBe(encodeBundle(entries.slice(0, count)).length);
  }));
});

test("the largest entry goes in, one byte more does not", () => {
  const largest = Buffer.alloc(ENTRY_LIMIT_BYTES, 1);
  expect(decoded(encodeBundle([largest, largest]), 2)).toEqual([largest, largest].map((entry) => Buffer.from(entry)));
  expect(() => encodeBundle([Buffer.alloc(ENTRY_LIMIT_BYTES + 1)])).toThrow(RangeError);
});
