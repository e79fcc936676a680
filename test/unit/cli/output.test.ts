import { describe, expect, test } from "bun:test";
import { EXIT_MEANINGS, exitOf } from "../../../src/cli/exit.ts";
import { Output } from "../../../src/cli/output.ts";
import { cut, printable, wrap } from "../../../src/cli/printable.ts";
import { DocumentError } from "../../../src/core/document.ts";
import { OpError, type ErrorKind } from "../../../src/core/errors.ts";
import { at, run, Written } from "./in-memory.ts";

const files = { "s.json": '{ "version": 1, "plugins": { "lamps": { "hall": { "on": true } } } }', "bad.json": '{ "version": 1, "plugins": { "lamp": {} } }' };

describe("exit codes", () => {
  test.each<[ErrorKind, number]>([
    ["internal", 1],
    ["invalid", 2],
    ["failed", 4],
    ["unreverted", 5],
    ["refused", 6],
    ["integrity", 7],
    ["unavailable", 8],
  ])("%s is %d", (kind, exit) => {
    expect(exitOf(new OpError(kind, "x"))).toBe(exit as never);
  });

  test("a document's errors are bad input, anything unexpected is a bug", () => {
    expect([exitOf(new DocumentError([], "x", "")), exitOf(new TypeError("x")), exitOf("x"), exitOf(undefined)]).toEqual([2, 1, 1, 1]);
  });

  test("each has a meaning", () => {
    expect(Object.keys(EXIT_MEANINGS)).toEqual([..."012345678"]);
  });
});

describe("--json", () => {
  test.each([
    ["query", 0, "plugins"],
    ["plan s.json", 3, "actions"],
    ["verify s.json", 3, "actions"],
    ["apply s.json --dry-run", 0, "refusals"],
    ["apply s.json --yes", 0, "checkpoint"],
    ["rollback --yes", 6, "error"],
    ["checkpoint list", 0, "checkpoints"],
    ["checkpoint create here", 0, "name"],
    ["checkpoint show there", 2, "error"],
    ["audit list", 0, "entries"],
    ["audit show 7", 2, "error"],
    ["diff --from-checkpoint there", 2, "error"],
    ["time-travel --date 1h", 6, "error"],
    ["status", 0, "in_force"],
    ["doctor", 0, "checks"],
    ["schema", 0, "properties"],
    ["report", 0, "left_out"],
    ["completion bash", 0, "script"],
    ["plan --help", 0, "help"],
    ["plan bad.json", 2, "error"],
    ["plan missing.json", 2, "error"],
    ["plann", 2, "error"],
    ["", 2, "error"],
    ["apply s.json", 6, "error"],
  ])("op-dbus %s prints one document and nothing else on stdout, exit %d", async (line, exit, key) => {
    const ran = await run([...line.split(" ").filter(Boolean), "--json"], { files: { ...files } });
    expect(ran.exit).toBe(exit);
    expect(Object.keys(ran.json() as object)).toContain(key);
    if (key === "error") expect(at(ran.json(), "error", "exit")).toBe(exit);
  });

  test("an error has kind, message, details, hint, diagnostics and exit", async () => {
    expect((await run(["plan", "bad.json", "--json"], { files })).json()).toEqual({
      error: {
        kind: "invalid",
        message: "bad.json: Unknown plugin 'lamp'",
        details: [],
        hint: null,
        diagnostics: [{ message: "Unknown plugin 'lamp'", path: ["plugins", "lamp"], line: 1, column: 30, hint: "Did you mean 'lamps'?" }],
        exit: 2,
      },
    });
  });
});

describe("streams", () => {
  const failing = (code: string) => new Written({ fail: Object.assign(new Error(code), { code }) });

  test("a reader who has read enough (EPIPE) is no failure", async () => {
    const { exit, stderr } = await run(["plan", "s.json"], { files, stdout: failing("EPIPE") });
    expect({ exit, stderr }).toEqual({ exit: 3, stderr: "" });
  });

  test("a result that could not be written (ENOSPC) is never a success", async () => {
    const { exit, stderr } = await run(["query"], { stdout: failing("ENOSPC") });
    expect(exit).toBe(8);
    expect(stderr).toContain("Standard output could not be written: ENOSPC");
  });

  test("colour is for terminals, and only where it is allowed", async () => {
    const stderr = new Written();
    const painted = (isTerminal: boolean, color: boolean) => new Output({ stdout: new Written({ isTerminal }), stderr }, { json: false, color, dumb: false }).style.paint("red", "x");
    expect([painted(true, true), painted(true, false), painted(false, true)]).toEqual(["\u001b[31mx\u001b[0m", "x", "x"]);
  });

  test("the status line is shown on a terminal that can write over it, and is gone before anything else is said", async () => {
    const [terminal, dumb, pipe] = [new Written({ isTerminal: true, columns: 20 }), new Written({ isTerminal: true }), new Written()];
    for (const stderr of [terminal, dumb, pipe]) {
      const output = new Output({ stdout: new Written(), stderr }, { json: false, color: false, dumb: stderr === dumb });
      output.status("[1/2] start a-very-long-name.service");
      output.message("done");
      await output.flush();
    }
    expect([pipe.text, dumb.text]).toEqual(["done\n", "done\n"]);
    expect(terminal.text).toBe("\r\u001b[K[1/2] start a-ve...\r\u001b[Kdone\n");
  });
});

describe("printable", () => {
  test.each([
    ["plain ünïcode 明", "plain ünïcode 明"],
    ["\u001b[31mred", "\\x1b[31mred"],
    ["a\u0000b\nc\td\u007f\u009b", "a\\x00b\\x0ac\\x09d\\x7f\\x9b"],
    ["a\u202egnp.exe\u2066\u200b\ufeff", "a\\u{202e}gnp.exe\\u{2066}\\u{200b}\\u{feff}"],
    ["\ud800", "\ufffd"],
  ])("%j is %s", (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

test("wrap keeps to the width, indents what follows, and leaves a long word whole", () => {
  expect(wrap("one two three four", 9, "", "  ")).toEqual(["one two", "  three", "  four"]);
  expect(wrap("a-word-that-is-long b", 5, "  ")).toEqual(["  a-word-that-is-long", "  b"]);
});

test("cut counts columns, not characters", () => {
  expect([cut("short", 5), cut("longer", 5), cut("明かり明かり", 8)]).toEqual(["short", "lo...", "明か..."]);
});
