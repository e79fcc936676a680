import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OpError } from "../../../src/core/errors.ts";
import { DEFAULT_ROOT, statePaths } from "../../../src/store/paths.ts";
import { StateDirectory } from "../../../src/store/state-directory.ts";
import { isRoot, scratch } from "../sys/scratch.ts";
import { checkpointNamed, commit, header, openAt } from "./samples.ts";
import { hasNamespaces, runOnDisk, type Outcome } from "./small-disk.ts";

function failureOf(act: () => unknown): OpError {
  try {
    act();
  } catch (error) {
    return error as OpError;
  }
  throw new Error("It did not fail");
}

describe("statePaths", () => {
  test("everything lies where DESIGN.md says, under /var/lib/op-dbus without a root", () => {
    const { current, auditKey, lock, journal, plugins, checkpoints, keys } = statePaths();
    expect([current, auditKey, lock, journal, plugins, checkpoints, keys].map((path) => path.slice(DEFAULT_ROOT.length + 1))).toEqual([
      "@state/current.json",
      "keys/audit.key",
      "@state/lock",
      "@state/journal.jsonl",
      "@state/plugins",
      "@state/checkpoints",
      "keys",
    ]);
    expect(DEFAULT_ROOT).toBe("/var/lib/op-dbus");
  });
});

describe("StateDirectory", () => {
  test("opening makes nothing; prepare makes the lock's folder, the log's, and links to them", async () => {
    await using folder = scratch();
    const store = openAt(folder.file("a", "b"));
    expect(existsSync(folder.file("a"))).toBe(false);
    await store.prepare();
    await store.prepare();
    const made = readdirSync(store.paths.root, { recursive: true }).toSorted();
    expect(made).toEqual(["@state", "@timing", "blockchain", "blockchain/state", "blockchain/timing"]);
    expect(store.lockPath).toBe(folder.file("a", "b", "@state", "lock"));
  });

  test("links are relative, for folders that there are, and come to a directory that has none yet", async () => {
    await using folder = scratch();
    const directory = new StateDirectory(folder.file("root"));
    const { links, snapshots } = directory.paths;
    await directory.prepare();
    expect(["timing", "state"].map((name) => readlinkSync(join(links, name)))).toEqual(["../@timing", "../@state"]);
    renameSync(links, folder.file("away"));
    directory.makeFolder(snapshots);
    await directory.prepare();
    expect(readdirSync(links).map((name) => [name, readlinkSync(join(links, name))]).sort()).toEqual([["snapshots", "../@snapshots"], ["state", "../@state"], ["timing", "../@timing"]]);
  });

  test.each<[string, (links: string) => unknown, string]>([
    ["a file in the links' place", (links) => writeFileSync(links, "mine"), ""],
    ["a link in their place", (links) => symlinkSync("theirs", links), ""],
    ["a link in their place that leads nowhere", (links) => symlinkSync("nowhere", links), ""],
    ["a folder by the name of one", (links) => mkdirSync(join(links, "state"), { recursive: true }), "state"],
  ])("%s stays, and hinders nothing", async (_, put, name) => {
    await using folder = scratch();
    const directory = new StateDirectory(folder.path);
    mkdirSync(folder.file("theirs"));
    put(directory.paths.links);
    const { ino } = lstatSync(join(directory.paths.links, name));
    await directory.prepare();
    expect(lstatSync(join(directory.paths.links, name)).ino).toBe(ino);
    expect(readdirSync(folder.file("theirs"))).toEqual([]);
    expect(existsSync(directory.paths.state)).toBe(true);
  });

  test("keys and secrets are their owner's alone, all else can be read, whatever the umask", async () => {
    await using folder = scratch();
    const directory = new StateDirectory(folder.file("root"));
    const { paths } = directory;
    const old = process.umask(0o077);
    try {
      for (const parent of [paths.keys, paths.secrets, paths.rejected]) directory.write({ folder: parent, path: join(parent, "x"), content: "" });
    } finally {
      process.umask(old);
    }
    const modes = [paths.root, paths.keys, paths.secrets, paths.state, paths.rejected].map((path) => (statSync(path).mode & 0o777).toString(8));
    expect(modes).toEqual(["755", "700", "700", "755", "755"]);
  });

  test("a root that is a file: kind refused in words", async () => {
    await using folder = scratch();
    const root = folder.file("file");
    writeFileSync(root, "");
    const store = openAt(root);
    await expect(store.prepare()).rejects.toMatchObject({ kind: "refused", message: `The state directory ${root} is not a folder, or has a file where a folder belongs` });
    for (const act of [() => store.ledger.current(), () => store.journal.pending(), () => store.audit.size()]) {
      expect(failureOf(act)).toMatchObject({ kind: "refused", message: `The state directory ${root} is not a folder, or has a file where a folder belongs` });
    }
  });

  test("a file where a folder belongs is named", async () => {
    await using folder = scratch();
    const { ledger, paths } = openAt(folder.path);
    mkdirSync(paths.state);
    writeFileSync(paths.checkpoints, "");
    expect(failureOf(() => ledger.checkpoints())).toMatchObject({ kind: "refused", details: [expect.stringContaining(paths.checkpoints)] });
    const committed = ledger.commit({ checkpoints: [checkpointNamed("x", 1)] });
    await expect(committed).rejects.toMatchObject({ kind: "refused", details: [expect.stringContaining(paths.checkpoints)] });
  });

  test("a folder where a file belongs is named", async () => {
    await using folder = scratch();
    const { ledger, paths } = openAt(folder.path);
    mkdirSync(paths.current, { recursive: true });
    const found = { kind: "refused", message: `The state directory ${paths.root} has a folder where a file belongs` };
    expect(failureOf(() => ledger.current())).toMatchObject(found);
    await expect(ledger.commit(commit)).rejects.toMatchObject(found);
  });

  test.skipIf(!hasNamespaces)("on a read-only file system every first write is refused in words, and reading goes on (needs unshare)", async () => {
    await using folder = scratch();
    const outcome = await runOnDisk(folder.path, { bytes: 1 << 20, scenario: "read-only" });
    const message = `The state directory ${outcome.root} is on a read-only file system`;
    const refused: Outcome = { kind: "refused", message, code: "EROFS" };
    expect(outcome.steps).toEqual({ prepare: refused, begin: refused, append: refused, commit: refused, reserve: refused, read: { kind: "fine", entries: 1, plugins: 1 } });
  });

  test.skipIf(!isRoot)("another user is refused in words, and told what to do (needs root to become one)", async () => {
    await using folder = scratch();
    const store = openAt(folder.file("root"));
    await store.journal.begin(header);
    const outcome = await runOnDisk(folder.file("root"), { scenario: "other-user" });
    const refused: Outcome = { kind: "refused", message: `The state directory ${folder.file("root")} may not be written by this user`, code: "EACCES" };
    expect(outcome.steps).toEqual({ prepare: refused, append: refused, commit: refused, close: refused, read: { kind: "fine", pending: header.id } });
    chmodSync(store.paths.journal, 0o600);
    const hidden = await runOnDisk(folder.file("root"), { scenario: "other-user" });
    expect(hidden.steps.read).toEqual({ kind: "refused", message: `The state directory ${folder.file("root")} may not be read by this user`, code: "EACCES" });
  });
});
