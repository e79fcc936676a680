import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { canonicalJson, toJson } from "../../../src/core/json.ts";
import type { Commit } from "../../../src/core/ports.ts";
import { FileLedger } from "../../../src/store/ledger.ts";
import type { Store } from "../../../src/store/open.ts";
import { Reserve } from "../../../src/store/reserve.ts";
import { StateDirectory, type StoredFile } from "../../../src/store/state-directory.ts";
import { scratch } from "../sys/scratch.ts";
import { checkpointNamed, commit, openAt } from "./samples.ts";

const HASH = "a".repeat(64);

/** Every file under the state directory, with its bytes. */
function contentOf({ paths }: Store): Record<string, string> {
  const names = readdirSync(paths.root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(names.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), "utf8")]));
}

function relativeContentOf(root: string): Record<string, string> {
  return Object.fromEntries(Object.entries(contentOf(openAt(root))).map(([path, text]) => [relative(root, path), text]));
}

const LATER = { documentHash: "b".repeat(64), when: "2027-01-01T00:00:00.000Z", who: "eve", why: "it failed" };

/** A commit after the sample that has every part. */
const NEXT: Commit = {
  current: { version: 1, plugins: { net: { interfaces: {} } } },
  ownership: {},
  checkpoints: [checkpointNamed("second", 2)],
  forget: ["auto-20261120T170312.123Z"],
  reject: [LATER],
  accept: [HASH],
  spend: "plan-2",
};

/** Its process dies after so many changes. */
class DyingDirectory extends StateDirectory {
  #left: number;

  constructor(root: string, changes: number) {
    super(root);
    this.#left = changes;
  }

  override write(file: StoredFile): void {
    this.#count();
    super.write(file);
  }

  override remove(path: string): void {
    this.#count();
    super.remove(path);
  }

  #count(): void {
    if (this.#left === 0) throw new Error("died");
    this.#left -= 1;
  }
}

function expectAllOf({ ledger }: Store, { current, ownership, checkpoints, reject, spend }: Commit): void {
  expect(toJson([ledger.current(), ledger.ownership(), ledger.checkpoints()])).toEqual(toJson([current, ownership, checkpoints]));
  expect(reject?.map(({ documentHash }) => ledger.rejection(documentHash))).toEqual([...(reject ?? [])]);
  expect(ledger.isSpent(spend ?? "")).toBe(true);
}

describe("Ledger", () => {
  test("where there is no state directory nothing is in force, and reading makes none", async () => {
    await using folder = scratch();
    const { ledger, paths } = openAt(folder.file("none"));
    expect(ledger.current()).toEqual({ version: 1, plugins: {} });
    expect(ledger.ownership()).toEqual({});
    expect(ledger.checkpoints()).toEqual([]);
    expect(ledger.rejection(HASH)).toBeUndefined();
    expect(ledger.rejections()).toEqual([]);
    expect(ledger.isSpent("plan-1")).toBe(false);
    expect(existsSync(paths.root)).toBe(false);
  });

  test("commit: another process reads all of it", async () => {
    await using folder = scratch();
    await openAt(folder.path).ledger.commit(commit);
    expectAllOf(openAt(folder.path), commit);
  });

  test("commit again leaves the same bytes, in files that are canonical JSON", async () => {
    await using folder = scratch();
    const store = openAt(folder.path);
    await store.ledger.commit(commit);
    const before = contentOf(store);
    await openAt(folder.path).ledger.commit(commit);
    expect(contentOf(store)).toEqual(before);
    expect(before[store.paths.current]).toBe(canonicalJson(toJson(commit.current)));
    expect(before[join(store.paths.plugins, "systemd.json")]).toBe(canonicalJson(commit.current?.plugins.systemd ?? null));
    expect(Object.keys(before).length).toBe(6);
  });

  test("commit cut short before any of its parts: never permits more than the whole, and doing it again makes it whole", async () => {
    await using whole = scratch();
    await openAt(whole.path).ledger.commit(commit);
    await openAt(whole.path).ledger.commit(NEXT);
    const expected = relativeContentOf(whole.path);
    let cuts = 0;
    for (let cut = false; ; cuts += 1) {
      await using folder = scratch();
      await openAt(folder.path).ledger.commit(commit);
      const dying = new DyingDirectory(folder.path, cuts);
      cut = await new FileLedger(dying, new Reserve(dying)).commit(NEXT).then(() => false, () => true);
      const { ledger } = openAt(folder.path);
      if (Object.hasOwn(ledger.current().plugins, "net")) {
        expect(ledger.rejection(LATER.documentHash)).toEqual(LATER);
        expect(ledger.isSpent("plan-2")).toBe(true);
        expect(ledger.checkpoints().map(({ name }) => name)).toContain("second");
        expect(ledger.ownership()).toEqual({});
      }
      await ledger.commit(NEXT);
      expect(relativeContentOf(folder.path)).toEqual(expected);
      if (!cut) break;
    }
    expect(cuts).toBe(9);
  });

  test("commit leaves what it does not name as it is", async () => {
    await using folder = scratch();
    const store = openAt(folder.path);
    await store.ledger.commit(commit);
    const before = contentOf(store);
    await store.ledger.commit({});
    expect(contentOf(store)).toEqual(before);
    await store.ledger.commit({ ownership: {} });
    expect(contentOf(store)).toEqual({ ...before, [store.paths.ownership]: "{}" });
  });

  test("commit takes away the files of plugins that are no longer in force, and nothing that it did not write", async () => {
    await using folder = scratch();
    const { ledger, paths } = openAt(folder.path);
    await ledger.commit({ current: { version: 1, plugins: { net: { a: 1 }, systemd: {} } } });
    for (const name of ["notes.txt", ".hidden.json", "a b.json"]) writeFileSync(join(paths.plugins, name), "");
    await ledger.commit({ current: { version: 1, plugins: { net: { a: 2 } } } });
    expect(readdirSync(paths.plugins).sort()).toEqual([".hidden.json", "a b.json", "net.json", "notes.txt"]);
  });

  test("reject, accept and forget; what is both written and let go is written", async () => {
    await using folder = scratch();
    const { ledger } = openAt(folder.path);
    const [rejection] = commit.reject ?? [];
    const later = { documentHash: "b".repeat(64), when: "2027-01-01T00:00:00.000Z", who: "eve", why: "half a pair \ud800" };
    await ledger.commit({ reject: [later, ...(commit.reject ?? [])], checkpoints: [checkpointNamed("x", 1)] });
    expect(ledger.rejections()).toEqual([rejection!, { ...later, why: "half a pair \ufffd" }]);
    await ledger.commit({ reject: commit.reject ?? [], accept: [HASH, later.documentHash], checkpoints: [checkpointNamed("x", 2)], forget: ["x", "never"] });
    expect(ledger.rejections()).toEqual([rejection!]);
    expect(ledger.checkpoints().map(({ sequence }) => sequence)).toEqual([2]);
    await ledger.commit({ accept: [HASH], forget: ["x"] });
    expect([ledger.rejection(HASH), ledger.checkpoints()]).toEqual([undefined, []]);
  });

  test("checkpoints are sorted by sequence, not by name", async () => {
    await using folder = scratch();
    const { ledger } = openAt(folder.path);
    await ledger.commit({ checkpoints: [checkpointNamed("a", 10), checkpointNamed("b", 9), checkpointNamed("c", 100), checkpointNamed("D:1+2@x_y", 1)] });
    expect(ledger.checkpoints().map(({ name }) => name)).toEqual(["D:1+2@x_y", "b", "a", "c"]);
    expect(ledger.marks()).toEqual(ledger.checkpoints().map(({ name, sequence }) => ({ name, sequence })));
  });

  test("names that would lead out of their folder, hide or be too long: kind invalid, and nothing is written", async () => {
    await using folder = scratch();
    const store = openAt(folder.path);
    for (const name of ["../current", "a/b", ".", "..", ".hidden", "", "a\0", "a\n", "ä", "-rf", "x".repeat(101)]) {
      const invalid = { kind: "invalid", message: expect.stringContaining("cannot be the name of a ") };
      await expect(store.ledger.commit({ ...commit, checkpoints: [checkpointNamed(name, 1)] })).rejects.toMatchObject(invalid);
      await expect(store.ledger.commit({ ...commit, forget: [name] })).rejects.toMatchObject(invalid);
      await expect(store.ledger.commit({ ...commit, spend: name })).rejects.toMatchObject(invalid);
      await expect(store.ledger.commit({ current: { version: 1, plugins: { [name]: {} } } })).rejects.toMatchObject(invalid);
      expect(() => store.ledger.isSpent(name)).toThrow(expect.objectContaining(invalid));
    }
    expect(contentOf(store)).toEqual({});
  });

  test("commit refuses what could not be read back, before it is written", async () => {
    await using folder = scratch();
    const store = openAt(folder.path);
    const surplus = { ...checkpointNamed("x", 1), colour: "red" };
    await expect(store.ledger.commit({ ...commit, checkpoints: [surplus] })).rejects.toMatchObject({ kind: "internal" });
    expect(contentOf(store)).toEqual({});
  });

  test("keys that objects have by themselves are kept", async () => {
    await using folder = scratch();
    const { ledger } = openAt(folder.path);
    const plugins = JSON.parse('{"packages":{"constructor":{"x":1},"toString":null,"prototype":[]}}') as Record<string, never>;
    await ledger.commit({ current: { version: 1, plugins } });
    expect(ledger.current().plugins).toEqual(plugins);
  });

  test("a damaged file: kind integrity, naming the path and what is wrong with it", async () => {
    await using folder = scratch();
    const { ledger, paths } = openAt(folder.path);
    await ledger.commit(commit);
    const [checkpoint] = commit.checkpoints ?? [];
    const files: readonly (readonly [path: string, read: () => unknown])[] = [
      [paths.current, () => ledger.current()],
      [paths.ownership, () => ledger.ownership()],
      [join(paths.checkpoints, `${checkpoint?.name}.json`), () => ledger.checkpoints()],
      [join(paths.rejected, `${HASH}.json`), () => ledger.rejection(HASH)],
      [join(paths.rejected, `${HASH}.json`), () => ledger.rejections()],
      [join(paths.spent, "plan-1.json"), () => ledger.isSpent("plan-1")],
    ];
    for (const [path, read] of files) {
      const text = readFileSync(path, "utf8");
      const cases = { "it is empty": "", "it is not JSON": text.slice(0, -1), "it is not an object": "[]" };
      for (const [what, content] of Object.entries(cases)) {
        writeFileSync(path, content);
        expect(read).toThrow(expect.objectContaining({ kind: "integrity", message: `${path} is damaged: ${what}` }));
      }
      writeFileSync(path, text);
      expect(read).not.toThrow();
    }
  });

  test("a file of another shape: kind integrity, naming the key", async () => {
    await using folder = scratch();
    const { ledger, paths } = openAt(folder.path);
    await ledger.commit(commit);
    const cases: readonly (readonly [path: string, content: string, what: string, read: () => unknown])[] = [
      [paths.current, '{"version":2,"plugins":{}}', "'version' is 2", () => ledger.current()],
      [paths.current, '{"version":1,"plugins":[]}', "'plugins' is a list", () => ledger.current()],
      [paths.current, '{"version":1,"plugins":{},"extra":1}', "Unknown key 'extra'", () => ledger.current()],
      [paths.ownership, '{"systemd":{"a.service":{"since":1,"keys":[]}}}', "'systemd.a.service.since' is 1", () => ledger.ownership()],
      [join(paths.checkpoints, "other.json"), canonicalJson(toJson(checkpointNamed("x", 2))), "it holds the checkpoint 'x'", () => ledger.checkpoints()],
      [join(paths.spent, "plan-2.json"), '{"plan":"plan-1"}', "it is about the plan 'plan-1'", () => ledger.isSpent("plan-2")],
      [join(paths.rejected, `${"c".repeat(64)}.json`), canonicalJson(toJson(commit.reject?.[0])), `it rejects the document ${HASH}`, () => ledger.rejections()],
    ];
    for (const [path, content, what, read] of cases) {
      writeFileSync(path, content);
      expect(read).toThrow(expect.objectContaining({ kind: "integrity", message: expect.stringContaining(what) }));
      expect(read).toThrow(path);
      rmSync(path);
    }
  });
});
