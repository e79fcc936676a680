import { expect, test } from "bun:test";
import { OpError } from "../../../../src/core/errors.ts";
import { cString } from "../../../../src/sys/libc.ts";
import { maskOf, numbersIn } from "../../../../src/sys/native/bit-mask.ts";
import { check, errnoName } from "../../../../src/sys/native/failure.ts";
import { uuidBytes, uuidText } from "../../../../src/sys/native/uuid.ts";

test("maskOf and numbersIn are inverse, across the words", () => {
  expect(maskOf([0, 63, 64]).slice(0, 3)).toEqual(new BigUint64Array([0x8000000000000001n, 1n, 0n]));
  for (const numbers of [[], [0], [63, 64, 127, 128], [8191]]) expect(numbersIn(maskOf(numbers.toReversed()))).toEqual(numbers);
});

test("uuidText and uuidBytes are inverse; sixteen zeroes are none, other text is refused", () => {
  const text = "00112233-4455-6677-8899-aabbccddeeff";
  expect(uuidText(uuidBytes(text.toUpperCase()))).toBe(text);
  expect(uuidText(new Uint8Array(16))).toBeUndefined();
  for (const wrong of ["", text.slice(1), `${text}0`, text.replaceAll("-", ""), text.replace("0", "g")]) expect(() => uuidBytes(wrong)).toThrow("is not a UUID");
});

test("errnoName knows POSIX's names and Linux's", () => {
  expect([2, 11, 28, 30, 95, 117, 4000].map(errnoName)).toEqual(["ENOENT", "EAGAIN", "ENOSPC", "EROFS", "EOPNOTSUPP", "EUCLEAN", "errno 4000"]);
});

test("check passes results on and makes of a negated errno an error with name, kind and operation", () => {
  expect(check(7, "do it")).toBe(7);
  const errorOf = (result: number): unknown => {
    try {
      return check(result, "do it");
    } catch (error) {
      return error;
    }
  };
  expect(errorOf(-117)).toBeInstanceOf(OpError);
  expect(errorOf(-117)).toMatchObject({ kind: "failed", operation: "do it", message: "Could not do it: Structure needs cleaning (EUCLEAN)", cause: { code: "EUCLEAN" } });
  expect(errorOf(-1)).toMatchObject({ kind: "refused", retryable: false });
  expect(errorOf(-38)).toMatchObject({ kind: "unavailable" });
  expect(errorOf(-16)).toMatchObject({ kind: "failed", retryable: true });
});

test("cString refuses text that C would read only a part of", () => {
  expect([...cString("é")]).toEqual([0xc3, 0xa9, 0]);
  expect(() => cString("a\0b")).toThrow("has a NUL character in it");
});
