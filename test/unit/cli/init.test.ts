import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { isObject, type Json } from "../../../src/core/json.ts";
import type { Plugin } from "../../../src/core/plugin.ts";
import type { Resource, Resources } from "../../../src/core/resource.ts";
import { at, lamps, run } from "./in-memory.ts";

/** Units as `query` prints them. "flapping" never is as declared, "refused" cannot be declared. */
function units(state: Resources): Plugin {
  return {
    ...lamps({}),
    name: "systemd",
    schema: v.looseObject({}),
    resources: (section: Json) => (isObject(section) ? (section.units as Resources) : {}),
    section: (resources) => ({ units: resources }),
    locate: (_, resource, path) => ["units", resource, ...path],
    read: async () => ({ resources: Object.fromEntries(Object.entries(state).map(([name, unit]) => [name, { state: unit }])) }),
    plan: (desired) => ({
      problems: Object.keys(desired).filter((name) => name.startsWith("refused")).map((resource) => ({ resource, path: ["active_state"], message: "No" })),
      steps: Object.keys(desired)
        .filter((name) => name.startsWith("flapping"))
        .map((resource) => ({ plugin: "systemd", name: "start", call: null, actions: [{ resource, verb: "start", path: ["active_state"], from: null, to: "active", risk: "low" as const }] })),
    }),
  };
}

const enabled = (active_state: string): Resource => ({ active_state, enabled: true, properties: { MemoryMax: "infinity" } });

describe("init", () => {
  const plugins = [
    units({
      "cron.service": enabled("active"),
      "late.service": enabled("inactive"),
      "off.service": { active_state: "active", enabled: false },
      "fstrim.timer": enabled("active"),
      "refused.service": enabled("active"),
      "flapping.service": enabled("active"),
    }),
  ];

  test("writes the enabled services with what they rest in, without those that would not plan to nothing", async () => {
    const files: Record<string, string> = {};
    const ran = await run(["init", "--state-file", "s.json"], { plugins, files });
    expect([ran.exit, ran.opened]).toEqual([0, ["read", "home"]]);
    expect(JSON.parse(files["s.json"] ?? "")).toEqual({
      version: 1,
      plugins: { systemd: { units: { "cron.service": { active_state: "active", enabled: true }, "late.service": { enabled: true } } } },
    });
    expect((await run(["plan", "s.json"], { plugins, files })).stdout).toBe("Nothing to do: the host is as declared\n");
    expect(ran.stdout).toContain("  op-dbus plan s.json   shows what an apply would change: now nothing\n");
  });

  test("writes over nothing, and makes nothing then", async () => {
    const ran = await run(["init"], { plugins, files: { "/etc/op-dbus/state.json": "mine" } });
    expect([ran.exit, ran.opened, ran.files]).toEqual([6, [], { "/etc/op-dbus/state.json": "mine" }]);
  });
});

test("schema allows $schema, names each plugin's keys, and no others", async () => {
  const { json } = await run(["schema", "--json"]);
  const schema = json();
  expect(Object.keys(at(schema, "properties") as object)).toEqual(["$schema", "version", "plugins"]);
  expect([at(schema, "additionalProperties"), at(schema, "properties", "plugins", "additionalProperties")]).toEqual([false, false]);
  expect(at(schema, "properties", "plugins", "properties", "lamps", "additionalProperties", "properties", "on")).toEqual({ type: "boolean" });
});

test("doctor says what is missing and what to do; a warning is no failure", async () => {
  const ran = await run(["doctor", "--json"]);
  expect([ran.exit, at(ran.json(), "ok")]).toEqual([0, true]);
  expect(at(ran.json(), "checks", 4)).toEqual({ name: "state file", verdict: "warn", found: "/etc/op-dbus/state.json is not there", advice: "'op-dbus init' writes a starter; or name one in each command" });
});
