import { expect, test } from "bun:test";
import { isBuiltin } from "node:module";
import { basename, dirname, resolve } from "node:path";
import type { Entry } from "../../../src/cli/command.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { builtBinary } from "../harness/folders.ts";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { document, fresh } from "../session.ts";

test("the binary: nothing is left to be resolved by name at run time", async () => {
  const modules = modulesOf(Buffer.from(await Bun.file(builtBinary()).arrayBuffer()));
  expect(modules.length).toBeGreaterThan(0);
  for (const source of modules) expect(leftToResolve(source)).toEqual([]);
});

test("leftToResolve: finds what an unbundled dependency leaves", () => {
  const minified = 'import{a}from"fs";import b from"node:tls";var r=import.meta.require;r("buffer");x.r(y);';
  expect(leftToResolve(minified)).toEqual([]);
  expect(leftToResolve(`${minified}try{r("usocket")}catch{}`)).toEqual(["usocket"]);
  expect(leftToResolve(`${minified}r(name)`)).toEqual(["r(name)"]);
  expect(leftToResolve(`${minified}await import("x11")`)).toEqual(["x11"]);
  expect(leftToResolve(`${minified}await import(name)`)).toEqual(["import(name)"]);
  expect(leftToResolve(`import{c}from"valibot";${minified}`)).toEqual(["valibot"]);
  expect(leftToResolve(`${minified}if(q)require("long")`)).toEqual(["long"]);
});

/** The JavaScript in a file that Bun compiled, without the files embedded in it: what precedes its trailer, as StandaloneModuleGraph.zig lays it out. */
function modulesOf(binary: Buffer): string[] {
  const OFFSETS_BYTES = 32;
  const MODULE_BYTES = 52;
  const [ENCODING_OFFSET, BINARY] = [48, 0];
  const end = binary.lastIndexOf("\n---- Bun! ----\n") - OFFSETS_BYTES;
  const payload = binary.subarray(end - Number(binary.readBigUInt64LE(end)), end);
  const slice = (from: Buffer, at: number) => payload.subarray(from.readUInt32LE(at), from.readUInt32LE(at) + from.readUInt32LE(at + 4));
  const table = slice(binary.subarray(end), 8);
  expect(table.length % MODULE_BYTES).toBe(0);
  const modules = Array.from({ length: table.length / MODULE_BYTES }, (_, index) => index * MODULE_BYTES);
  return modules.filter((at) => table[at + ENCODING_OFFSET] !== BINARY).map((at) => slice(table, at + 8).toString("utf8"));
}

/** Names, or calls with a name that is only known when it runs, that are not built into Bun. */
function leftToResolve(source: string): string[] {
  const aliases = [...source.matchAll(/([\w$]+)=import\.meta\.require\b/g)].map(([, name = ""]) => name.replaceAll("$", "\\$"));
  const calls = source.matchAll(new RegExp(`(?<![\\w$.])(?:${["import", "require", ...aliases].join("|")})\\(([^)]*)\\)?`, "g"));
  const scanned = new Bun.Transpiler({ loader: "js" }).scanImports(source).map(({ path }) => path);
  const called = [...calls].map(([call, argument = ""]) => /^(["'`])([^"'`$]*)\1$/.exec(argument)?.[2] ?? call);
  return [...new Set([...scanned, ...called])].filter((name) => !isBuiltin(name) && !/^bun(:.*)?$/.test(name));
}

const FOLDER = "/root/hostile";
const CWD = `${FOLDER}/deep`;
const MARKER = "/tmp/pwned";
const PACKAGES = [
  // What op-dbus is made of, what D-Bus libraries load where it is there, and built-in names.
  ..."usocket x11 valibot @valibot/to-json-schema citty jsonc-parser smol-toml yaml bun".split(" "),
  ..."fs path util buffer assert tty module child_process events net".split(" "),
];
const EVIL = `globalThis.process?.getBuiltinModule?.("node:fs").writeFileSync("${MARKER}", "by " + __filename);\n`;
const DOTENV = [
  `OP_DBUS_ROOT=${FOLDER}/root`, `OP_DBUS_STATE_FILE=${FOLDER}/state.json`, `DBUS_SYSTEM_BUS_ADDRESS=unix:path=${FOLDER}/bus`, "OP_DBUS_LOG=debug", "NO_COLOR=1",
  "BUN_OPTIONS=--preload=./evil.js", 'NODE_OPTIONS="--require ./evil.js"', `NODE_PATH=${FOLDER}/node_modules`, "BUN_INSPECT=127.0.0.1:6499", "BUN_BE_BUN=1", "",
].join("\n");
const FILES: Readonly<Record<string, string>> = {
  "evil.js": EVIL,
  "index.js": EVIL,
  "preload.js": EVIL,
  ".env": DOTENV,
  ".env.local": DOTENV,
  ".env.production": DOTENV,
  ".env.development": DOTENV,
  "bunfig.toml": `preload = ["./evil.js"]\nlogLevel = "debug"\n[run]\npreload = ["./evil.js"]\nbun = true\n[test]\npreload = ["./evil.js"]\n`,
  "tsconfig.json": JSON.stringify({ compilerOptions: { baseUrl: ".", paths: { "*": ["./evil.js"] }, jsxImportSource: "evil" } }),
  "jsconfig.json": JSON.stringify({ compilerOptions: { baseUrl: ".", paths: { "*": ["./evil.js"] } } }),
  "package.json": JSON.stringify({
    name: "op-dbus", main: "./evil.js", module: "./evil.js", type: "commonjs", exports: "./evil.js", imports: { "#*": "./evil.js" },
    browser: { fs: "./evil.js" }, preload: ["./evil.js"], scripts: { "op-dbus": `touch ${MARKER}`, preinstall: `touch ${MARKER}`, start: `touch ${MARKER}` },
  }),
};

/** Every command, by its path, in an order in which each has something to do. Files are named relative to the folder. */
const RUNS: readonly (readonly [path: string, exit: number, ...args: string[]])[] = [
  ["version", 0],
  ["doctor", 0],
  ["schema", 0],
  ["completion", 0, "bash"],
  ["completion", 0, "zsh"],
  ["completion", 0, "fish"],
  ["query", 0],
  ["init", 0, "--state-file", "starter.json"],
  ["plan", 3, "state.json", "--out", "plan.json"],
  ["plan", 3, "state.toml"],
  ["plan", 3, "state.yaml"],
  ["plan", 2, "typo.json"],
  ["apply", 4, "fails.json", "--yes"],
  ["apply", 0, "state.json", "--yes"],
  ["verify", 0, "state.json"],
  ["status", 0],
  ["audit list", 0],
  ["audit show", 0, "1"],
  ["audit verify", 0],
  ["audit prove", 0, "1", "--out", "1.tlog-proof"],
  ["audit search", 0, "demo-notify"],
  ["audit export", 0],
  ["audit key", 0],
  ["audit reveal", 2, "1", "--yes"],
  ["audit prune", 0, "--before", "0s", "--yes"],
  ["audit snapshots", 0],
  ["audit replicate", 0, "/var/lib/op-dbus/replica"],
  ["audit receive", 2],
  ["checkpoint create", 0, "here"],
  ["checkpoint list", 0],
  ["checkpoint show", 0, "here"],
  ["diff", 0, "--from-checkpoint", "here"],
  ["time-travel", 0, "--date", "0s"],
  ["checkpoint delete", 0, "here", "--yes"],
  ["release", 0, "systemd:demo-notify.service"],
  ["adopt", 0, "systemd:demo-notify.service"],
  ["rollback", 0, "--yes"],
  ["confirm", 6],
  ["recover", 0],
  ["report", 0, "--out", "bundle.json"],
];

hostTest("in a hostile folder: no command runs, reads or is set by anything that it was not given", async (host) => {
  await prepare(host);
  const wrong: string[] = [];
  for (const [path, exit, ...args] of RUNS) wrong.push(...(await findingsOf(host, { words: path.split(" "), exit, args })));
  expect(wrong).toEqual([]);
  expect([...new Set(RUNS.map(([path]) => path))].toSorted()).toEqual(pathsOf(COMMANDS).toSorted());
  expect((await host.run(["ls", `${FOLDER}/root`, `${CWD}/root`])).stdout).toBe("");
  const { settings } = JSON.parse((await host.run(["op-dbus", "doctor", "--json"], { cwd: CWD })).stdout) as { settings: Record<string, { source: string }> };
  expect(new Set(Object.values(settings).map(({ source }) => source))).toEqual(new Set(["default"]));
  await host.must(["rm", "-rf", FOLDER, MARKER]);
});

// What names code in the user's own environment, where op-dbus could not tell it from what was meant. Bun's runtime itself, before any
// of op-dbus runs, takes BUN_OPTIONS (--preload, --require, --import, --config) and BUN_BE_BUN, as the loader takes LD_PRELOAD:
// they are no part of the folder, and sudo passes none of them on.
hostTest("in a hostile folder: no other variable has op-dbus run what is there", async (host) => {
  await prepare(host);
  await host.must(["cp", `${CWD}/bunfig.toml`, `${CWD}/.bunfig.toml`]);
  const variables: Record<string, string>[] = [
    { NODE_OPTIONS: "--require ./evil.js --import ./evil.js" },
    { NODE_PATH: `${CWD}/node_modules` },
    { BUN_INSPECT_PRELOAD: "./evil.js" },
    { BUN_CONFIG_FILE: `${CWD}/bunfig.toml` },
    { BUN_OPTIONS: `--env-file=${CWD}/.env` },
    { HOME: CWD, XDG_CONFIG_HOME: CWD },
    { BUN_RUNTIME_TRANSPILER_CACHE_PATH: CWD, BUN_TMPDIR: CWD, BUN_INSTALL: CWD },
  ];
  for (const env of variables) {
    const { settings } = JSON.parse((await host.must(["op-dbus", "doctor", "--json"], { cwd: CWD, env })).stdout) as { settings: Record<string, { source: string }> };
    expect(new Set(Object.values(settings).map(({ source }) => source)), JSON.stringify(env)).toEqual(new Set(["default"]));
    expect((await host.run(["test", "-e", MARKER])).exit, JSON.stringify(env)).toBe(1);
  }
  await host.must(["rm", "-rf", FOLDER]);
});

async function findingsOf(host: Host, { words, exit, args }: { words: string[]; exit: number; args: string[] }): Promise<string[]> {
  const trace = ["strace", "-f", "-qq", "-y", "-s", "4096", "-e", "trace=open,openat,openat2,execve", "-e", "signal=none", "-o", "/tmp/trace"];
  const result = await host.run([...trace, "op-dbus", ...words, ...args], { cwd: CWD });
  const traced = (await host.read("/tmp/trace")).split("\n");
  const given = args.map((word) => resolve(CWD, word));
  const findings = traced.flatMap((line) => opened(line)).filter((path) => !isGiven(path, given)).map((path) => `opens ${path}`);
  if (result.exit !== exit) findings.push(`exit ${result.exit}, expected ${exit}: ${result.stdout}\n${result.stderr}`);
  if (traced.filter((line) => line.includes("execve(")).length !== 1) findings.push("starts a program");
  if ((await host.run(["test", "-e", MARKER])).exit === 0) findings.push(`runs what is there: ${await host.read(MARKER)}`);
  return findings.map((finding) => `${[...words, ...args].join(" ")}: ${finding}`);
}

/** The path within the folder that a line of strace is about, whether it could be opened or not. */
function opened(line: string): string[] {
  const [, base = CWD, name] = /open(?:at2?)?\((?:[^<"]*<([^>]*)>, )?"([^"]*)"/.exec(line) ?? [];
  if (name === undefined) return [];
  const path = resolve(base, name);
  return path === FOLDER || path.startsWith(`${FOLDER}/`) ? [path] : [];
}

/** A file that is written is made under another name first, and its folder synced. */
function isGiven(path: string, given: readonly string[]): boolean {
  return given.some((file) => path === file || path === dirname(file) || (dirname(path) === dirname(file) && /^\.op-dbus-[0-9a-f-]{36}\.tmp$/.test(basename(path))));
}

function pathsOf(entries: readonly Entry[], above = ""): string[] {
  return entries.flatMap(({ name, sub }) => (sub === undefined ? [`${above}${name}`] : pathsOf(sub, `${above}${name} `)));
}

async function prepare(host: Host): Promise<void> {
  await fresh(host);
  const state = document({ "demo-notify.service": { active_state: "active", enabled: true, properties: { MemoryMax: "256M" } } });
  const files: Record<string, string> = { ...FILES };
  for (const name of PACKAGES) {
    files[`node_modules/${name}/index.js`] = EVIL;
    files[`node_modules/${name}/package.json`] = JSON.stringify({ name, version: "9.9.9", main: "index.js", exports: { ".": "./index.js", "./*": "./index.js" } });
  }
  const documents = {
    "state.json": state,
    "state.toml": 'version = 1\n[plugins.systemd.units."demo-notify.service"]\nenabled = true\n',
    "state.yaml": "version: 1\nplugins: { systemd: { units: { demo-notify.service: { enabled: true } } } }\n",
    "typo.json": document({ "demo-notify.service": { enable: true } }),
    "fails.json": document({ "demo-fails.service": { active_state: "active" } }),
  };
  const script = Object.entries(files).flatMap(([path, text]) => [FOLDER, CWD].map((folder) => put(`${folder}/${path}`, text)));
  script.push(...Object.entries(documents).map(([path, text]) => put(`${CWD}/${path}`, text)));
  await host.must(["sh", "-eu"], { input: [`rm -rf ${FOLDER} ${MARKER}`, ...script].join("\n") });
  await host.must(["test", "-s", `${CWD}/node_modules/usocket/index.js`]);
}

function put(path: string, text: string): string {
  const quoted = `'${text.replaceAll("'", `'\\''`)}'`;
  return `mkdir -p '${dirname(path)}' && printf %s ${quoted} > '${path}'`;
}
