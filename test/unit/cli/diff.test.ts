import { describe, expect, test } from "bun:test";
import type { Json } from "../../../src/core/json.ts";
import { Books, run } from "./in-memory.ts";
import { marker, pointBefore } from "./points.ts";

const lit = (lamps: Json) => ({ version: 1, plugins: { lamps } }) as const;

/** Two applies, the first marked after it, and one that has not been: of a plugin that is gone. */
async function history(): Promise<Books> {
  const books = new Books();
  await books.hostWith([]).audit.append([{ kind: "commit", transaction: "t1", outcome: "done" }, { kind: "commit", transaction: "t3", outcome: "done" }]);
  const [first, second] = books.entries;
  if (first === undefined || second === undefined) throw new Error("An entry is missing");
  books.entries.splice(0, 2, { ...first, time: "2026-11-20T17:01:00.500Z" }, { ...second, time: "2026-11-20T17:03:00.500Z" });
  books.points = [pointBefore({ name: "a", sequence: 1 }), marker({ name: "mark", sequence: 2 }), pointBefore({ name: "b", sequence: 3 }, lit({ hall: { on: true }, attic: { on: true } }))];
  books.document = { version: 1, plugins: { lamps: { hall: { on: null }, "cellar\u001b[2J": { on: true } }, gone: { x: 1 } } };
  return books;
}

async function diff(...flags: string[]) {
  return await run(["diff", ...flags], { books: await history() });
}

describe("diff --from-checkpoint", () => {
  test("what is in force now: key by key, what is not declared told from what is unset", async () => {
    expect(await diff("--from-checkpoint", "b")).toMatchObject({
      exit: 3,
      opened: ["books"],
      stdout: `lamps
  hall on: true -> unset
  attic on: true -> not declared
  cellar\\x1b[2J on: not declared -> true

gone
  gone section.x: not declared -> 1
`,
    });
    expect((await diff("--from-checkpoint", "b", "--json", "--plugin", "lamps")).json()).toEqual({
      from_checkpoint: "b",
      to_checkpoint: null,
      difference: true,
      changes: [
        { plugin: "lamps", resource: "hall", key: "on", from: true, to: null },
        { plugin: "lamps", resource: "attic", key: "on", from: true },
        { plugin: "lamps", resource: "cellar\u001b[2J", key: "on", to: true },
      ],
    });
  });

  test.each<[string, string, number, string]>([
    ["a", "b", 3, "lamps\n  hall on: not declared -> true\n  attic on: not declared -> true\n"],
    ["b", "a", 3, "lamps\n  hall on: true -> not declared\n  attic on: true -> not declared\n"],
    ["a", "mark", 3, "lamps\n  hall on: not declared -> true\n  attic on: not declared -> true\n"],
    ["mark", "b", 0, "No difference\n"],
  ])("%s to %s exits with what there is", async (from, to, exit, stdout) => {
    expect(await diff("--from-checkpoint", from, "--to-checkpoint", to)).toMatchObject({ exit, stdout });
  });

  test("no difference for programs, and a checkpoint that is not there", async () => {
    expect((await diff("--from-checkpoint", "mark", "--to-checkpoint", "b", "--json")).json()).toMatchObject({ difference: false, changes: [] });
    expect(await diff("--from-checkpoint", "mrk")).toMatchObject({ exit: 2, stderr: "error: There is no checkpoint 'mrk'\nhint: Did you mean 'mark'?\n" });
  });
});
