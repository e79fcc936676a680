import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, toJson } from "../../../src/core/json.ts";
import type { AuditEvent, Checkpoint } from "../../../src/core/ports.ts";
import { openArchive } from "../../../src/store/audit/archive.ts";
import { VerifierKey } from "../../../src/store/audit/note.ts";
import { parseTlogProof, verifyTlogProof } from "../../../src/store/audit/tlog-proof.ts";
import { openStore, type Store } from "../../../src/store/open.ts";
import type { Retention } from "../../../src/store/retention.ts";
import { scratch } from "../sys/scratch.ts";
import { naiveRoot } from "./audit/naive-merkle.ts";
import { actor, checkpointNamed, clock, host } from "./samples.ts";

const HOUR_MS = 3_600_000;
const START = Date.parse("2026-01-01T00:00:00Z");
const RULES: Retention = { hourly: 3, daily: 2, weekly: 0, quarterly: 0 };

/** A store whose clock stands at so many hours. */
function storeAt(root: string, hours: number, retention = RULES): Store {
  const now = new Date(START + hours * HOUR_MS);
  return openStore({ root, clock: { ...clock, now: () => now }, actor, host, snapshots: { intervalMs: 0, retention } });
}

const atHour = (hours: number) => new Date(START + hours * HOUR_MS);

/** 1,000 entries in ten blocks, a block an hour. */
async function written(root: string, eventAt: (number: number) => AuditEvent = () => ({ kind: "plan" })): Promise<void> {
  for (let hour = 0; hour < 10; hour += 1) await storeAt(root, hour).audit.append(Array.from({ length: 100 }, (_, offset) => eventAt(100 * hour + offset)));
}

const bundlesIn = (root: string) => readdirSync(join(root, "@timing/tile/entries")).sort();
const verified = (root: string) => openArchive({ root }).verify(() => () => undefined);
const numbers = ({ audit }: Store, newestFirst = false) => [...audit.entries({ newestFirst })].map(({ index }) => index);
const count = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

function marked(hour: number): Checkpoint {
  const { applied: _, ...mark } = checkpointNamed("mark", 1);
  return { ...mark, created: atHour(hour).toISOString() };
}

describe("Pruning.plan", () => {
  test("--before: whole bundles in which all is older", async () => {
    await using folder = scratch();
    await written(folder.path);
    const { pruning } = storeAt(folder.path, 10);
    const planned = (hours: number) => pruning.plan(atHour(hours)).minimumIndex;
    // Block n has the entries from 100 n on: entry 255 is of hour 2, 511 of hour 5, 767 of hour 7.
    expect([0, 2, 2.5, 3, 5, 5.5, 8, 100].map(planned)).toEqual([0, 0, 256, 256, 256, 512, 768, 768]);
    expect(pruning.plan(atHour(5.5))).toMatchObject({ first: 0, bundles: [0, 1], heldBy: undefined, detail: { minimum_index: 512, latest: atHour(5).toISOString(), tree_head: { size: 1000 } } });
    expect(pruning.plan(atHour(2))).toMatchObject({ bundles: [], bytes: 0, detail: undefined });
  });

  test("the rules: whole bundles that no hour, day, week or quarter of theirs reaches back to", async () => {
    await using folder = scratch();
    await written(folder.path);
    const by = (rules: Partial<Retention>) => storeAt(folder.path, 10, { hourly: 0, daily: 0, weekly: 0, quarterly: 0, ...rules }).pruning.plan(undefined).minimumIndex;
    expect([1, 2, 3, 5, 8].map((hourly) => by({ hourly }))).toEqual([768, 768, 512, 256, 0]);
    expect([by({ daily: 1 }), by({ weekly: 1 }), by({ quarterly: 1 }), by({})]).toEqual([0, 0, 0, 768]);
  });

  test("all stays from a marked checkpoint on, and it is named where it makes a difference; one of an apply holds nothing", async () => {
    await using folder = scratch();
    await written(folder.path);
    const store = storeAt(folder.path, 10);
    await store.ledger.commit({ checkpoints: [checkpointNamed("applied", 0)] });
    expect(store.pruning.plan(atHour(8))).toMatchObject({ minimumIndex: 768, heldBy: undefined });
    await store.ledger.commit({ checkpoints: [marked(3)] });
    expect(store.pruning.plan(atHour(8))).toMatchObject({ minimumIndex: 256, heldBy: "mark" });
    expect(store.pruning.plan(atHour(3.5))).toMatchObject({ minimumIndex: 256, heldBy: undefined });
  });

  test("a recovery that stays keeps the transaction that it ended", async () => {
    await using folder = scratch();
    await written(folder.path, (number) => ({ kind: number === 800 ? "recovery" : "commit", transaction: number === 300 || number === 800 ? "cut short" : `t${number}`, outcome: "done" }));
    expect(storeAt(folder.path, 10).pruning.plan(atHour(9)).minimumIndex).toBe(256);
  });

  test("a clock that was set back: nothing that is wanted goes with what is not", async () => {
    await using folder = scratch();
    for (const hour of [9, 9, 9, 0, 1, 2]) await storeAt(folder.path, hour).audit.append(Array.from({ length: 256 }, () => ({ kind: "plan" }) as const));
    const { pruning } = storeAt(folder.path, 3);
    expect(pruning.plan(atHour(5)).minimumIndex).toBe(0);
    expect(pruning.plan(atHour(10)).detail).toMatchObject({ minimum_index: 1536, latest: atHour(9).toISOString() });
  });

  test("there is nothing to prune where there is nothing, and nothing is written", async () => {
    await using folder = scratch();
    expect(storeAt(folder.file("none"), 0).pruning.plan(atHour(10))).toMatchObject({ bundles: [], detail: undefined });
    expect(existsSync(folder.file("none"))).toBe(false);
  });
});

describe("a pruned log", () => {
  async function pruned(root: string): Promise<Store> {
    await written(root);
    const store = storeAt(root, 10);
    await store.pruning.prune(store.pruning.plan(atHour(5.5)));
    return store;
  }

  test("has an entry that says so, with the root of what is gone", async () => {
    await using folder = scratch();
    await written(folder.path);
    const leaves = [...storeAt(folder.path, 10).audit.entries({ to: 512 })];
    const before = verified(folder.path).treeHead?.split("\n");
    const store = storeAt(folder.path, 10);
    await store.pruning.prune(store.pruning.plan(atHour(5.5)));
    expect(bundlesIn(folder.path)).toEqual(["002", "003.p"]);
    const [entry] = store.audit.entries({ newestFirst: true });
    expect(entry).toMatchObject({ index: 1000, kind: "prune", operation: "entries", resource: "0-511" });
    expect(entry?.detail).toEqual({
      minimum_index: 512, latest: atHour(5).toISOString(),
      root: Buffer.from(naiveRoot(leaves.map((leaf) => Buffer.from(canonicalJson(toJson(leaf)))))).toString("base64"),
      tree_head: { size: 1000, root: before?.[2] ?? "" },
    });
    expect(store.audit.pruned()).toEqual({ minimumIndex: 512, latest: atHour(5).toISOString(), when: atHour(10).toISOString(), entry: 1000 });
  });

  test("verifies, and tells what was pruned; what stays is read, appended to and proved", async () => {
    await using folder = scratch();
    const store = await pruned(folder.path);
    expect(verified(folder.path)).toMatchObject({ size: 1001, blocks: 11, pruned: { minimumIndex: 512, entry: 1000, bundlesLeft: 0 } });
    expect(numbers(store)).toEqual(count(512, 1001));
    expect(numbers(store, true)).toEqual(count(512, 1001).reverse());
    expect([...store.audit.entries({ from: 100, to: 514 })].map(({ index }) => index)).toEqual([512, 513]);
    for (let each = 0; each < 30; each += 1) await storeAt(folder.path, 11).audit.append([{ kind: "plan" }]);
    expect(verified(folder.path)).toMatchObject({ size: 1031, blocks: 41, pruned: { minimumIndex: 512 } });
    expect(openArchive({ root: folder.path }).prove(512)).toContain("index 512\n");
    const gone = expect.objectContaining({ kind: "refused", message: expect.stringContaining("Entry 511 is not there any more: entries 0 to 511 were pruned on 2026-01-01T10") });
    expect(() => openArchive({ root: folder.path }).prove(511)).toThrow(gone);
  });

  test("proofs that were made before are still good", async () => {
    await using folder = scratch();
    await written(folder.path);
    const archive = openArchive({ root: folder.path });
    const proofs = [0, 300, 511, 512, 999].map((number) => archive.prove(number));
    const store = storeAt(folder.path, 10);
    await store.pruning.prune(store.pruning.plan(atHour(9)));
    const key = VerifierKey.parse(archive.key) as VerifierKey;
    for (const text of proofs) {
      const proof = parseTlogProof(text);
      expect(proof?.extra !== undefined && verifyTlogProof(proof, proof.extra, key)).toBe(true);
    }
  });

  test("again: only what has become old, and the latest time of all that is gone", async () => {
    await using folder = scratch();
    const store = await pruned(folder.path);
    expect(store.pruning.plan(atHour(5.5))).toMatchObject({ first: 512, minimumIndex: 512, bundles: [], detail: undefined });
    const size = store.audit.size();
    await store.pruning.prune(store.pruning.plan(atHour(5.5)));
    expect(store.audit.size()).toBe(size);
    expect(store.pruning.plan(atHour(8))).toMatchObject({ first: 512, minimumIndex: 768, bundles: [2], detail: { latest: atHour(7).toISOString() } });
    await store.pruning.prune(store.pruning.plan(atHour(8)));
    expect(verified(folder.path).pruned).toMatchObject({ minimumIndex: 768, entry: 1001, bundlesLeft: 0 });
    expect(store.audit.pruned()).toMatchObject({ minimumIndex: 768, entry: 1001 });
  });

  test("the old and late forms of a bundle go with it, and nothing that others put there", async () => {
    await using folder = scratch();
    await written(folder.path);
    const entries = folder.file("@timing/tile/entries");
    mkdirSync(join(entries, "000.p"));
    writeFileSync(join(entries, "000.p/100"), "");
    mkdirSync(join(entries, "001.p"));
    writeFileSync(join(entries, "001.p/notes.txt"), "theirs");
    writeFileSync(join(entries, "theirs"), "theirs");
    const { pruning } = storeAt(folder.path, 10);
    await pruning.prune(pruning.plan(atHour(5.5)));
    expect(bundlesIn(folder.path)).toEqual(["001.p", "002", "003.p", "theirs"]);
    expect(readdirSync(join(entries, "001.p"))).toEqual(["notes.txt"]);
    expect(verified(folder.path).pruned?.bundlesLeft).toBe(0);
  });

  test("a prune that was cut short after any removal verifies, is read, and the next one ends it without an entry of its own", async () => {
    await using folder = scratch();
    await written(folder.path);
    const keep = ["000", "001"].map((name) => ({ path: folder.file("@timing/tile/entries", name), bytes: "" }));
    for (const each of keep) each.bytes = readFileSync(each.path, "latin1");
    const store = storeAt(folder.path, 10);
    await store.pruning.prune(store.pruning.plan(atHour(5.5)));
    writeFileSync(keep[1]?.path ?? "", keep[1]?.bytes ?? "", "latin1");
    expect(verified(folder.path).pruned).toMatchObject({ minimumIndex: 512, bundlesLeft: 1 });
    expect(numbers(store)).toEqual(count(512, 1001));
    expect(store.pruning.plan(atHour(0))).toMatchObject({ first: 512, minimumIndex: 512, bundles: [1], detail: undefined });
    await store.pruning.prune(store.pruning.plan(atHour(0)));
    expect(verified(folder.path)).toMatchObject({ size: 1001, pruned: { bundlesLeft: 0 } });
    // Logged, and nothing removed yet.
    for (const { path, bytes } of keep) writeFileSync(path, bytes, "latin1");
    expect(verified(folder.path).pruned).toMatchObject({ minimumIndex: 512, bundlesLeft: 2 });
    expect(numbers(store)).toEqual(count(0, 1001));
    expect(store.audit.pruned()).toBeUndefined();
    // Whatever this one lets go itself.
    expect(store.pruning.plan(atHour(0))).toMatchObject({ first: 512, minimumIndex: 512, bundles: [0, 1], detail: undefined });
    await store.pruning.prune(store.pruning.plan(atHour(0)));
    expect(bundlesIn(folder.path)).toEqual(["002", "003.p"]);
    expect(verified(folder.path)).toMatchObject({ size: 1001, pruned: { bundlesLeft: 0 } });
  });

  test("while it is read: the reader goes on with what is left, or ends", async () => {
    await using folder = scratch();
    await written(folder.path);
    const store = storeAt(folder.path, 10);
    const [forwards, backwards] = [store.audit.entries()[Symbol.iterator](), store.audit.entries({ newestFirst: true })[Symbol.iterator]()];
    const seen = [forwards.next().value.index, backwards.next().value.index];
    await store.pruning.prune(store.pruning.plan(atHour(5.5)));
    const rest = (entries: Iterator<{ index: number }>) => [...Iterator.from(entries)].map(({ index }) => index);
    expect([seen, rest(forwards)]).toEqual([[0, 999], [...count(1, 256), ...count(512, 1000)]]);
    expect(rest(backwards)).toEqual(count(512, 999).reverse());
  });

  test("of which nothing is left but the entry that says so, or that is not published, takes entries", async () => {
    await using folder = scratch();
    const store = storeAt(folder.path, 0);
    await store.audit.append(Array.from({ length: 512 }, () => ({ kind: "plan" }) as const));
    // As in a transaction: the prune's own entry stays in the tail.
    await store.audit.reserve();
    await store.pruning.prune(store.pruning.plan(atHour(1)));
    expect(bundlesIn(folder.path)).toEqual([]);
    expect(verified(folder.path)).toMatchObject({ size: 513, unpublished: 1, pruned: { minimumIndex: 512, bundlesLeft: 0 } });
    expect(numbers(storeAt(folder.path, 1))).toEqual([512]);
    await storeAt(folder.path, 1).audit.append([{ kind: "plan" }]);
    expect(verified(folder.path)).toMatchObject({ size: 514, unpublished: 0, pruned: { minimumIndex: 512 } });
    expect(numbers(storeAt(folder.path, 1))).toEqual([512, 513]);
  });

  test("a bundle that no prune let go is missed: before, without and beyond one", async () => {
    await using folder = scratch();
    const store = await pruned(folder.path);
    rmSync(folder.file("@timing/tile/entries/002"));
    const lost = expect.objectContaining({ kind: "integrity", message: expect.stringContaining("Entry 512 of") });
    expect(() => verified(folder.path)).toThrow(lost);
    expect(() => numbers(store)).toThrow(lost);
    expect(() => openArchive({ root: folder.path }).prove(600)).toThrow(lost);
    expect(() => openArchive({ root: folder.path }).prove(100)).toThrow(expect.objectContaining({ kind: "refused" }));
  });
});
