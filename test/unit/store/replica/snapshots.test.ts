import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openArchive } from "../../../../src/store/audit/archive.ts";
import { contentRoot, sha256 } from "../../../../src/store/content-root.ts";
import { manifestRoot, type SnapshotFile } from "../../../../src/store/replica/manifest.ts";
import type { OpenReplica } from "../../../../src/store/replica/open-replica.ts";
import { Replica } from "../../../../src/store/replica/replica.ts";
import { isRoot, scratch } from "../../sys/scratch.ts";
import { FIRST, letGo, logSnapshot, SECOND, snapshotted, THIRD, threeSnapshots } from "../sample-snapshots.ts";
import { converse, filesIn, logged, readyReplica, replicateTo, verifiedSize } from "./sample-replica.ts";

async function refusal(attempt: Promise<unknown>): Promise<{ kind: string | undefined; message: string }> {
  const error = await attempt.then(() => undefined, (thrown: unknown) => thrown);
  return { kind: (error as { kind?: string } | undefined)?.kind, message: String((error as Error | undefined)?.message) };
}

const verified = (path: string) => openArchive({ path }).verify(() => () => undefined).snapshots;
const snapshotsIn = (path: string) => (existsSync(join(path, "snapshots")) ? readdirSync(join(path, "snapshots")).sort() : []);

describe("a replica of a log with snapshots", () => {
  test("has those that are retained, as they are, and says so with the public key alone", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await threeSnapshots(root);
    const { snapshots } = await replicateTo(root, path);
    expect(snapshots).toMatchObject({ sent: 3, leftOut: [] });
    expect(verified(path)).toEqual({ checked: 3, unreadable: [], unlogged: [] });
    for (const name of [FIRST, SECOND, THIRD]) {
      expect(contentRoot(join(path, "snapshots", name, "state"))).toBe(contentRoot(join(root, "@snapshots", name, "state")));
      expect(readdirSync(join(path, "snapshots", name))).toEqual(["state"]);
    }
    expect(openArchive({ path }).snapshots().map(({ name }) => name)).toEqual([FIRST, SECOND, THIRD]);
    const before = filesIn(path);
    expect((await replicateTo(root, path)).snapshots).toEqual({ sent: 0, bytes: 0, leftOut: [] });
    expect(filesIn(path)).toEqual(before);
  });

  test("is sent the newest first, and of each only what the one before it does not have", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await threeSnapshots(root);
    // Of the third all; of the second a, {}, its lock; of the first its lock.
    expect((await replicateTo(root, path)).snapshots.bytes).toBe(1 + 13 + 3 + (1_500_000 + 2 + 1) + 1);
    await snapshotted(root, "20261120T200000.000Z", { lock: "4", "current.json": '{"version":1}', "checkpoints/b.json": "two", "checkpoints/c.json": "three" });
    expect((await replicateTo(root, path)).snapshots).toEqual({ sent: 1, bytes: 1 + 5, leftOut: [] });
    expect(verified(path).checked).toBe(4);
  });

  test("does not take over what it has where that was damaged", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await snapshotted(root, FIRST, { lock: "1", "current.json": "{}" });
    await replicateTo(root, path);
    writeFileSync(join(path, "snapshots", FIRST, "state/current.json"), "[]");
    await snapshotted(root, SECOND, { lock: "1", "current.json": "{}" });
    expect((await replicateTo(root, path)).snapshots).toEqual({ sent: 1, bytes: 2, leftOut: [] });
    expect(readFileSync(join(path, "snapshots", SECOND, "state/current.json"), "utf8")).toBe("{}");
  });

  test("keeps what the log's side lets go", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await threeSnapshots(root);
    await replicateTo(root, path);
    letGo(root, FIRST);
    expect((await replicateTo(root, path)).snapshots.sent).toBe(0);
    expect(snapshotsIn(path)).toEqual([FIRST, SECOND, THIRD]);
    // Another replica never sees it.
    await replicateTo(root, folder.file("later"));
    expect(snapshotsIn(folder.file("later"))).toEqual([SECOND, THIRD]);
  });

  test("over messages it is the same, byte for byte", async () => {
    await using folder = scratch();
    const [root, path, direct] = [folder.file("root"), folder.file("replica"), folder.file("direct")];
    await threeSnapshots(root);
    expect(await converse(root, path)).toMatchObject({ replicated: { snapshots: { sent: 3 } }, error: undefined });
    await replicateTo(root, direct);
    expect(filesIn(path)).toEqual(filesIn(direct));
    expect(await converse(root, path)).toMatchObject({ replicated: { snapshots: { sent: 0 } } });
  });

  test("one that cannot be sent is left out, and named; the others are sent", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    const files = { lock: "1", "current.json": "{}" };
    await snapshotted(root, "20261120T100000.000Z", files, (state) => symlinkSync("/etc", join(state, "link")));
    await snapshotted(root, "20261120T110000.000Z", files, (state) => chmodSync(join(state, "lock"), 0o4755));
    mkdirSync(join(root, "@snapshots/20261120T120000.000Z/state"), { recursive: true });
    mkdirSync(join(root, "@snapshots/theirs"));
    await threeSnapshots(root);
    const { snapshots } = await replicateTo(root, path);
    expect(snapshots.sent).toBe(3);
    expect(Object.fromEntries(snapshots.leftOut.map(({ name, why }) => [name, why.message]))).toEqual({
      "20261120T100000.000Z": 'No replica takes it: its file "link" is a symbolic link',
      "20261120T110000.000Z": 'No replica takes it: its file "lock" has the mode 4755',
      "20261120T120000.000Z": "The log has no entry of it, or not any more",
    });
    expect(snapshotsIn(path)).toEqual([FIRST, SECOND, THIRD]);
  });

  test.skipIf(isRoot)("one that this user may not read is left out (root reads everything)", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await snapshotted(root, FIRST, { lock: "1" });
    chmodSync(join(root, "@snapshots", FIRST, "state/lock"), 0);
    expect((await replicateTo(root, path)).snapshots.leftOut).toMatchObject([{ name: FIRST, why: { kind: "refused" } }]);
  });

  test("one that is not what the log says is integrity, once all others are sent", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await threeSnapshots(root);
    writeFileSync(join(root, "@snapshots", SECOND, "state/current.json"), "[]");
    expect(await refusal(replicateTo(root, path))).toEqual({ kind: "integrity", message: `Snapshot ${SECOND} is not what entry 2 of the log says: it was not sent, all else was` });
    expect(snapshotsIn(path)).toEqual([FIRST, THIRD]);
    expect(() => openArchive({ root }).verify(() => () => undefined)).toThrow(expect.objectContaining({ kind: "integrity", message: expect.stringContaining(`Snapshot ${SECOND}`) }));
  });

  test.each(["offer", "begin", "fill"] as const)("one that is let go after %s is not missed, and leaves nothing", async (after) => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await snapshotted(root, FIRST, { lock: "1" });
    // Two messages of files.
    await snapshotted(root, SECOND, { lock: "2", a: Buffer.alloc(1_200_000, "a"), b: "b" });
    const { snapshots } = await openArchive({ root }).replicate(async (log) => {
      const replica = await Replica.open({ ...log, path });
      const lettingGo = <T>(done: T, method: string) => {
        if (method === after && existsSync(join(root, "@snapshots", SECOND))) letGo(root, SECOND);
        return done;
      };
      const other: OpenReplica = {
        standing: { size: 3, blocks: 3 },
        prove: (proof) => replica.prove(proof),
        take: (piece) => replica.take(piece),
        offer: async (entries) => lettingGo(await replica.offer(entries), "offer"),
        begin: async (manifest) => lettingGo(await replica.begin(manifest), "begin"),
        fill: async (contents) => lettingGo(await replica.fill(contents), "fill"),
        [Symbol.asyncDispose]: () => replica[Symbol.asyncDispose](),
      };
      Object.defineProperty(other, "standing", { get: () => replica.standing });
      return other;
    });
    expect(snapshots).toEqual({ sent: 1, bytes: 1, leftOut: [] });
    expect(snapshotsIn(path)).toEqual([FIRST]);
  });

  test("what a dead run left unfinished is taken away by the next; what others put there stays", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await threeSnapshots(root);
    await replicateTo(root, path);
    for (const name of [".op-dbus-20260101T000000.000Z", ".op-dbus-theirs"]) mkdirSync(join(path, "snapshots", name, "state"), { recursive: true });
    await replicateTo(root, path);
    expect(snapshotsIn(path)).toEqual([".op-dbus-theirs", FIRST, SECOND, THIRD]);
  });
});

function fileOf(path: string, content: string, mode = "644"): SnapshotFile {
  return { path, mode, sha256: sha256([Buffer.from(content)]), sizeBytes: Buffer.byteLength(content) };
}

describe("what no replica takes", () => {
  const good = [fileOf("a/b", "one"), fileOf("lock", "1", "600")];

  /** A replica whose log vouches for these files, whatever they are, as the snapshot FIRST. */
  async function vouched(folder: { file(...names: string[]): string }, files: readonly SnapshotFile[]) {
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await logged(root, [3]);
    const entry = await logSnapshot(root, FIRST, manifestRoot({ entry: 0, files }));
    await replicateTo(root, path);
    return { root, path, entry };
  }

  const long = "n".repeat(256);
  const empty = fileOf("a", "");
  const manifests: Record<string, readonly SnapshotFile[]> = {
    "a path upwards": [fileOf("../x", "1")],
    "a path upwards within": [fileOf("a/../../../x", "1")],
    "an absolute path": [fileOf("/tmp/x", "1")],
    "an empty path": [fileOf("", "1")],
    "a dot": [fileOf("a/./b", "1")],
    "a folder's path": [fileOf("a/", "1")],
    "a NUL": [fileOf("a\0b", "1")],
    "a control character": [fileOf("a\u001b[2Jb", "1")],
    "too long a name": [fileOf(long, "1")],
    "too long a path": [fileOf(Array(5).fill(long.slice(1)).join("/"), "1")],
    "too deep": [fileOf("a/a/a/a/a/a/a/a/a", "1")],
    "set-user-id": [fileOf("a", "1", "4755")],
    "sticky": [fileOf("a", "1", "1755")],
    "a mode that lets others write": [fileOf("a", "1", "646")],
    "a mode that its own user may not read": [fileOf("a", "1", "244")],
    "twice": [fileOf("a", "1"), fileOf("a", "1")],
    "out of order": [fileOf("b", "1"), fileOf("a", "1")],
    "a file that is a folder too": [fileOf("a", "1"), fileOf("a/b", "1")],
    "a file that is too large": [{ ...fileOf("a", "1"), sizeBytes: 64 * 1024 * 1024 + 1 }],
    "too much": Array.from({ length: 65 }, (_, number) => ({ ...fileOf(String(100 + number), "1"), sizeBytes: 64 * 1024 * 1024 })),
    "no bytes and a hash": [{ ...empty, sha256: fileOf("a", "1").sha256 }],
    "nothing": [],
  };

  test.each(Object.keys(manifests))("%s, though the log vouches for it: integrity, nothing written", async (what) => {
    await using folder = scratch();
    const files = manifests[what] ?? [];
    const { root, path, entry } = await vouched(folder, files);
    const before = readdirSync(folder.path, { recursive: true }).sort();
    {
      await using replica = await readyReplica(root, path);
      expect(await replica.offer([entry])).toEqual([0]);
      expect(await refusal(replica.begin({ entry, files }))).toEqual({ kind: "integrity", message: expect.stringContaining(`Snapshot ${FIRST} is not taken: `) });
    }
    expect(readdirSync(folder.path, { recursive: true }).sort()).toEqual(before);
    expect(verifiedSize(path, root)).toBe(4);
  });

  test("more files than there may be", async () => {
    await using folder = scratch();
    const files = Array.from({ length: 100_001 }, (_, number) => ({ path: String(1_000_000 + number), mode: "644", sha256: "0".repeat(64), sizeBytes: 1 }));
    const { root, path, entry } = await vouched(folder, good);
    await using replica = await readyReplica(root, path);
    expect(await refusal(replica.begin({ entry, files }))).toEqual({ kind: "integrity", message: expect.stringContaining("it has 100001 files") });
  });

  const [ab, lock] = good as [SnapshotFile, SnapshotFile];
  test.each([
    ["a file less", [ab]],
    ["a file more", [ab, lock, fileOf("more", "")]],
    ["another mode", [{ ...ab, mode: "600" }, lock]],
    ["another name", [{ ...ab, path: "a/c" }, lock]],
    ["other bytes", [fileOf("a/b", "two"), lock]],
  ])("%s than the log vouches for: integrity, nothing written", async (_, files) => {
    await using folder = scratch();
    const { root, path, entry } = await vouched(folder, good);
    {
      await using replica = await readyReplica(root, path);
      expect(await refusal(replica.begin({ entry, files }))).toEqual({ kind: "integrity", message: `What is sent as snapshot ${FIRST} is not what entry ${entry} of the log has the content root of` });
    }
    expect(snapshotsIn(path)).toEqual([]);
  });

  test.each([
    ["other bytes", "two1", "integrity"],
    ["a file cut short", "on", "invalid"],
    ["a second file cut off", "one", undefined],
    ["more than all files", "one1more", "invalid"],
  ] as const)("%s than were announced: nothing of it is there afterwards", async (_, contents, kind) => {
    await using folder = scratch();
    const { root, path, entry } = await vouched(folder, good);
    {
      await using replica = await readyReplica(root, path);
      expect(await replica.begin({ entry, files: good })).toEqual([0, 1]);
      expect((await refusal(replica.fill(Buffer.from(contents)))).kind).toBe(kind);
      expect(verified(path)).toEqual({ checked: 0, unreadable: [], unlogged: [] });
    }
    expect(snapshotsIn(path)).toEqual([]);
    await using again = await readyReplica(root, path);
    await again.begin({ entry, files: good });
    await again.fill(Buffer.from("one1"));
    expect(verified(path).checked).toBe(1);
  });

  test("anything out of turn: invalid", async () => {
    await using folder = scratch();
    const { root, path, entry } = await vouched(folder, good);
    {
      await using replica = await readyReplica(root, path);
      expect((await refusal(replica.fill(Buffer.from("one")))).kind).toBe("invalid");
      for (const other of [0, 99]) {
        expect((await refusal(replica.offer([other]))).kind).toBe("invalid");
        expect((await refusal(replica.begin({ entry: other, files: good }))).kind).toBe("invalid");
      }
      expect((await refusal(replica.offer(Array(1001).fill(entry)))).kind).toBe("invalid");
      await replica.begin({ entry, files: good });
      // Begun anew.
      await replica.begin({ entry, files: good });
      await replica.fill(Buffer.from("one"));
      await replica.fill(Buffer.from("1"));
      expect((await refusal(replica.fill(Buffer.from("1")))).kind).toBe("invalid");
      expect(await replica.offer([entry])).toEqual([]);
      expect((await refusal(replica.begin({ entry, files: good }))).kind).toBe("invalid");
    }
    await logged(root, [1]);
    const { key } = openArchive({ root });
    const head = openArchive({ root }).verify(() => () => undefined).treeHead ?? "";
    await using early = await Replica.open({ path, key, head });
    expect((await refusal(early.begin({ entry, files: good }))).kind).toBe("invalid");
    expect((await refusal(early.offer([entry]))).kind).toBe("invalid");
  });
});
