import { describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openArchive } from "../../../../src/store/audit/archive.ts";
import { LogView } from "../../../../src/store/audit/log-view.ts";
import { LogFiles } from "../../../../src/store/audit/log-files.ts";
import { SignerKey } from "../../../../src/store/audit/note.ts";
import { encodeFrame, type Frame } from "../../../../src/store/audit/tail.ts";
import { signTreeHead } from "../../../../src/store/audit/tree-head.ts";
import { StateDirectory } from "../../../../src/store/state-directory.ts";
import { Replica } from "../../../../src/store/replica/replica.ts";
import { keyIn } from "../audit/sample-log.ts";
import { openAt } from "../samples.ts";
import { scratch } from "../../sys/scratch.ts";
import { converse, copyOf, filesIn, logged, replicateTo, verifiedSize } from "./sample-replica.ts";

/** Fills tiles of two levels, and ends within one. */
const SIZES = [1, 254, 1, 1, 255, 300, 7];
const TOTAL = SIZES.reduce((sum, size) => sum + size, 0);

/** Of an other end that is not asked for any. */
const noSnapshots = { offer: async () => [], begin: async () => [], fill: async () => undefined };

const kindOf = (error: unknown) => (error as { kind?: string } | undefined)?.kind;

async function refusal(attempt: Promise<unknown>): Promise<{ kind: string | undefined; message: string }> {
  const error = await attempt.then(() => undefined, (thrown: unknown) => thrown);
  return { kind: kindOf(error), message: String((error as Error | undefined)?.message) };
}

describe("a replica", () => {
  test("has all that was logged, also what is not published, and verifies with the public key alone", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await logged(root, SIZES);
    await logged(root, [3, 2], true);
    expect(await replicateTo(root, path)).toMatchObject({ from: 0, size: TOTAL + 5, blocks: SIZES.length + 2 });
    const { treeHead } = openArchive({ root }).verify(() => () => undefined);
    const { size, blocks, unpublished, treeHead: own } = openArchive({ path, key: openArchive({ root }).key }).verify(() => () => undefined);
    expect({ size, blocks, unpublished, own }).toEqual({ size: TOTAL + 5, blocks: SIZES.length + 2, unpublished: 0, own: treeHead });
    const entriesOf = (files: LogFiles) => [...new LogView(files, keyIn(path)).entries()];
    const of = (at: string) => entriesOf(new LogFiles(new StateDirectory(at), at));
    expect(of(path)).toEqual(of(join(root, "@timing")));
    expect(existsSync(join(path, "keys"))).toBe(false);
  });

  test("is given only what it does not have, whatever the sizes; and nothing when it has all", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    let size = 0;
    for (const more of SIZES) {
      await logged(root, [more]);
      expect(await replicateTo(root, path)).toMatchObject({ from: size, size: size + more, blocks: 1 });
      size += more;
      expect(verifiedSize(path, root)).toBe(size);
      const before = filesIn(path);
      expect(await replicateTo(root, path)).toMatchObject({ from: size, size, blocks: 0, bytes: 0 });
      expect(filesIn(path)).toEqual(before);
    }
  });

  test("of a pruned log: one that has what was let go goes on, a new one cannot begin", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await logged(root, [600]);
    await replicateTo(root, path);
    const { pruning, audit } = openAt(root);
    await pruning.prune(pruning.plan(new Date("2100-01-01")));
    expect(audit.pruned()?.minimumIndex).toBe(512);
    await logged(root, [300]);
    expect(await replicateTo(root, path)).toMatchObject({ from: 600, size: 901 });
    // The prune is an entry of the replica too, which has everything all the same.
    expect(verifiedSize(path, root)).toBe(901);
    expect(await refusal(replicateTo(root, folder.file("new")))).toMatchObject({ kind: "refused", message: expect.stringContaining("Entry 0 is not there any more") });
  });

  test("of a log that is being written: at each instant some beginning of it, in the end all", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await logged(root, [250]);
    const writer = Bun.spawn([process.execPath, join(import.meta.dir, "../audit/busy-writer.ts"), root], { stderr: "inherit" });
    let [last, runs] = [0, 0];
    while (writer.exitCode === null) {
      const { from, size } = await replicateTo(root, path);
      expect({ from, verified: verifiedSize(path, root) }).toEqual({ from: last, verified: size });
      last = size;
      runs += 1;
      await Bun.sleep(0);
    }
    expect(await writer.exited).toBe(0);
    expect(runs).toBeGreaterThan(3);
    expect(await replicateTo(root, path)).toMatchObject({ size: 250 + 200 * 3 });
    expect(verifiedSize(path, root)).toBe(250 + 200 * 3);
  }, 60_000);

  test("a first run into an empty disk's top, with its lost+found", async () => {
    await using folder = scratch();
    const [root, path] = [folder.file("root"), folder.file("disk")];
    mkdirSync(join(path, "lost+found"), { recursive: true });
    await logged(root, [3]);
    expect(await replicateTo(root, path)).toMatchObject({ size: 3 });
    expect(readdirSync(path)).toContain("lost+found");
  });

  test("over messages it is the same, byte for byte, and so are refusals, which say where they come from", async () => {
    await using folder = scratch();
    const [root, path, direct] = [folder.file("root"), folder.file("replica"), folder.file("direct")];
    await logged(root, SIZES);
    expect(await converse(root, path)).toMatchObject({ replicated: { from: 0, size: TOTAL }, error: undefined });
    await replicateTo(root, direct);
    expect(filesIn(path)).toEqual(filesIn(direct));
    await logged(folder.file("other"), [2]);
    const { error } = await converse(folder.file("other"), path);
    expect({ kind: kindOf(error), message: (error as Error).message }).toEqual({ kind: "refused", message: expect.stringMatching(/^backup: .* is the replica of another log, op-dbus\//) });
  });
});

describe("what is refused, with the replica left as it was", () => {
  /** A log, a replica of it, and what the same state directory was at the start. */
  async function grown(folder: { file(...names: string[]): string }) {
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await logged(root, [3, 200]);
    const early = copyOf(root, folder.file("early"));
    await logged(root, [100]);
    await replicateTo(root, path);
    const before = filesIn(path);
    const expectSame = () => expect(filesIn(path)).toEqual(before);
    return { root, path, early, expectSame };
  }

  test("a log that was taken back to an earlier state: integrity", async () => {
    await using folder = scratch();
    const { early, path, expectSame } = await grown(folder);
    expect(await refusal(replicateTo(early, path))).toEqual({ kind: "integrity", message: `The replica ${path} has 303 entries, the log itself has 203: the log has lost entries, or was taken back to an earlier state` });
    expectSame();
  });

  test.each([100, 101, 600])("another history of the same key, %d entries after the fork: integrity", async (more) => {
    await using folder = scratch();
    const { early, path, expectSame } = await grown(folder);
    const { audit } = openAt(early);
    await audit.append(Array.from({ length: more }, () => ({ kind: "plan" as const })));
    expect(await refusal(replicateTo(early, path))).toEqual({ kind: "integrity", message: `The log does not begin with the 303 entries that the replica ${path} has of it: it was written anew` });
    expect(kindOf((await converse(early, path)).error)).toBe("integrity");
    expectSame();
  });

  test("another log: refused", async () => {
    await using folder = scratch();
    const { path, expectSame } = await grown(folder);
    await logged(folder.file("other"), [400]);
    expect((await refusal(replicateTo(folder.file("other"), path))).kind).toBe("refused");
    expectSame();
  });

  test("a log that is damaged after what the replica has: integrity, naming the entry; what is in order before it is taken", async () => {
    await using folder = scratch();
    const { root, path } = await grown(folder);
    // Two pieces, the second of them damaged.
    await logged(root, [4000, 300]);
    const bundle = join(root, "@timing/tile/entries/017.p/251");
    const bytes = readFileSync(bundle);
    writeFileSync(bundle, bytes.fill((bytes.at(-3) ?? 0) ^ 1, bytes.length - 3, bytes.length - 2));
    const { kind, message } = await refusal(replicateTo(root, path));
    expect({ kind, message }).toEqual({ kind: "integrity", message: expect.stringMatching(/^Entry 4602 of the audit log .*@timing does not verify/) });
    expect(verifiedSize(path, root)).toBe(4303);
  });

  test.each([{ size: 4, blocks: 1 }, { size: 3, blocks: 2 }, { size: 3, blocks: 77 }, { size: 0, blocks: 1 }])("an other end that says that it has %j of other blocks: integrity, nothing sent", async (standing) => {
    await using folder = scratch();
    const { root } = await grown(folder);
    const sent: Buffer[] = [];
    const other = { standing, prove: async () => undefined, take: async (piece: Buffer) => void sent.push(piece), ...noSnapshots, [Symbol.asyncDispose]: async () => undefined };
    expect((await refusal(openArchive({ root }).replicate(async () => other))).kind).toBe("integrity");
    expect(sent).toEqual([]);
  });

  test.each([{ size: 304, blocks: 3 }, { size: 3, blocks: 1 }])("an other end that says that it has %j, and says so for ever: unavailable, no success", async (standing) => {
    await using folder = scratch();
    const { root } = await grown(folder);
    const other = { standing, prove: async () => undefined, take: async () => undefined, ...noSnapshots, [Symbol.asyncDispose]: async () => undefined };
    expect((await refusal(openArchive({ root }).replicate(async () => other))).kind).toBe("unavailable");
  });

  test("a replica whose end is damaged, or that lost its key: integrity", async () => {
    await using folder = scratch();
    const { root, path } = await grown(folder);
    for (const name of ["checkpoint", "verifier-key", "tile/0/001.p/47"]) {
      const copy = copyOf(path, folder.file("copy"));
      if (name === "checkpoint") writeFileSync(join(copy, name), "nonsense\n");
      else rmSync(join(copy, name));
      const before = filesIn(copy);
      await logged(root, [1]);
      expect({ name, kind: (await refusal(replicateTo(root, copy))).kind }).toEqual({ name, kind: "integrity" });
      expect(filesIn(copy)).toEqual(before);
      rmSync(copy, { recursive: true });
    }
  });

  test("a folder with anything else in it, a log's own folder, a copy of one, a missing folder above, a file: refused, nothing made", async () => {
    await using folder = scratch();
    const { root } = await grown(folder);
    mkdirSync(folder.file("full"));
    writeFileSync(folder.file("full", "photo"), "");
    writeFileSync(folder.file("file"), "");
    cpSync(join(root, "@timing"), folder.file("timing"), { recursive: true });
    const before = filesIn(folder.path);
    for (const target of [folder.file("full"), join(root, "@timing"), folder.file("timing"), folder.file("no", "where"), folder.file("file")]) {
      expect({ target, kind: (await refusal(replicateTo(root, target))).kind }).toEqual({ target, kind: "refused" });
    }
    expect(filesIn(folder.path)).toEqual(before);
    expect(existsSync(folder.file("no"))).toBe(false);
  });

  test("two runs at once: the second is refused, saying by whom it is locked", async () => {
    await using folder = scratch();
    const { root, path } = await grown(folder);
    const { key } = openArchive({ root });
    const head = openArchive({ root }).verify(() => () => undefined).treeHead ?? "";
    await using _first = await Replica.open({ path, key, head });
    expect(await refusal(replicateTo(root, path))).toEqual({ kind: "refused", message: expect.stringContaining(`Locked by pid ${process.pid}`) });
  });
});

describe("blocks that the log's key did not sign there", () => {
  async function half(folder: { file(...names: string[]): string }) {
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await logged(root, [3, 4]);
    await replicateTo(root, path);
    await logged(root, [2, 5, 1]);
    const timing = join(root, "@timing");
    const view = new LogView(new LogFiles(new StateDirectory(root), timing), keyIn(timing));
    const opening = { path, key: keyIn(timing).toString(), head: view.treeHead ?? "" };
    const frames = [...view.frames(2)] as [Frame, Frame, Frame];
    const signer = SignerKey.parse((await Bun.file(join(root, "keys/audit.key")).text()).trimEnd()) as SignerKey;
    return { root, path, opening, proof: view.consistencyProof(7), frames, signer };
  }

  const changed = (frame: Frame, changes: Partial<Frame["block"]>): Frame => ({ ...frame, block: { ...frame.block, ...changes } });

  test("each is refused, and what came before it in order stays", async () => {
    await using folder = scratch();
    const { root, path, opening, proof, frames, signer } = await half(folder);
    const [first, second] = frames;
    const another = SignerKey.generate(signer.verifier.name);
    const wrong: Record<string, readonly Frame[]> = {
      "left out": [second],
      "twice": [first, first],
      "out of order": [second, first],
      "another number": [changed(first, { number: 3 })],
      "another predecessor": [changed(first, { previous: "0".repeat(64) })],
      "another entry": [{ ...first, entries: first.entries.map((bytes) => Buffer.from(bytes.toString().replace('"systemd"', '"systemx"'))) }],
      "no entry": [{ ...first, entries: first.entries.map(() => Buffer.from("{}")) }],
      "an entry less": [{ block: { ...first.block, count: 1 }, entries: first.entries.slice(1) }],
      "another's signature": [changed(first, { head: signTreeHead(another, { size: 9, root: Buffer.alloc(32, 1) }) })],
      "a signature over something else": [changed(first, { head: signTreeHead(signer, { size: 9, root: Buffer.alloc(32, 1) }) })],
      "a signature of later": [changed(first, { head: second.block.head })],
    };
    for (const [name, sent] of Object.entries(wrong)) {
      const copy = copyOf(path, folder.file("copy"));
      await using replica = await Replica.open({ ...opening, path: copy });
      await replica.prove(proof);
      const said = await refusal(replica.take(Buffer.concat(sent.map(encodeFrame))));
      expect({ name, kind: said.kind }).toEqual({ name, kind: "integrity" });
      expect({ name, size: verifiedSize(copy, root) }).toEqual({ name, size: name === "twice" ? 9 : 7 });
      rmSync(copy, { recursive: true });
    }
  });

  test("nothing is taken before the proof, beyond the tree head, or of bytes that are no blocks", async () => {
    await using folder = scratch();
    const { root, path, opening, proof, frames } = await half(folder);
    const piece = Buffer.concat(frames.map(encodeFrame));
    {
      await using replica = await Replica.open(opening);
      expect((await refusal(replica.take(piece))).kind).toBe("invalid");
      expect((await refusal(replica.prove(proof.slice(1)))).kind).toBe("integrity");
      expect((await refusal(replica.take(piece))).kind).toBe("invalid");
      await replica.prove(proof);
      for (const bytes of [piece.subarray(1), piece.subarray(0, -1), Buffer.concat([piece, Buffer.from("x")])]) expect((await refusal(replica.take(bytes))).kind).toBe("invalid");
    }
    expect(verifiedSize(path, root)).toBe(7);
    {
      await using replica = await Replica.open({ ...opening, head: frames[0].block.head });
      const view = new LogView(new LogFiles(new StateDirectory(root), join(root, "@timing")), keyIn(path));
      expect(view.size).toBe(15);
      const early = copyOf(path, folder.file("early"));
      await using other = await Replica.open({ ...opening, path: early });
      await other.prove(proof);
      await other.take(encodeFrame(frames[0]));
      const shown = new LogView(new LogFiles(new StateDirectory(early), early), keyIn(path));
      await replica.prove(shown.consistencyProof(7));
      expect((await refusal(replica.take(piece))).kind).toBe("integrity");
    }
    expect(verifiedSize(path, root)).toBe(9);
    expect(await replicateTo(root, path)).toMatchObject({ from: 9, size: 15 });
  });

  test("an opening that says nothing is refused, and nothing made", async () => {
    await using folder = scratch();
    const { opening } = await half(folder);
    const path = folder.file("new");
    for (const [wrong, kind] of [[{ key: "nonsense" }, "invalid"], [{ path: "new" }, "invalid"], [{ head: "nonsense" }, "integrity"], [{ key: SignerKey.generate("op-dbus/x").verifier.toString() }, "integrity"]] as const) {
      expect((await refusal(Replica.open({ ...opening, path, ...wrong }))).kind).toBe(kind);
    }
    expect(existsSync(path)).toBe(false);
  });
});
