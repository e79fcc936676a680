import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Json } from "../../../src/core/json.ts";
import { diagnose } from "../../../src/core/schema.ts";

const member = v.union([v.string(), v.strictObject({ name: v.string(), pvid: v.optional(v.pipe(v.number(), v.integer())) })]);
const schema = v.strictObject({
  name: v.string(),
  mode: v.optional(v.picklist(["enforce", "observe-only"])),
  running: v.nullish(v.boolean()),
  mtu: v.optional(v.pipe(v.number(), v.minValue(68, "An MTU is at least 68"))),
  ports: v.optional(v.array(member)),
  properties: v.optional(v.record(v.string(), v.nullable(v.string()))),
});

function lines(value: Json): string[] {
  return diagnose(schema, value, ["plugins", "net"]).map(({ path, message, hint }) => {
    return `${path.slice(1).join(".")}: ${message}${hint === undefined ? "" : ` (${hint})`}`;
  });
}

describe("diagnose", () => {
  test("finds nothing in what fits", () => {
    expect(lines({ name: "a", mode: "enforce", running: null, ports: ["x", { name: "y", pvid: 1 }], properties: { p: null } })).toEqual([]);
  });

  test("names a key that is missing", () => {
    expect(lines({})).toEqual(["net.name: Missing 'net.name'"]);
  });

  test("names a key that is unknown, with the one it was meant to be or those there are", () => {
    expect(lines({ name: "a", mod: "enforce" })).toEqual(["net.mod: Unknown key 'net.mod' (Did you mean 'mode'?)"]);
    expect(lines({ name: "a", xyzzy: 1 })).toEqual(["net.xyzzy: Unknown key 'net.xyzzy' (Allowed: name, mode, running, mtu, ports, properties)"]);
  });

  test("says what was found and what is allowed, in words", () => {
    expect(lines({ name: 1, running: "on", mode: "enforced" })).toEqual([
      "net.name: 'net.name' is 1, allowed is a string",
      `net.mode: 'net.mode' is "enforced", allowed is "enforce" or "observe-only" (Did you mean "enforce"?)`,
      `net.running: 'net.running' is "on", allowed is true or false`,
    ]);
  });

  test("says of a value of the right type what its schema says", () => {
    expect(lines({ name: "a", mtu: 1 })).toEqual(["net.mtu: 'net.mtu': An MTU is at least 68"]);
  });

  test("refuses a list for an object, which valibot takes", () => {
    expect(lines({ name: "a", properties: [] })[0]).toBe("net.properties: 'net.properties' is a list, allowed is an object");
  });

  test("goes into the branch of a union that got furthest", () => {
    expect(lines({ name: "a", ports: [{ name: "y", pvid: "one" }] })).toEqual([`net.ports.0.pvid: 'net.ports.0.pvid' is "one", allowed is a number`]);
    expect(lines({ name: "a", ports: [7] })[0]).toStartWith("net.ports.0: 'net.ports.0' is 7, allowed is a string or ");
    expect(lines({ name: "a", ports: [{ name: "y", pvd: 1 }] })).toEqual(["net.ports.0.pvd: Unknown key 'net.ports.0.pvd' (Did you mean 'pvid'?)"]);
  });

  test("shortens what was found", () => {
    expect(lines({ name: "a", running: "x".repeat(100) })[0]).toBe(`net.running: 'net.running' is "${"x".repeat(56)}..., allowed is true or false`);
  });
});
