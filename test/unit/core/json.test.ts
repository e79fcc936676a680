import { describe, expect, test } from "bun:test";
import { canonicalJson, equalJson, hashJson, toJson, type Json } from "../../../src/core/json.ts";

/** RFC 8785, Appendix B: the bits of a number, and how it is written. */
const NUMBERS: readonly [bits: string, text: string][] = [
  ["0000000000000000", "0"],
  ["8000000000000000", "0"],
  ["0000000000000001", "5e-324"],
  ["8000000000000001", "-5e-324"],
  ["7fefffffffffffff", "1.7976931348623157e+308"],
  ["ffefffffffffffff", "-1.7976931348623157e+308"],
  ["4340000000000000", "9007199254740992"],
  ["c340000000000000", "-9007199254740992"],
  ["4430000000000000", "295147905179352830000"],
  ["44b52d02c7e14af5", "9.999999999999997e+22"],
  ["44b52d02c7e14af6", "1e+23"],
  ["44b52d02c7e14af7", "1.0000000000000001e+23"],
  ["444b1ae4d6e2ef4e", "999999999999999700000"],
  ["444b1ae4d6e2ef4f", "999999999999999900000"],
  ["444b1ae4d6e2ef50", "1e+21"],
  ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
  ["3eb0c6f7a0b5ed8d", "0.000001"],
  ["41b3de4355555553", "333333333.3333332"],
  ["41b3de4355555554", "333333333.33333325"],
  ["41b3de4355555555", "333333333.3333333"],
  ["41b3de4355555556", "333333333.3333334"],
  ["41b3de4355555557", "333333333.33333343"],
  ["becbf647612f3696", "-0.0000033333333333333333"],
  ["43143ff3c1cb0959", "1424953923781206.2"],
];

function fromBits(bits: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${bits}`));
  return view.getFloat64(0);
}

describe("canonicalJson", () => {
  test("RFC 8785 3.2.2: writes literals, numbers and strings in their one way", () => {
    const input = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    const output = `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$${String.raw`\u000f\nA'B\"\\\\\"/"}`}`;
    expect(canonicalJson(JSON.parse(input) as Json)).toBe(output);
  });

  test("RFC 8785 3.2.3: sorts keys by UTF-16 code units", () => {
    const names = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    expect(Object.values(JSON.parse(canonicalJson(names)) as Record<string, string>).toSorted()).toEqual(Object.values(names).toSorted());
    expect([...canonicalJson(names).matchAll(/:"([^"]+)"/g)].map((match) => match[1])).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  test("RFC 8785 3.2.4: is UTF-8 when hashed", () => {
    const digest = new Bun.CryptoHasher("sha256").update(Buffer.from("7b22e282ac223a317d", "hex")).digest("hex");
    expect(hashJson({ "€": 1 })).toBe(digest);
  });

  test.each([...NUMBERS])("RFC 8785 Appendix B: the number with bits %s is written %s", (bits, text) => {
    expect(canonicalJson(fromBits(bits))).toBe(text);
  });

  test.each(["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])("RFC 8785 Appendix B: the bits %s are no JSON number", (bits) => {
    expect(() => canonicalJson([fromBits(bits)])).toThrow(RangeError);
  });

  test("RFC 8785 3.2.2.2: a lone surrogate, in a string or a key, throws", () => {
    expect(() => canonicalJson("\ud800")).toThrow(RangeError);
    expect(() => canonicalJson({ "\udead": 1 })).toThrow(RangeError);
  });

  test("drops keys that are undefined, and has no white space", () => {
    expect(canonicalJson({ b: [1, { d: "x y" }], a: undefined } as never)).toBe('{"b":[1,{"d":"x y"}]}');
  });
});

describe("equalJson", () => {
  test("does not care for the order of keys, and does for that of lists", () => {
    expect(equalJson({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
    expect(equalJson([1, 2], [2, 1])).toBe(false);
    expect(equalJson(undefined, null)).toBe(false);
    expect(equalJson(0, -0)).toBe(true);
  });
});

describe("toJson", () => {
  test("drops what is undefined and keeps the order of keys", () => {
    expect(JSON.stringify(toJson({ b: 1, a: undefined, c: [{ z: 1, y: undefined }] }))).toBe('{"b":1,"c":[{"z":1}]}');
  });
});
