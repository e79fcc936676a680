import { expect, test } from "bun:test";
import { macText, parseMac } from "../../../src/core/mac-address.ts";

test("parseMac takes colons and dashes, in either case; macText has one spelling", () => {
  expect(["02:00:00:00:0A:ff", "02-00-00-00-0a-FF"].map((text) => macText(parseMac(text) ?? new Uint8Array(0)))).toEqual(Array(2).fill("02:00:00:00:0a:ff"));
  expect(macText(Uint8Array.of(10, 0, 0, 1))).toBe("0a:00:00:01");
});

test("parseMac takes nothing else", () => {
  for (const text of ["", "02:00:00:00:00", "02:00:00:00:00:01:02", "2:0:0:0:0:1", "02:00:00:00:00:0g", "02-00:00-00:00-01", "020000000001", "02:00:00:00:00:01 "]) {
    expect([text, parseMac(text)]).toEqual([text, undefined]);
  }
});
