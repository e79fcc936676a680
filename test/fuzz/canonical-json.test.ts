import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { canonicalJson, equalJson, hashJson, parseCanonical, type Json } from "../../src/core/json.ts";

const json = fc.jsonValue({ stringUnit: "binary", maxDepth: 5 }) as fc.Arbitrary<Json>;

/** The same value with the keys of every object in another order. */
function reordered(value: Json): Json {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([key, inner]) => [key, reordered(inner)]));
}

function isWellFormed(value: Json): boolean {
  return JSON.stringify(value).isWellFormed() && !/\\ud[89a-f]/i.test(JSON.stringify(value));
}

test("canonicalJson: what it writes is read as the same value, and written as the same text again", () => {
  fc.assert(
    fc.property(json.filter(isWellFormed), (value) => {
      const text = canonicalJson(value);
      const again = JSON.parse(text) as Json;
      expect(canonicalJson(again)).toBe(text);
      expect(equalJson(value, again)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test("parseCanonical: takes exactly the texts that canonicalJson writes", () => {
  const texts = fc.oneof(
    json.filter(isWellFormed).map(canonicalJson),
    json.map((value) => JSON.stringify(value)),
    json.map((value) => JSON.stringify(value, null, 1)),
    fc.constantFrom('{"10":1,"9":2}', '{"9":2,"10":1}', '{"a":1,"a":1}', '"\\ud800"', '"\\u0041"', "1.0", "1e2", "-0", '{"b":1,"a":{}}', '{"":1,"a":{"":2}}', " 1", ""),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const canonical = isCanonical(text);
      expect(parseCanonical(text)).toEqual(canonical ? JSON.parse(text) : undefined);
    }),
    { numRuns: 5_000 },
  );
});

function isCanonical(text: string): boolean {
  try {
    return canonicalJson(JSON.parse(text) as Json) === text;
  } catch {
    return false;
  }
}

test("canonicalJson, hashJson: do not depend on the order of keys", () => {
  fc.assert(
    fc.property(json.filter(isWellFormed), (value) => {
      expect(canonicalJson(reordered(value))).toBe(canonicalJson(value));
      expect(hashJson(reordered(value))).toBe(hashJson(value));
    }),
    { numRuns: 1_000 },
  );
});

test("canonicalJson: two values have the same text only when they are the same", () => {
  fc.assert(
    fc.property(json.filter(isWellFormed), json.filter(isWellFormed), (a, b) => {
      expect(canonicalJson(a) === canonicalJson(b)).toBe(Bun.deepEquals(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)), true));
    }),
    { numRuns: 1_000 },
  );
});

test("canonicalJson: every number of 64 bits is written so that it reads back, or refused", () => {
  const bits = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  fc.assert(
    fc.property(bits, (value) => {
      const view = new DataView(new ArrayBuffer(8));
      view.setBigUint64(0, value);
      const number = view.getFloat64(0);
      if (!Number.isFinite(number)) expect(() => canonicalJson(number)).toThrow(RangeError);
      else expect(Number(canonicalJson(number))).toBe(number === 0 ? 0 : number);
    }),
    { numRuns: 5_000 },
  );
});
