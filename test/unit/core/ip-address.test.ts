import { expect, test } from "bun:test";
import { isIP } from "node:net";
import * as fc from "fast-check";
import { ipText, parseIp } from "../../../src/core/ip-address.ts";

test("ipText spells as RFC 5952 does", () => {
  // Sections 4.1, 4.2.1, 4.2.2, 4.2.3, 4.3 and 5.
  const spelled: Readonly<Record<string, string>> = {
    "2001:0db8::0001": "2001:db8::1",
    "2001:db8:0:0:0:0:2:1": "2001:db8::2:1",
    "2001:db8:0:1:1:1:1:1": "2001:db8:0:1:1:1:1:1",
    "2001:0:0:1:0:0:0:1": "2001:0:0:1::1",
    "2001:db8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
    "2001:DB8::ABCD": "2001:db8::abcd",
    "::ffff:c000:0201": "::ffff:192.0.2.1",
    "::192.0.2.1": "::c000:201",
    "0:0:0:0:0:0:0:0": "::",
    "1:0:0:0:0:0:0:0": "1::",
    "1:2:3:4:5:6:7:8": "1:2:3:4:5:6:7:8",
    "192.0.2.1": "192.0.2.1",
  };
  expect(Object.keys(spelled).map((text) => ipText(parseIp(text) ?? new Uint8Array(0)))).toEqual(Object.values(spelled));
  expect(() => ipText(new Uint8Array(5))).toThrow("5 bytes");
});

test("parseIp takes back what ipText gives", () => {
  const zeros = fc.constantFrom(0, 0, 0, 1, 255);
  const bytes = fc.oneof(...[4, 16].map((length) => fc.array(fc.oneof(zeros, fc.nat({ max: 255 })), { minLength: length, maxLength: length })));
  fc.assert(fc.property(bytes, (each) => expect([...(parseIp(ipText(Uint8Array.from(each))) ?? [])]).toEqual(each)));
});

test("parseIp takes what Node takes for an address, and nothing else", () => {
  const soup = fc.array(fc.constantFrom(..."0123456789abcdefABF:::...g% /".split("")), { maxLength: 24 }).map((parts) => parts.join(""));
  const near = fc.tuple(fc.array(fc.constantFrom("0", "1", "ffff", "12345", "", "1.2.3.4", "00"), { maxLength: 9 }), fc.constantFrom(":", "::", ".")).map(([parts, glue]) => parts.join(glue));
  fc.assert(fc.property(fc.oneof(soup, near), (text) => expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0 && !text.includes("%"))), { numRuns: 3000 });
  for (const text of ["", ":", ":::", "1::2::3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8:9", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4:1::", "fe80::1%lo", "::1/64", " ::1"]) {
    expect([text, parseIp(text)]).toEqual([text, undefined]);
  }
});
