import { describe, expect, test } from "bun:test";
import type { Json } from "../../../src/core/json.ts";
import { fromDbus, normalValue, PROPERTIES, toVariant } from "../../../src/plugins/systemd/properties.ts";

const CASES: readonly (readonly [name: string, declared: Json, normal: Json, dbus: unknown])[] = [
  ["MemoryMax", "2G", 2_147_483_648, 2_147_483_648n],
  ["MemoryMax", 2_147_483_648, 2_147_483_648, 2_147_483_648n],
  ["MemoryMax", "2147483648", 2_147_483_648, 2_147_483_648n],
  ["MemoryMax", "infinity", "infinity", 2n ** 64n - 1n],
  ["MemoryHigh", "512K", 524_288, 524_288n],
  ["MemoryHigh", "15E", "17293822569102704640", 15n * 1024n ** 6n],
  ["TasksMax", 100, 100, 100n],
  ["CPUWeight", 200, 200, 200n],
  ["CPUWeight", "idle", "idle", 0n],
  ["IOWeight", "500", 500, 500n],
  ["CPUQuota", "50%", "50%", 500_000n],
  ["CPUQuota", "12.5%", "12.5%", 125_000n],
  ["CPUQuota", "250%", "250%", 2_500_000n],
  ["CPUQuotaPeriodSec", "100ms", "100ms", 100_000n],
  ["CPUQuotaPeriodSec", "1000ms", "1s", 1_000_000n],
  ["AllowedCPUs", "0-1 3", "0-1,3", Buffer.from([0b1011])],
  ["AllowedCPUs", "8", "8", Buffer.from([0, 1])],
  ["CPUAccounting", "yes", true, true],
  ["DevicePolicy", "closed", "closed", "closed"],
  ["Description", "A web server", "A web server", "A web server"],
];

describe("normalValue, toVariant, fromDbus", () => {
  test.each(CASES)("%s: %p is %p", (name, declared, normal, dbus) => {
    expect(normalValue(name, declared)).toEqual(normal);
    expect(normalValue(name, normal)).toEqual(normal);
    expect(toVariant(name, normal).value).toEqual(dbus);
    expect(fromDbus(name, dbus)).toEqual(normal);
  });
});

describe("normalValue refuses", () => {
  const REFUSED: readonly (readonly [string, Json])[] = [
    ["MemoryMax", "50%"], ["MemoryMax", "2 G"], ["MemoryMax", -1], ["MemoryMax", 1.5], ["MemoryMax", true], ["MemoryMax", "99999999999999999999"],
    ["CPUWeight", 0], ["CPUWeight", 10_001], ["CPUWeight", "infinity"], ["IOWeight", "idle"], ["CPUQuota", "0%"], ["CPUQuota", 50], ["CPUQuota", "50"],
    ["AllowedCPUs", "3-1"], ["AllowedCPUs", "0-99999"], ["AllowedCPUs", ""], ["DevicePolicy", "open"], ["TasksMax", "10%"], ["CPUAccounting", 1],
    ["Description", "two\nlines"], ["ExecStart", "/bin/true"],
  ];
  test.each(REFUSED)("%s: %p", (name, declared) => {
    expect(() => normalValue(name, declared)).toThrow(RangeError);
  });
});

test("fromDbus: a weight or set that is not set is null", () => {
  expect(fromDbus("CPUWeight", 2n ** 64n - 1n)).toBeNull();
  expect(fromDbus("AllowedCPUs", Buffer.alloc(0))).toBeNull();
  expect(Object.keys(PROPERTIES).length).toBeGreaterThan(20);
});
