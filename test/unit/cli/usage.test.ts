import { describe, expect, test } from "bun:test";
import { at, lamps, run } from "./in-memory.ts";

/** What is wrong with a command line, and what the user reads. Nothing is opened for any of them. */
const wrong: readonly (readonly [line: string, says: string])[] = [
  ["plann", "error: Unknown command 'plann'\nhint: Did you mean 'plan'? See: op-dbus --help"],
  ["frobnicate", "error: Unknown command 'frobnicate'\nhint: See: op-dbus --help"],
  ["checkpoint lst", "error: Unknown command 'checkpoint lst'\nhint: Did you mean 'list'? See: op-dbus checkpoint --help"],
  ["blokchain list", "Did you mean 'blockchain'?"],
  ["plan --plugn lamps", "error: Unknown flag '--plugn'\nhint: Did you mean '--plugin'? See: op-dbus plan --help"],
  ["plan --jsn", "Did you mean '--json'?"],
  ["plan --prune=yes", "error: --prune takes no value"],
  ["plan --json=yes", "--json takes no value"],
  ["plan --no-prune", "Unknown flag '--no-prune'"],
  ["plan -p lamps", "Unknown flag '-p'"],
  ["plan --plugin", "error: --plugin needs a value: --plugin P"],
  ["plan --plugin --prune", "--plugin needs a value"],
  ["plan --plugin=", "--plugin is empty"],
  ["plan --plugin lamps --plugin lamps", "--plugin is given twice"],
  ["plan --root", "--root needs a value: --root DIR"],
  ["plan a.json b.json", "error: Unexpected 'b.json'\nhint: See: op-dbus plan --help"],
  ["plan --yes", "Unknown flag '--yes'"],
  ["plan --out -", "PLAN is a file"],
  ["query extra", "Unexpected 'extra'"],
  ["version 2", "Unexpected '2'"],
  ["--plugin lamps plan", "Unknown flag '--plugin' before the command"],
  ["--jsn plan", "Unknown flag '--jsn' before the command\nhint: Did you mean '--json'?"],
  ["checkpoint create", "error: Missing NAME\nhint: See: op-dbus checkpoint create --help"],
  ["checkpoint --name x create", "Unknown flag '--name' for op-dbus checkpoint"],
  ["checkpoint create a/b", "'a/b' cannot name a checkpoint"],
  ["checkpoint create auto-1", "op-dbus itself names them"],
  ["audit list --kind actoin", "--kind is 'actoin', allowed: plan, action"],
  ["audit list --limit many", "--limit is 'many', it takes a whole number"],
  ["audit list --since yesterday", "--since is 'yesterday'"],
  ["audit search x --since 2026-11-31", "--since is '2026-11-31'\nhint: A time ago such as 30m, 2h, 7d, or a date such as 2026-11-20,\n2026-11-20T17:30 (local) or 2026-11-20T17:30Z (UTC)"],
  ["audit search x --until 2026-11-20T25:00", "--until is '2026-11-20T25:00'"],
  ["audit search x --until 20.11.2026", "--until is '20.11.2026'"],
  ["audit search", "Missing TEXT"],
  ["diff --to-checkpoint a", "error: --to-checkpoint needs --from-checkpoint\nhint: See: op-dbus diff --help"],
  ["diff state.json --from-checkpoint a", "error: STATE, --prune and --out are for a plan"],
  ["diff --prune --from-checkpoint a", "error: STATE, --prune and --out are for a plan"],
  ["diff --from-checkpoint a --plugin lamp", "There is no plugin 'lamp'"],
  ["time-travel", "error: Missing --date\nhint: See: op-dbus time-travel --help"],
  ["time-travel --date tuesday", "--date is 'tuesday'"],
  ["time-travel --date 2026-11-21", "--date is '2026-11-21', which is not yet"],
  ["audit show one", "'one' is no entry's number"],
  ["completion tcsh", "SHELL is 'tcsh', allowed: bash, zsh, fish"],
  ["verify state.json --current", "leave STATE out"],
  ["plan -- --prune", "--prune does not exist"],
  ["plan json", "json does not exist"],
  ["plan root", "root does not exist"],
  ["-json plan", "Unknown flag '-json'"],
  ["-version", "Unknown flag '-version'"],
  ["__proto__", "Unknown command '__proto__'"],
  ["plan --constructor x", "Unknown flag '--constructor'"],
];

describe("bad usage exits 2 and opens nothing", () => {
  test.each(wrong)("op-dbus %s", async (line, says) => {
    const { exit, stdout, stderr, opened } = await run(line.split(" "));
    expect(stderr).toContain(says);
    expect({ exit, stdout, opened }).toEqual({ exit: 2, stdout: "", opened: [] });
  });

  test("without a command, help goes to standard error", async () => {
    const { exit, stdout, stderr } = await run([]);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
    expect(stderr).toContain("Usage: op-dbus COMMAND");
    expect((await run(["checkpoint"])).stderr).toContain("Usage: op-dbus checkpoint COMMAND");
  });

  test("a control character in an argument is not repeated to the terminal", async () => {
    expect((await run(["pl\u001b[2Jan"])).stderr).toContain("Unknown command 'pl\\x1b[2Jan'");
  });
});

describe("flags", () => {
  const files = { "s.json": '{ "version": 1, "plugins": { "lamps": { "hall": { "on": true } } } }' };

  test.each([
    ["plan s.json --json"],
    ["--json plan s.json"],
    ["plan --json s.json"],
    ["--json --state-file s.json plan"],
    ["--state-file=s.json plan --json"],
    ["plan --plugin=lamps --json -- s.json"],
    ["diff s.json --json"],
  ])("op-dbus %s", async (line) => {
    const ran = await run(line.split(" "), { files });
    expect([ran.exit, at(ran.json(), "actions", 0, "resource")]).toEqual([3, "hall"]);
  });

  test.each([
    [{}, [], "default"],
    [{ OP_DBUS_ROOT: "/env" }, [], "environment"],
    [{ OP_DBUS_ROOT: "" }, [], "default"],
    [{ OP_DBUS_ROOT: "/env" }, ["--root", "/flag"], "flag"],
  ])("a flag beats the environment, which beats the default: %j %j", async (environment, flags, source) => {
    const ran = await run(["doctor", "--json", ...flags], { environment });
    expect(at(ran.json(), "settings", "state_directory", "source")).toBe(source);
  });
});

describe("help", () => {
  const commands = [
    "", "query", "plan", "diff", "apply", "verify", "rollback", "checkpoint", "checkpoint list", "checkpoint create", "checkpoint show", "checkpoint delete", "time-travel",
    "audit", "audit list", "audit show", "audit verify", "audit prove", "audit search", "audit export", "audit key", "audit reveal", "audit snapshots", "audit replicate", "audit receive", "adopt", "release", "init", "status", "doctor", "report", "schema", "completion", "version",
  ];

  test.each(commands)("op-dbus %s --help has an example and exit codes, in 80 columns of ASCII", async (line) => {
    const { exit, stdout, stderr, opened } = await run([...line.split(" ").filter(Boolean), "--help"]);
    expect({ exit, stderr, opened }).toEqual({ exit: 0, stderr: "", opened: [] });
    expect(stdout).toContain("Usage: op-dbus");
    expect(stdout).toMatch(/^Example: op-dbus /m);
    expect(stdout).toMatch(/^Exit codes:\n {2}0 /m);
    for (const row of stdout.split("\n")) expect(row.length).toBeLessThanOrEqual(80);
    expect(stdout).toMatch(/^[\n\x20-\x7e]*$/);
  });

  test("each example is a command line that op-dbus takes", async () => {
    for (const line of commands) {
      const { stdout } = await run([...line.split(" ").filter(Boolean), "--help"]);
      const [, example = ""] = /^Example: op-dbus ([^>\n]*)/m.exec(stdout) ?? [];
      const { stderr } = await run(example.trim().split(" "), { files: { "state.json": "{}", "plan.json": "{}" } });
      expect(stderr).not.toMatch(/Unknown|Unexpected|Missing [A-Z]|needs a value/);
    }
  });

  test("'help COMMAND' and '-h' are the same", async () => {
    const { stdout } = await run(["plan", "--help"]);
    expect((await run(["help", "plan"])).stdout).toBe(stdout);
    expect((await run(["plan", "-h"])).stdout).toBe(stdout);
    expect((await run(["--help", "plan"])).stdout).toBe(stdout);
  });
});

test("version is printed by command and by flag, with nothing opened", async () => {
  for (const argv of [["version"], ["--version"], ["plan", "--version"]]) {
    const { exit, stdout, opened } = await run(argv);
    expect({ exit, stdout, opened }).toEqual({ exit: 0, stdout: "op-dbus 1.2.3 (abc)\n", opened: [] });
  }
  expect((await run(["version", "--json"])).json()).toEqual({ version: "1.2.3", commit: "abc" });
});

test("a bug exits 1, says so and how to report it; its stack is shown only to who asks", async () => {
  const plugins = [lamps({}, new TypeError("undefined is not a function"))];
  const quiet = await run(["query"], { plugins });
  expect(quiet.exit).toBe(1);
  expect(quiet.stderr).toContain("error: undefined is not a function\nThis is a bug in op-dbus. Please report it");
  expect(quiet.stderr).not.toContain("usage.test.ts");
  const debug = await run(["query"], { plugins, environment: { OP_DBUS_LOG: "debug" } });
  expect(debug.stderr).toContain("usage.test.ts");
});
