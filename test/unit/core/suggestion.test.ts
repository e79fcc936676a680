import { describe, expect, test } from "bun:test";
import { nearest } from "../../../src/core/suggestion.ts";

const KEYS = ["active_state", "enabled", "masked", "properties", "up"];

describe("nearest", () => {
  test.each([
    ["enable", "enabled"],
    ["enabeld", "enabled"],
    ["Enabled", "enabled"],
    ["activestate", "active_state"],
    ["propertys", "properties"],
    ["us", "up"],
  ])("of %s is %s", (word, near) => {
    expect(nearest(word, KEYS)).toBe(near);
  });

  test.each(["", "x", "something else", "mask_it_now", "e".repeat(1_000)])("of %s is nothing", (word) => {
    expect(nearest(word, KEYS)).toBeUndefined();
  });

  test("of several is the nearest, of equally near ones the first", () => {
    expect(nearest("masks", ["mask", "masked", "marks"])).toBe("mask");
    expect(nearest("a", ["b", "c"])).toBe("b");
  });

  test("among nothing is nothing", () => {
    expect(nearest("a", [])).toBeUndefined();
  });
});
