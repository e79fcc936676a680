import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { blockText, parseBlock } from "../../../../src/store/audit/block.ts";
import { encodeBundle, spansOf } from "../../../../src/store/audit/bundle.ts";
import { SignerKey, type VerifierKey } from "../../../../src/store/audit/note.ts";
import { leafHash } from "../../../../src/store/audit/merkle.ts";
import { TiledTree } from "../../../../src/store/audit/tile.ts";
import { encodeFrame } from "../../../../src/store/audit/tail.ts";
import { signTreeHead } from "../../../../src/store/audit/tree-head.ts";
import { scratch } from "../../sys/scratch.ts";
import type { Found } from "./flips.ts";
import { entryNamed, LogCopy } from "./log-copy.ts";
import { BLOCK, ENTRIES, keyIn, vouchedAt, writePrunedLog, writeSampleLog } from "./sample-log.ts";

/** TAMPER_STRIDE=1 takes every byte, which is minutes. */
const STRIDE = Number(process.env.TAMPER_STRIDE ?? 97);

describe.each<{ what: string; write(root: string): Promise<string>; least: number; spare: readonly string[] }>([
  { what: "a log of 300 entries in 10 blocks", write: writeSampleLog, least: 200_000, spare: ["tile/entries/001.p/14", "tile/0/001.p/14"] },
  { what: "the same log, pruned", write: writePrunedLog, least: 50_000, spare: ["tile/entries/001.p/14", "tile/0/001.p/14", "tile/entries/001.p/44", "tile/0/001.p/44"] },
])("$what", ({ write, least, spare }) => {
  async function copyOf(folder: { file(...names: string[]): string }): Promise<LogCopy> {
    const path = await write(folder.file("root"));
    return new LogCopy(path, folder.file("copy"), keyIn(path));
  }

  test(`every byte of every file xor 0x01 and 0xff (one in ${STRIDE}): kind integrity, naming the entry that it belongs to`, async () => {
    await using folder = scratch();
    const path = await write(folder.file("root"));
    const shares = availableParallelism();
    const started = Array.from({ length: shares }, (_, share) => {
      const argv = [process.execPath, join(import.meta.dir, "flips.ts"), path, folder.file(`copy-${share}`), STRIDE, share, shares].map(String);
      return Bun.spawn(argv, { stdout: "pipe", stderr: "inherit" });
    });
    const found = await Promise.all(started.map(async ({ stdout }) => JSON.parse(await stdout.text()) as Found));
    expect(found.flatMap(({ wrong }) => wrong)).toEqual([]);
    const flips = found.reduce((sum, each) => sum + each.flips, 0);
    expect(flips).toBeGreaterThan(least / STRIDE);
    console.log(`  ${flips} bytes changed, all caught, each with its entry`);
  }, 1_200_000);

  test("a file deleted, emptied, cut by a byte or longer by one", async () => {
    await using folder = scratch();
    const log = await copyOf(folder);
    const missed: string[] = [];
    // What the checkpoint does not ask for may go: a partial form that a wider one has taken the place of.
    for (const name of log.names()) {
      const bytes = log.read(name);
      if (name === "verifier-key") continue;
      const ways: Readonly<Record<string, () => void>> = {
        deleted: () => log.remove(name),
        emptied: () => log.write(name, ""),
        cut: () => log.write(name, bytes.subarray(0, -1)),
        longer: () => log.write(name, Buffer.concat([bytes, Buffer.of(10)])),
      };
      for (const [way, tamper] of Object.entries(ways)) {
        if (name === "tail" && way !== "longer") continue;
        tamper();
        const caught = log.finding()?.kind === "integrity";
        const harmless = (way === "deleted" && spare.includes(name)) || name === "tail";
        if (caught === harmless) missed.push(`${name} ${way}`);
        log.restore();
      }
    }
    expect(missed).toEqual([]);
  }, 60_000);

  test("any two files of a kind swapped", async () => {
    await using folder = scratch();
    const log = await copyOf(folder);
    const kinds = Map.groupBy(log.names(), (name) => /^(tile\/\w+|blocks)\//.exec(name)?.[1]);
    let swaps = 0;
    for (const [kind, names] of kinds) {
      if (kind === undefined) continue;
      for (const [at, one] of names.entries()) {
        for (const other of names.slice(at + 1)) {
          log.write(one, log.read(other));
          log.write(other, log.read(one));
          expect(log.finding()).toMatchObject({ kind: "integrity", message: expect.stringMatching(/^Entry \d+ of/) });
          log.restore();
          swaps += 1;
        }
      }
    }
    expect(swaps).toBeGreaterThan(45);
  }, 60_000);
});

/** A log, and a copy of what it was after five of its ten blocks. */
async function logs(folder: { file(...names: string[]): string }): Promise<{ log: LogCopy; older: LogCopy; key: VerifierKey }> {
  let older: LogCopy | undefined;
  const timing = await writeSampleLog(folder.file("root"), (block, path) => {
    if (block === 4) older = new LogCopy(path, folder.file("older"), keyIn(path));
  });
  const key = keyIn(timing);
  if (older === undefined) throw new Error("There is no older copy");
  return { log: new LogCopy(timing, folder.file("copy"), key), older, key };
}

describe("a log of 300 entries in 10 blocks", () => {
  test("as it was written, it verifies", async () => {
    await using folder = scratch();
    const { log, older } = await logs(folder);
    expect(log.verify()).toMatchObject({ size: ENTRIES, blocks: 10, unpublished: 0, treeHead: log.read("checkpoint").toString() });
    expect(older.verify()).toMatchObject({ size: 150, blocks: 5 });
  });

  test("every length of a bundle changed names its entry", async () => {
    await using folder = scratch();
    const { log } = await logs(folder);
    const bytes = log.read("tile/entries/000");
    const { spans } = spansOf(bytes, 256);
    for (let number = 0; number < 256; number += 5) {
      for (const back of [1, 2]) {
        const changed = Buffer.from(bytes);
        const at = (spans[2 * number] ?? 0) - back;
        changed[at] = (bytes[at] ?? 0) ^ 1;
        log.write("tile/entries/000", changed);
        expect(entryNamed(log.finding())).toBe(number);
      }
    }
  }, 60_000);

  test("a file of an earlier time in its place: the checkpoint alone, or all but one file", async () => {
    await using folder = scratch();
    const { log, older } = await logs(folder);
    log.write("checkpoint", older.read("checkpoint"));
    expect(entryNamed(log.finding())).toBe(150);
    log.restore();
    // All as of then, but for one file that is newer: what goes beyond the tree head is told.
    for (const name of log.names().filter((each) => !older.names().includes(each))) {
      older.write(name, log.read(name));
      expect(entryNamed(older.finding())).toBe(150);
      older.restore();
    }
    older.write("checkpoint", log.read("checkpoint"));
    expect(older.finding()?.kind).toBe("integrity");
  }, 60_000);

  test("the folder as a whole as of an earlier time verifies: only a tree head kept elsewhere shows it", async () => {
    await using folder = scratch();
    const { older } = await logs(folder);
    expect(older.finding()).toBeUndefined();
  });

  test("an entry rewritten, with all hashes and another key's signatures that fit: the log's own key refuses it", async () => {
    await using folder = scratch();
    const { log, key } = await logs(folder);
    const forger = new SignerKey(key.name, Buffer.alloc(32, 1));
    forge(log, 100, forger);
    expect(log.finding(forger.verifier)).toBeUndefined();
    expect(log.finding()).toMatchObject({ kind: "integrity" });
    // The old checkpoint beside it: the first block that was signed anew is named.
    log.write("checkpoint", log.read("checkpoint"));
    expect(entryNamed(log.finding())).toBe(0);
  }, 60_000);

  test("an entry rewritten, with all tiles that fit, is found by the tree heads: its block is named", async () => {
    await using folder = scratch();
    const { log } = await logs(folder);
    forge(log, 100, undefined);
    expect(log.finding()).toMatchObject({ kind: "integrity" });
    expect(entryNamed(log.finding())).toBe(90);
  }, 60_000);
});

describe("what a log says of a prune", () => {
  test("a bundle that was pruned may come back as it was, and not otherwise", async () => {
    await using folder = scratch();
    let bundle = Buffer.alloc(0);
    const path = await writePrunedLog(folder.file("root"), (timing) => (bundle = readFileSync(join(timing, "tile/entries/000"))));
    const log = new LogCopy(path, folder.file("copy"), keyIn(path));
    log.write("tile/entries/000", bundle);
    expect(log.verify().pruned).toMatchObject({ minimumIndex: 256, bundlesLeft: 1 });
    log.write("tile/entries/000", Buffer.from(bundle).fill(0x20, 20_000, 20_001));
    expect(entryNamed(log.finding())).toBe(vouchedAt("tile/entries/000", log.read("tile/entries/000"), 20_000, 0));
    log.write("tile/entries/000", bundle.subarray(0, -1));
    expect(entryNamed(log.finding())).toBe(255);
    log.remove("tile/entries/000");
    log.write("tile/entries/000.p/30", "");
    expect(entryNamed(log.finding())).toBe(0);
  });

  test("a bundle that is gone, and an entry of a prune that the log's key did not sign, in the tail or published", async () => {
    await using folder = scratch();
    const { log, key } = await logs(folder);
    const entry = await pruneEntryOf(folder.file("other"));
    log.remove("tile/entries/000");
    expect(entryNamed(log.finding())).toBe(0);
    // What else is wrong comes after it.
    log.remove("blocks/3.json");
    expect(entryNamed(log.finding())).toBe(0);
    log.write("blocks/3.json", log.read("blocks/3.json"));
    const tree = new TiledTree();
    tree.restore(ENTRIES, ({ level, width }) => log.read(level === 0 ? "tile/0/001.p/44" : "tile/1/000.p/1").subarray(0, 32 * width));
    tree.append(leafHash(entry));
    for (const signer of [new SignerKey(key.name, Buffer.alloc(32, 1)), new SignerKey("another", Buffer.alloc(32, 1))]) {
      const head = signTreeHead(signer, { size: ENTRIES + 1, root: tree.root() });
      const previous = new Bun.CryptoHasher("sha256").update(log.read("blocks/9.json")).digest("hex");
      log.write("tail", encodeFrame({ block: { number: 10, first: ENTRIES, count: 1, previous, head }, entries: [entry] }));
      expect(log.finding()).toMatchObject({ kind: "integrity" });
    }
  });
});

/** The entry of a prune of another log that is like this one. */
async function pruneEntryOf(root: string): Promise<Buffer> {
  const path = await writePrunedLog(root);
  const bytes = readFileSync(join(path, "tile/entries/001.p/45"));
  const { spans } = spansOf(bytes, 256);
  return bytes.subarray(spans[88], spans[89]);
}

/** Rewrites an entry, and every tile so that it fits; with a key every tree head and block too. */
function forge(log: LogCopy, number: number, signer: SignerKey | undefined): void {
  const bundles = ["tile/entries/000", "tile/entries/001.p/44"].map((name) => ({ name, bytes: log.read(name) }));
  const entries = bundles.flatMap(({ bytes }) => {
    const { spans, count } = spansOf(bytes, 256);
    return Array.from({ length: count }, (_, at) => Buffer.from(bytes.subarray(spans[2 * at], spans[2 * at + 1])));
  });
  entries[number] = Buffer.from(entries[number]?.toString().replace('"user":"root"', '"user":"toor"') ?? "");
  log.write("tile/entries/000", encodeBundle(entries.slice(0, 256)));
  const tree = new TiledTree((_, bytes) => log.write("tile/0/000", bytes));
  let previous = "0".repeat(64);
  for (const [at, entry] of entries.entries()) {
    tree.append(leafHash(entry));
    if ((at + 1) % BLOCK !== 0 || signer === undefined) continue;
    const name = `blocks/${(at + 1) / BLOCK - 1}.json`;
    const block = parseBlock(log.read(name).toString());
    if (block === undefined) throw new Error(`There is no ${name}`);
    const text = blockText({ ...block, previous, head: signTreeHead(signer, { size: at + 1, root: tree.root() }) });
    previous = new Bun.CryptoHasher("sha256").update(text).digest("hex");
    log.write(name, text);
    log.write("checkpoint", signTreeHead(signer, { size: at + 1, root: tree.root() }));
  }
  for (const { bytes, level } of tree.edge()) log.write(level === 0 ? "tile/0/001.p/44" : "tile/1/000.p/1", bytes);
}
