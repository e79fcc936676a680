import { describe, expect, test } from "bun:test";
import type { Checkpoint, OpenTransaction, TransactionHeader } from "../../../src/core/ports.ts";
import { EMPTY_DOCUMENT } from "../../../src/core/document.ts";
import { at, Books, lamps, run } from "./in-memory.ts";
import { marker, pointBefore } from "./points.ts";

const ACTOR = { uid: 0, user: "alice", door: "cli" };

function point(name: string, sequence: number, kind: "marker" | "in force" | "undone" = "marker"): Checkpoint {
  if (kind === "marker") return marker({ name, sequence });
  const before = pointBefore({ name, sequence });
  return kind === "undone" ? { ...before, applied: { ...before.applied, undone: { when: "2026-11-20T18:00:00.000Z", why: "rolled back" } } } : before;
}

function booksWith(...points: Checkpoint[]): Books {
  const books = new Books();
  books.points = points;
  return books;
}

function openTransaction(records: OpenTransaction["records"], oneWay?: string): OpenTransaction {
  const header: TransactionHeader = {
    id: "t1", kind: "apply", started: "2026-11-20T16:00:00.123Z", actor: ACTOR, document: EMPTY_DOCUMENT, documentHash: "a".repeat(64),
    desired: {}, before: {}, identities: {}, steps: [{ plugin: "lamps", name: "switch lamps", changes: [], ...(oneWay === undefined ? {} : { oneWay }) }],
  };
  return { header, records };
}

describe("checkpoint delete", () => {
  test.each<[string, Checkpoint[], number]>([
    ["a marker", [point("old", 1, "in force"), point("c", 2)], 0],
    ["an apply that is undone", [point("old", 1, "in force"), point("c", 2, "undone")], 0],
    ["the oldest", [point("c", 1, "in force"), point("new", 2, "in force")], 0],
    ["an apply in force after another", [point("old", 1, "in force"), point("c", 2, "in force")], 6],
    ["an apply in force after a marker", [point("old", 1), point("c", 2, "in force")], 6],
    ["an apply in force after one that is undone", [point("old", 1, "undone"), point("c", 2, "in force")], 6],
  ])("%s", async (_, points, exit) => {
    const books = booksWith(...points);
    const ran = await run(["checkpoint", "delete", "c", "--yes"], { books });
    expect(ran.exit).toBe(exit);
    expect(books.points.some(({ name }) => name === "c")).toBe(exit !== 0);
    if (exit === 6) expect(ran.stderr).toContain("cannot be deleted: rollbacks to 1 older one need it\n  needed by old of");
  });

  test("asks, and says when an apply can then no longer be rolled back", async () => {
    const books = booksWith(point("c", 1, "in force"));
    const ran = await run(["checkpoint", "delete", "c"], { books, typed: ["n"] });
    expect([ran.exit, ran.stderr]).toEqual([6, expect.stringContaining("Delete checkpoint 'c'? Its apply can then no longer be rolled back. [y/N]")]);
    expect((await run(["checkpoint", "delete", "c"], { books })).stderr).toContain("it needs --yes");
    expect(books.points).toHaveLength(1);
  });

  test("a near miss is suggested", async () => {
    const ran = await run(["checkpoint", "delete", "befor", "--yes"], { books: booksWith(point("before", 1)) });
    expect([ran.exit, ran.stderr]).toEqual([2, "error: There is no checkpoint 'befor'\nhint: Did you mean 'before'?\n"]);
  });
});

test("checkpoint create makes a marker after all others, told in the log", async () => {
  const books = booksWith(point("a", 7));
  expect((await run(["checkpoint", "create", "here"], { books })).exit).toBe(0);
  expect(books.points.at(-1)).toMatchObject({ name: "here", sequence: 8 });
  expect(books.entries.map(({ kind, operation, outcome, detail }) => [kind, operation, outcome, detail])).toEqual([
    ["checkpoint", "create", "begun", "here"],
    ["checkpoint", "create", "done", "here"],
  ]);
  expect((await run(["checkpoint", "create", "here"], { books })).exit).toBe(6);
});

test("checkpoint list and show", async () => {
  const books = booksWith(point("a", 1, "undone"), point("b", 2));
  expect((await run(["checkpoint", "list"], { books })).stdout).toBe(`NAME  CREATED               BY     KIND
a     2026-11-20T17:01:00Z  alice  apply, 1 change, undone
b     2026-11-20T17:02:00Z  alice  marker
`);
  expect((await run(["checkpoint", "show", "a"], { books })).stdout).toContain("\nlamps\n  hall on: false -> true\n");
});

describe("audit list", () => {
  async function history() {
    const books = new Books();
    const { audit } = books.hostWith([]);
    await audit.append([
      { kind: "plan", transaction: "t1", operation: "apply", outcome: "begun" },
      { kind: "action", transaction: "t1", plugin: "lamps", operation: "light on", resource: "hall", outcome: "begun" },
      { kind: "action", transaction: "t1", plugin: "lamps", operation: "light on", resource: "hall", outcome: "done" },
      { kind: "action", transaction: "t1", plugin: "lamps", operation: "light on", resource: "attic\u001b[2J", outcome: "begun" },
      { kind: "recovery", transaction: "t1", outcome: "begun" },
      { kind: "revert", transaction: "t1", outcome: "begun", detail: "its process ended" },
      { kind: "revert", transaction: "t1", outcome: "done" },
      { kind: "recovery", transaction: "t1", outcome: "done", detail: "before-state" },
      { kind: "refusal", detail: ["first", "second"] },
    ]);
    return books;
  }

  test("shows what has no outcome as open, and no control characters", async () => {
    expect((await run(["audit", "list"], { books: await history() })).stdout).toBe(`0  2026-11-20T17:03:12Z  plan      begun  apply
1  2026-11-20T17:03:12Z  action    begun  light on hall
2  2026-11-20T17:03:12Z  action    done   light on hall
3  2026-11-20T17:03:12Z  action    open   light on attic\\x1b[2J
4  2026-11-20T17:03:12Z  recovery  begun
5  2026-11-20T17:03:12Z  revert    begun  its process ended
6  2026-11-20T17:03:12Z  revert    done
7  2026-11-20T17:03:12Z  recovery  done   before-state
8  2026-11-20T17:03:12Z  refusal          first; second
`);
  });

  test.each<[string, number[]]>([
    ["--kind action", [1, 2, 3]],
    ["--plugin lamps", [1, 2, 3]],
    ["--resource hall", [1, 2]],
    ["--limit 2", [7, 8]],
    ["--limit 0", [0, 1, 2, 3, 4, 5, 6, 7, 8]],
    ["--since 1h --kind refusal", [8]],
    ["--until 1h", []],
    ["--since 2026-11-21", []],
    ["--until 2026-11-22 --kind plan", [0]],
    ["--since 2026-11-20T17:03:13Z", []],
  ])("%s", async (flags, indexes) => {
    const ran = await run(["audit", "list", "--json", ...flags.split(" ")], { books: await history() });
    expect((at(ran.json(), "entries") as { index: number }[]).map(({ index }) => index)).toEqual(indexes);
  });

  test("says that there are older ones", async () => {
    expect((await run(["blockchain", "list", "--limit", "1"], { books: await history() })).stderr).toBe("Older entries not shown: --limit 0 shows all\n");
  });

  test("audit show prints one entry, or which there are", async () => {
    const books = await history();
    expect((await run(["audit", "show", "3", "--json"], { books })).json()).toMatchObject({ index: 3, open: true, actor: { user: "alice" } });
    expect((await run(["audit", "show", "9"], { books })).stderr).toContain("There is no entry 9\nhint: There are 0 to 8");
  });
});

describe("adopt and release", () => {
  test("take charge and let go, told in the log", async () => {
    const books = new Books();
    const setup = { books, plugins: [lamps({ hall: true, cellar: false })] };
    expect((await run(["adopt", "hall"], setup)).stdout).toBe("op-dbus now owns 1 key of lamps:hall: on\n");
    expect(books.owned).toEqual({ lamps: { hall: { since: "2026-11-20T17:03:12.123Z", identity: "lamp-hall", keys: [{ path: ["on"], value: true, original: false }] } } });
    expect((await run(["adopt", "lamps:hall"], setup)).stdout).toBe("op-dbus owns lamps:hall already\n");
    expect((await run(["release", "lamps:hall"], setup)).stdout).toBe("op-dbus no longer owns lamps:hall (on); it stays as it is\n");
    expect(books.owned).toEqual({ lamps: {} });
    expect(books.entries.map(({ kind, operation, resource, outcome }) => [kind, operation, resource, outcome])).toEqual([
      ["ownership", "adopt", "hall", "begun"],
      ["ownership", "adopt", "hall", "done"],
      ["ownership", "release", "hall", "begun"],
      ["ownership", "release", "hall", "done"],
    ]);
  });

  test.each([
    ["adopt hal", 2, "There is no 'hal' on this host\nhint: Did you mean 'hall'?"],
    ["adopt other:hall", 2, "There is no 'other:hall' on this host"],
    ["adopt cellar", 6, "There is nothing about 'cellar' that op-dbus could own"],
    ["release hall", 2, "op-dbus does not own 'hall'"],
  ])("op-dbus %s exits %d", async (line, exit, says) => {
    const ran = await run(line.split(" "), { plugins: [lamps({ hall: true, cellar: false })] });
    expect([ran.exit, ran.stderr]).toEqual([exit, expect.stringContaining(says)]);
  });

  test("a name that two plugins know is to be said in full", async () => {
    const plugins = [lamps({ hall: true }), { ...lamps({ hall: true }), name: "torches" }];
    expect((await run(["adopt", "hall"], { plugins })).stderr).toContain("'hall' could be lamps:hall or torches:hall");
    expect((await run(["adopt", "torches:hall"], { plugins })).exit).toBe(0);
  });
});

describe("an interrupted change", () => {
  test.each<[string, OpenTransaction, string]>([
    ["had begun nothing", openTransaction([]), "it had changed nothing; the next apply or rollback closes it"],
    ["had begun a step", openTransaction([{ record: "step-begun", phase: "apply", step: 0 }]), "the next apply or rollback takes it back first"],
    ["had begun a step that cannot be taken back", openTransaction([{ record: "step-begun", phase: "apply", step: 0 }], "burns"), "finishes it first"],
    ["was committing", openTransaction([{ record: "committing", commit: {} }]), "records that it was done, first"],
  ])("that %s is told by reading commands, which go on", async (_, open, says) => {
    const books = new Books();
    books.open = open;
    const ran = await run(["query"], { books });
    expect(ran.exit).toBe(0);
    expect(ran.stderr.replaceAll(/\n/g, " ")).toContain("warning: An apply of 2026-11-20T16:00:00Z was interrupted;");
    expect(ran.stderr.replaceAll(/\n/g, " ")).toContain(says);
    expect(books.open).toBe(open);
  });

  test("is no interruption while the process that makes it holds the lock", async () => {
    const books = new Books();
    books.open = openTransaction([]);
    books.holder = { pid: 7, user: "bob", purpose: "apply", since: "2026-11-20T16:00:00.123Z" };
    expect((await run(["query"], { books })).stderr).toBe("");
    expect((await run(["status"], { books })).stdout).toContain("held by bob, process 7 (apply), since 2026-11-20T16:00:00Z");
  });

  test("is mended by the next change, which says so", async () => {
    const books = new Books();
    books.open = openTransaction([]);
    const ran = await run(["checkpoint", "create", "here"], { books });
    expect([ran.exit, ran.stderr.replaceAll(/\n/g, " ")]).toEqual([0, expect.stringContaining("was interrupted. The host was brought back to where it was before it")]);
    expect(books.open).toBeUndefined();
  });
});

test("status says what is in force, what failed, and what is rejected", async () => {
  const books = booksWith(point("a", 1, "in force"));
  books.document = { version: 1, plugins: { lamps: { hall: { on: true } } } };
  expect((await run(["status"], { books })).stdout).toContain("in force         lamps, since 2026-11-20T17:01:00Z\nlast apply       2026-11-20T17:01:00Z by alice, checkpoint a\n");
  books.rejected.push({ documentHash: "a".repeat(64), when: "2026-11-20T17:01:05.000Z", who: "alice", why: "A lamp broke" });
  const { stdout } = await run(["status"], { books });
  expect(stdout.replaceAll(/\n +/g, " ")).toContain("it failed (A lamp broke) and could not be fully taken back");
  expect(stdout).toContain("\n  aaaaaaaaaaaa  2026-11-20T17:01:05Z, alice: A lamp broke\n");
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});
