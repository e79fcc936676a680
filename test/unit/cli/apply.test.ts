import { describe, expect, test } from "bun:test";
import type { SignalName } from "../../../src/cli/context.ts";
import { at, Books, lamps, run } from "./in-memory.ts";

const state = (lamp: string, on = true) => JSON.stringify({ version: 1, plugins: { lamps: { [lamp]: { on } } } });

describe("apply asks", () => {
  test.each([
    ["y", 0],
    ["yes", 0],
    [" Y ", 0],
    ["n", 6],
    ["", 6],
    ["yess", 6],
  ])("'%s' ends with exit %d", async (answer, exit) => {
    const plugin = lamps({ hall: false });
    const ran = await run(["apply", "s.json"], { plugins: [plugin], files: { "s.json": state("hall") }, typed: [answer] });
    expect(ran.exit).toBe(exit);
    expect(ran.stderr).toContain("Apply this? [y/N] ");
    expect(plugin.taken).toEqual(exit === 0 ? ["hall=true"] : []);
  });

  test("the end of input is a no", async () => {
    const ran = await run(["apply", "s.json"], { files: { "s.json": state("hall") }, typed: [] });
    expect([ran.exit, ran.stderr]).toEqual([6, "Apply this? [y/N] \nerror: Not confirmed, nothing was changed\n"]);
  });

  test("without a terminal it needs --yes, before anything is read or opened", async () => {
    const ran = await run(["apply", "missing.json"]);
    expect([ran.exit, ran.stderr, ran.opened]).toEqual([6, "error: There is no terminal to ask on: it needs --yes\n", []]);
  });

  test("with STATE from standard input there is nobody to ask, terminal or not", async () => {
    const ran = await run(["apply", "-"], { files: { "-": state("hall") }, typed: ["y"] });
    expect(ran.exit).toBe(6);
    expect((await run(["apply", "-", "--yes"], { files: { "-": state("hall") } })).exit).toBe(0);
  });

  test("the question says what cannot be taken back", async () => {
    const ran = await run(["apply", "s.json"], { plugins: [lamps({ bulb: false })], files: { "s.json": state("bulb") }, typed: ["n"] });
    expect(ran.stderr).toContain("Apply this? 1 of it cannot be taken back. [y/N]");
    expect(ran.stdout).toContain("cannot be taken back: A bulb that was lit burns out");
  });

  test("under --json the plan is shown on stderr, and stdout has the result alone", async () => {
    const ran = await run(["apply", "s.json", "--json"], { files: { "s.json": state("hall") }, typed: ["y"] });
    expect(ran.stderr).toContain("on: false -> true");
    expect(at(ran.json(), "changed")).toBe(true);
  });

  test("nothing to do is not asked about", async () => {
    const books = new Books();
    const setup = () => ({ plugins: [lamps({ hall: true })], files: { "s.json": state("hall") }, books, typed: [] });
    const first = await run(["apply", "s.json"], setup());
    expect([first.exit, first.stdout]).toEqual([0, expect.stringContaining("The document is now what is in force.")]);
    const second = await run(["apply", "s.json"], setup());
    expect([second.exit, second.stdout]).toEqual([0, "Nothing to do: the host is as declared\n"]);
    expect(books.points).toHaveLength(1);
  });
});

test("after an apply: what was done, the checkpoint and the way back", async () => {
  const ran = await run(["apply", "s.json", "--yes"], { files: { "s.json": state("hall") } });
  expect(ran.stdout).toBe(`lamps
  hall
    light    on: false -> true

Plan: 1 to light

Done: 1 change. The host was read back and is as declared.
Checkpoint: auto-20261120T170312.123Z
To take it back: op-dbus rollback
`);
});

describe("apply --dry-run", () => {
  test("changes nothing and exits 0 where an apply would go ahead", async () => {
    const plugin = lamps({ hall: false });
    const ran = await run(["apply", "s.json", "--dry-run"], { plugins: [plugin], files: { "s.json": state("hall") } });
    expect([ran.exit, ran.opened, plugin.taken]).toEqual([0, ["read"], []]);
    expect(ran.stdout).toEndWith("Plan: 1 to light\n\nAn apply would go ahead\n");
  });

  test("exits 6 with every reason where it would be refused", async () => {
    const books = new Books();
    books.holder = { pid: 7, user: "bob", purpose: "apply", since: "noon" };
    const setup = { plugins: [lamps({ beacon: false })], books, files: { "s.json": state("beacon") } };
    const ran = await run(["apply", "s.json", "--dry-run"], setup);
    expect(ran.exit).toBe(6);
    expect(ran.stdout).toEndWith(`An apply would be refused for 2 reasons:
  Locked by bob (apply, process 7) since noon
  light beacon: ships steer by it. It needs --force
`);
  });
});

describe("a saved plan", () => {
  async function saved(lamp = "hall", books = new Books()) {
    const plugin = lamps({ [lamp]: false });
    const files: Record<string, string> = { "s.json": state(lamp) };
    const setup = { plugins: [plugin], files, books };
    expect((await run(["plan", "s.json", "--out", "p.json"], setup)).exit).toBe(3);
    return { plugin, files, setup };
  }

  test("is applied once", async () => {
    const { plugin, setup } = await saved();
    expect((await run(["apply", "p.json", "--yes"], setup)).exit).toBe(0);
    expect(plugin.taken).toEqual(["hall=true"]);
    const again = await run(["apply", "p.json", "--yes"], setup);
    expect([again.exit, again.stderr]).toEqual([6, expect.stringContaining("This plan was applied already")]);
    expect((await run(["apply", "p.json", "--dry-run"], setup)).exit).toBe(6);
  });

  test("is refused when the host has moved, with what moved", async () => {
    const { plugin, setup } = await saved();
    await plugin.apply({ plugin: "lamps", name: "", actions: [], call: { name: "hall", on: true } }, { done: () => undefined });
    const ran = await run(["apply", "p.json", "--yes"], setup);
    expect([ran.exit, ran.stderr]).toEqual([6, expect.stringContaining("hall on was false, is true")]);
  });

  test("is refused on another host, and with restrictions of its own", async () => {
    const { files, setup } = await saved();
    files["other.json"] = (files["p.json"] ?? "").replace('"host": "box"', '"host": "elsewhere"');
    expect((await run(["apply", "other.json", "--yes"], setup)).stderr).toContain("was made for host 'elsewhere', this is 'box'");
    expect((await run(["apply", "p.json", "--yes", "--prune"], setup)).exit).toBe(2);
  });

  test("that was damaged or edited is not applied", async () => {
    const { files, plugin, setup } = await saved();
    const plan = files["p.json"] ?? "";
    files["cut.json"] = plan.replace(/"hash": "..../, '"hash": "');
    files["changed.json"] = plan.replace('"prune": false', '"prune": true');
    files["wished.json"] = plan.replace(/"on": true/g, '"on": "yes"');
    expect((await run(["apply", "cut.json", "--yes"], setup)).exit).toBe(2);
    expect((await run(["apply", "changed.json", "--yes"], setup)).exit).toBe(6);
    expect((await run(["apply", "wished.json", "--yes"], setup)).exit).toBe(2);
    expect(plugin.taken).toEqual([]);
  });

  test("is not a state document, and is written over by another plan only", async () => {
    const { setup, files } = await saved();
    expect((await run(["plan", "p.json"], setup)).stderr).toContain("p.json is a saved plan, not a state document\nhint: op-dbus apply p.json");
    expect((await run(["plan", "s.json", "--out", "p.json"], setup)).exit).toBe(3);
    expect((await run(["plan", "s.json", "--out", "s.json"], setup)).exit).toBe(6);
    expect(files["s.json"]).toBe(state("hall"));
  });
});

describe("rollback", () => {
  test("says what it undoes, asks, and says what is next", async () => {
    const books = new Books();
    const setup = { plugins: [lamps({ hall: false })], books, files: { "s.json": state("hall") } };
    await run(["apply", "s.json", "--yes"], setup);
    const ran = await run(["rollback"], { ...setup, typed: ["y"] });
    expect(ran.exit).toBe(0);
    expect(ran.stdout).toBe(`Undoes the apply of 2026-11-20T17:03:12Z by alice (checkpoint
  auto-20261120T170312.123Z)

lamps
  hall
    dim      on: true -> false

Plan: 1 to dim

Done: 1 change. The host was read back and is as it was.
`);
    const again = await run(["apply", "s.json", "--yes"], setup);
    expect([again.exit, again.stderr]).toEqual([6, expect.stringContaining("This document was rejected")]);
    expect((await run(["rollback", "--yes"], setup)).stderr).toContain("There is no apply left to roll back");
  });

  test("without a terminal it needs --yes", async () => {
    const ran = await run(["rollback"]);
    expect([ran.exit, ran.opened]).toEqual([6, []]);
  });
});

test("a failed apply exits 4 and says that all was taken back", async () => {
  const ran = await run(["apply", "s.json", "--yes"], { plugins: [lamps({ hall: false, broken: false })], files: { "s.json": JSON.stringify({ version: 1, plugins: { lamps: { hall: { on: true }, broken: { on: true } } } }) } });
  expect([ran.exit, ran.stderr]).toEqual([4, expect.stringContaining("error: The lamp 'broken' does not light. Everything was taken back")]);
});

test("query with a failing plugin prints the others, tells the failure, and exits 8", async () => {
  const { OpError } = await import("../../../src/core/errors.ts");
  const sick = { ...lamps({}, new OpError("unavailable", "No lamps today")), name: "sick" };
  const ran = await run(["query"], { plugins: [lamps({ hall: true }), sick] });
  expect([ran.exit, JSON.parse(ran.stdout)]).toEqual([8, { version: 1, plugins: { lamps: { hall: { on: true } } } }]);
  expect(ran.stderr).toContain("sick could not be read\nerror: No lamps today");
});

describe("a signal", () => {
  const both = JSON.stringify({ version: 1, plugins: { lamps: { hall: { on: true }, attic: { on: true } } } });

  /** A plugin during whose first step a signal arrives, and who listens to signals. */
  function signalled() {
    const plugin = lamps({ hall: false, attic: false });
    let first: ((name: SignalName) => void) | undefined;
    let listening = 0;
    const apply: typeof plugin.apply = async (step, progress) => {
      if (plugin.taken.length === 0) first?.("SIGINT");
      return await plugin.apply(step, progress);
    };
    const listen = (handler: (name: SignalName) => void) => {
      first = handler;
      listening += 1;
      return { [Symbol.dispose]: () => void (listening -= 1) };
    };
    return { plugin: { ...plugin, apply }, signals: { listen }, listening: () => listening };
  }

  test("lets the running step finish, begins no other, and takes all back", async () => {
    const { plugin, signals, listening } = signalled();
    const books = new Books();
    const ran = await run(["apply", "s.json", "--yes"], { plugins: [plugin], books, signals, files: { "s.json": both } });
    expect([ran.exit, plugin.taken, listening()]).toEqual([4, ["hall=true", "hall=false"], 0]);
    expect(ran.stderr).toBe(`SIGINT: stopping after the running step; once more ends op-dbus at once
Interrupted by SIGINT: taking back what was done
error: Interrupted by SIGINT. Everything was taken back
`);
    expect(books.entries.filter(({ resource }) => resource === "attic")).toEqual([]);
  });

  test("in the last step is not too late: what was not committed is taken back", async () => {
    const { plugin, signals } = signalled();
    const ran = await run(["apply", "s.json", "--yes"], { plugins: [plugin], signals, files: { "s.json": state("hall") } });
    expect([ran.exit, plugin.taken]).toEqual([4, ["hall=true", "hall=false"]]);
  });
});
