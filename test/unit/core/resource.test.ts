import { describe, expect, test } from "bun:test";
import { keyName, leavesOf, mergeResources, sameValue, valueAt, withoutValue, withValue } from "../../../src/core/resource.ts";

const resource = { value: 1, properties: { p: null, deep: { q: [1] } }, empty: {} };

describe("leavesOf", () => {
  test("has each leaf with its path in the order written; a list is a leaf, an empty object has none", () => {
    expect(leavesOf(resource)).toEqual([
      { path: ["value"], value: 1 },
      { path: ["properties", "p"], value: null },
      { path: ["properties", "deep", "q"], value: [1] },
    ]);
  });
});

describe("valueAt", () => {
  test("is the value written, null included, and undefined where nothing is", () => {
    expect(valueAt(resource, ["properties", "p"])).toBeNull();
    expect(valueAt(resource, ["properties", "none"])).toBeUndefined();
    expect(valueAt(resource, ["value", "below"])).toBeUndefined();
    expect(valueAt(undefined, ["value"])).toBeUndefined();
  });

  test("does not find what every object has", () => {
    expect(valueAt(resource, ["constructor"])).toBeUndefined();
    expect(valueAt(resource, ["properties", "toString"])).toBeUndefined();
  });
});

describe("withValue, withoutValue", () => {
  test("set and take away one leaf, and leave the original as it is", () => {
    const before = structuredClone(resource);
    const set = withValue(resource, ["properties", "deep", "r"], 2);
    expect(valueAt(set, ["properties", "deep"])).toEqual({ q: [1], r: 2 });
    expect(withoutValue(withoutValue(set, ["properties", "deep", "r"]), ["properties", "deep", "q"])).toEqual({ value: 1, properties: { p: null }, empty: {} });
    expect(withoutValue(resource, ["none"])).toEqual(resource);
    expect(resource).toEqual(before);
  });

  test("make way for an object where a leaf was", () => {
    expect(withValue({ a: 1 }, ["a", "b"], 2)).toEqual({ a: { b: 2 } });
  });
});

describe("mergeResources", () => {
  test("lays one on the other leaf by leaf, resource by resource", () => {
    const under = { a: { value: 1, properties: { p: 1 } }, b: { value: 1 } };
    expect(mergeResources(under, { a: { properties: { q: 2 } }, c: {} })).toEqual({ a: { value: 1, properties: { p: 1, q: 2 } }, b: { value: 1 }, c: {} });
  });
});

describe("keyName, sameValue", () => {
  test("name a key as people do, and take unwritten for null", () => {
    expect(keyName(["properties", "MemoryMax"])).toBe("properties.MemoryMax");
    expect(sameValue(undefined, null)).toBe(true);
    expect(sameValue([], null)).toBe(false);
  });
});
