import { expect } from "bun:test";
import type { Entry } from "../../../src/cli/command.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { apply, declare, expectLine, fresh, opDbus, opDbusJson, STATE } from "../session.ts";

const COMMAND_LINES = pathsOf(COMMANDS);

hostTest("init: on a pristine host, a starter that plans to nothing and is not written over", async (host) => {
  expectLine(await opDbus(host, 0, "init"), "Wrote /etc/op-dbus/state.json with", "enabled services");
  const starter = JSON.parse(await host.read("/etc/op-dbus/state.json")) as { version: number; plugins: { systemd: { units: Record<string, unknown> } } };
  expect(starter.version).toBe(1);
  expect(starter.plugins.systemd.units["cron.service"]).toEqual({ active_state: "active", enabled: true });
  expectLine(await opDbus(host, 0, "plan"), "Nothing to do");
  expectLine(await opDbus(host, 0, "verify"), "The host is as declared by the document");

  await host.write("/etc/op-dbus/state.json", "mine");
  expectLine(await opDbus(host, 6, "init"), "exists already");
  expect(await host.read("/etc/op-dbus/state.json")).toBe("mine");
  expect((await opDbusJson<{ units: number }>(host, 0, "init", "--state-file", "/root/other.json")).units).toBe(Object.keys(starter.plugins.systemd.units).length);
}, { pristine: true });

hostTest("doctor: a host has all that root needs; alice is told what she may not", async (host) => {
  await fresh(host);
  const { ok, checks } = await opDbusJson<{ ok: boolean; checks: { name: string; verdict: string }[] }>(host, 0, "doctor");
  expect(ok).toBe(true);
  expect(checks.filter(({ verdict }) => verdict !== "ok").map(({ name }) => name)).toEqual(["state file"]);
  expectLine(await opDbus(host, 0, "doctor"), "op-dbus has what it needs", "/var/lib/op-dbus (default, set by --root, OP_DBUS_ROOT)");
  const alice = await host.must(["op-dbus", "doctor"], { user: "alice" });
  expectLine(alice, "Reading works; to change the host, run op-dbus as root", "/var/lib/op-dbus on overlay is not writable");
  // It looks and does not touch.
  expect((await host.run(["test", "-e", "/var/lib/op-dbus"])).exit).toBe(1);
});

interface Schema {
  readonly $schema?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

hostTest("schema: a JSON Schema that takes the README's documents, and not their typos", async (host) => {
  const schema = JSON.parse((await opDbus(host, 0, "schema")).stdout) as Schema;
  expect(schema.$schema).toBe("https://json-schema.org/draft/2020-12/schema");
  const readme = await Bun.file(`${import.meta.dir}/../../../README.md`).text();
  const documents = [
    await Bun.file(`${import.meta.dir}/../readme/state.json`).json(),
    await Bun.file(`${import.meta.dir}/../readme/broken.json`).json(),
    ...[...readme.matchAll(/^ {4}(\{ "version"[^]*?\n)\n/gm)].map(([, text = ""]) => JSON.parse(text) as unknown),
  ];
  expect(documents).toHaveLength(4);
  for (const document of documents) expect(accepts(schema, document)).toBe(true);
  expect(accepts(schema, await Bun.file(`${import.meta.dir}/../readme/typo.json`).json())).toBe(false);
  for (const links of [[{}], [{ name: "eth0", mtu: 1 }], [{ name: "eth0", mtu: 1500.5 }], [{ name: "eth0", ports: [1] }], { name: "eth0" }]) {
    expect(accepts(schema, { version: 1, plugins: { net: { interfaces: links } } })).toBe(false);
  }
  const flowsOf = (flow: unknown) => ({ version: 1, plugins: { openflow: { bridge: "mesh", flows: [flow] } } });
  expect(accepts(schema, flowsOf({ priority: 5, match: { tcp: true }, actions: ["drop"] }))).toBe(true);
  for (const wrong of [{ priority: 70_000 }, { priority: 1.5 }, { actions: [5] }, { acitons: ["drop"] }]) expect(accepts(schema, flowsOf(wrong))).toBe(false);
  for (const wrong of [{}, [], { version: 2, plugins: {} }, { version: 1 }, { version: 1, plugins: {}, more: 1 }, { version: 1, plugins: { nothing: {} } }]) {
    expect(accepts(schema, wrong)).toBe(false);
  }
  // Every keyword it uses is one that `accepts` knows, or says nothing about what is allowed here.
  const known = new Set(["$schema", "title", "description", "default", "type", "properties", "additionalProperties", "required", "enum", "const", "anyOf", "items", "minimum", "maximum", "pattern"]);
  // Names of keys are strings anyway.
  known.add("propertyNames");
  expect(keywordsOf(schema).difference(known)).toEqual(new Set());
});

/** So much of JSON Schema as op-dbus's own needs. */
function accepts(schema: Schema, value: unknown): boolean {
  if (schema.anyOf !== undefined && !schema.anyOf.some((one) => accepts(one, value))) return false;
  if ("const" in schema && value !== schema.const) return false;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false;
  if (schema.type !== undefined && typeOf(value) !== (schema.type === "integer" ? "number" : schema.type)) return false;
  if (schema.type === "integer" && !Number.isInteger(value)) return false;
  const { minimum = -Infinity, maximum = Infinity, pattern = "", items = {} } = schema;
  if (typeof value === "number" && (value < minimum || value > maximum)) return false;
  if (typeof value === "string" && !new RegExp(pattern).test(value)) return false;
  if (Array.isArray(value)) return value.every((item) => accepts(items, item));
  if (typeOf(value) !== "object") return true;
  const { properties = {}, additionalProperties = true, required = [] } = schema;
  const entries = Object.entries(value as Record<string, unknown>);
  if (required.some((key) => !entries.some(([name]) => name === key))) return false;
  return entries.every(([key, inner]) => {
    const own = properties[key] ?? additionalProperties;
    return typeof own === "boolean" ? own : accepts(own, inner);
  });
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function keywordsOf(schema: Schema): Set<string> {
  const below = [...Object.values(schema.properties ?? {}), ...(schema.anyOf ?? []), schema.additionalProperties, schema.items].filter((inner) => typeof inner === "object");
  return below.reduce((all, inner) => all.union(keywordsOf(inner)), new Set(Object.keys(schema)));
}

hostTest("completion bash: bash takes it, and completes commands, flags, words and files", async (host) => {
  await fresh(host);
  await declare(host, {});
  await host.write("/root/completion", (await opDbus(host, 0, "completion", "bash")).stdout);
  expect((await host.must(["bash", "-n", "/root/completion"])).stderr).toBe("");
  expect(await completed(host, "op-dbus", "ro")).toEqual(["rollback"]);
  expect(await completed(host, "op-dbus", "")).toEqual(COMMANDS.flatMap(({ name, aliases = [] }) => [name, ...aliases]).toSorted());
  expect(await completed(host, "op-dbus", "checkpoint", "")).toEqual(["create", "delete", "list", "show"]);
  expect(await completed(host, "op-dbus", "blockchain", "sh")).toEqual(["show"]);
  expect(await completed(host, "op-dbus", "apply", "--d")).toEqual(["--dry-run"]);
  expect(await completed(host, "op-dbus", "--root", "/tmp", "apply", "--pr")).toEqual(["--probe", "--prune"]);
  const { properties = {} } = JSON.parse((await opDbus(host, 0, "schema")).stdout) as Schema;
  expect(await completed(host, "op-dbus", "plan", "--plugin", "")).toEqual(Object.keys(properties.plugins?.properties ?? {}).toSorted());
  expect(await completed(host, "op-dbus", "plan", "--plugin", "=", "s")).toEqual(["systemd"]);
  expect(await completed(host, "op-dbus", "completion", "f")).toEqual(["fish"]);
  expect(await completed(host, "op-dbus", "plan", "/root/sta")).toEqual(["/root/state.json"]);
  expect(await completed(host, "op-dbus", "nothing", "")).toEqual([]);
});

/** What bash offers for the last word. */
async function completed(host: Host, ...words: string[]): Promise<string[]> {
  const script = '. /root/completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _op_dbus; printf "%s\\n" "${COMPREPLY[@]}"';
  const { stdout, stderr } = await host.must(["bash", "-c", script, "bash", ...words]);
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "").toSorted();
}

hostTest("report: says what happened without names, values, unit logs and secrets", async (host) => {
  await host.write("/etc/systemd/system/demo-fails.service.d/talks.conf", "[Service]\nExecStart=\nExecStart=sh -c 'echo password=hunter2 host=pristine user=alice >&2; exit 7'\n");
  await host.must(["systemctl", "daemon-reload"]);
  const sudo = { env: { SUDO_USER: "alice", SUDO_UID: "1000" } };
  await declare(host, { "demo-notify.service": { active_state: "active", properties: { MemoryMax: 123456789 } } });
  expect((await host.run(["op-dbus", "apply", STATE, "--yes"], sudo)).exit).toBe(0);
  await apply(host, { "demo-exec.service": { properties: { CPUWeight: 4321 } }, "demo-fails.service": { active_state: "active" } }, 4);
  const forAlice = await host.run(["op-dbus", "report", "--state-file", "/home/alice/state.json"], sudo);
  for (const text of [(await opDbus(host, 0, "report")).stdout, forAlice.stdout]) {
    for (const secret of ["pristine", "alice", "hunter2", "123456789", "4321"]) expect(text).not.toContain(secret);
    const bundle = JSON.parse(text) as Record<string, unknown>;
    expect(Object.keys(bundle)).toEqual(["format", "version", "created", "left_out", "op_dbus", "machine", "settings", "checks", "status", "audit", "checkpoints"]);
    expect(text).toContain("demo-fails.service");
  }
  const byAlice = await host.run(["op-dbus", "report"], { user: "alice" });
  expect(byAlice.exit).toBe(0);
  expect(byAlice.stdout).not.toMatch(/alice|pristine/);

  expectLine(await opDbus(host, 0, "report", "--out", "/root/bundle.json"), "Wrote /root/bundle.json");
  expectLine(await opDbus(host, 6, "report", "--out", "/root/bundle.json"), "exists already");
}, { pristine: true });

hostTest("version: as text, as JSON, and by its flag", async (host) => {
  const { stdout } = await opDbus(host, 0, "version");
  const { version, commit } = await opDbusJson<{ version: string; commit: string }>(host, 0, "version");
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(commit).toMatch(/^([0-9a-f]{12}\+?|unknown)$/);
  expect(stdout).toBe(`op-dbus ${version} (${commit})\n`);
  expect((await opDbus(host, 0, "--version")).stdout).toBe(stdout);
});

hostTest("--help: of every command fits 80 columns, with an example and the exit codes", async (host) => {
  const wrong: string[] = [];
  for (const path of ["", ...COMMAND_LINES]) {
    const words = path.split(" ").filter((word) => word !== "");
    const { stdout, stderr } = await opDbus(host, 0, ...words, "--help");
    if (stdout.split("\n").some((line) => line.length > 80)) wrong.push(`${path}: wider than 80 columns`);
    if (!/^Example: op-dbus/m.test(stdout)) wrong.push(`${path}: no example`);
    if (!/^Exit codes:\n {2}0 /m.test(stdout)) wrong.push(`${path}: no exit codes`);
    if (!stdout.includes(`Usage: ${["op-dbus", ...words].join(" ")}`)) wrong.push(`${path}: no usage`);
    if (stderr !== "") wrong.push(`${path}: prints on stderr: ${stderr}`);
    if (words.length > 0 && (await opDbus(host, 0, "help", ...words)).stdout !== stdout) wrong.push(`${path}: 'help ${path}' says something else`);
  }
  expect(wrong).toEqual([]);
});

hostTest("--json: one document on standard output, of every reading command, before and after an apply", async (host) => {
  await fresh(host);
  const units = { "demo-notify.service": { active_state: "active", enabled: true } };
  await declare(host, units);
  const reading = [
    ["query"], ["plan", STATE], ["diff", STATE], ["verify", STATE], ["verify", "--current"], ["apply", STATE, "--dry-run"], ["checkpoint", "list"], ["audit", "list"],
    ["audit", "search", "demo"], ["time-travel", "--date", "0s"], ["status"], ["doctor"], ["report"], ["schema"], ["completion", "bash"], ["version"], ["plan", "--help"],
  ];
  const failing = [["plan", "/root/nothing.json"], ["audit", "show", "999999"], ["checkpoint", "show", "nothing"], ["aply"], ["checkpoint"], ["apply", STATE], ["plan", "--nonsense"]];
  for (const applied of [false, true]) {
    if (applied) await apply(host, units);
    const made = applied ? checkpointIn(await opDbus(host, 0, "checkpoint", "list")) : "";
    const one = applied ? [["audit", "show", "1"], ["checkpoint", "show", made], ["diff", "--from-checkpoint", made]] : [];
    for (const args of [...reading, ...failing, ...one]) {
      const { stdout, stderr, exit } = await host.run(["op-dbus", ...args, "--json"]);
      const about = `${args.join(" ")} exit ${exit}\n${stdout}\n${stderr}`;
      expect(parsed(stdout), about).toEqual(expect.any(Object));
      expect(stderr, about).toBe("");
      if (failing.includes(args)) expect([2, 6], about).toContain(exit);
    }
  }
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return String(error);
  }
}

function checkpointIn({ stdout }: { stdout: string }): string {
  return /auto-\S+/.exec(stdout)?.[0] ?? "none";
}

/** Every command and group, by each of its names. */
function pathsOf(entries: readonly Entry[], above = ""): string[] {
  return entries.flatMap(({ name, aliases = [], sub = [] }) => [name, ...aliases].flatMap((word) => [`${above}${word}`, ...pathsOf(sub, `${above}${word} `)]));
}
