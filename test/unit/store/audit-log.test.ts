import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { canonicalJson, hashJson, type JsonObject } from "../../../src/core/json.ts";
import type { AuditEvent } from "../../../src/core/ports.ts";
import { scratch } from "../sys/scratch.ts";
import { actor, host, openAt } from "./samples.ts";

const BATCHES: readonly (readonly AuditEvent[])[] = [
  [{ kind: "plan", transaction: "t1", operation: "apply", outcome: "begun" }],
  [
    { kind: "action", transaction: "t1", plugin: "systemd", operation: "start", resource: "ä.service", before: "inactive", after: "active", outcome: "begun" },
    { kind: "action", transaction: "t1", plugin: "systemd", operation: "enable", resource: "b.service", before: null, after: [true, 1.5, {}], outcome: "begun" },
  ],
  [{ kind: "revert", outcome: "failed", detail: ["left"], late: true }],
  [
    { kind: "recovery", outcome: "begun" },
    { kind: "recovery", outcome: "done", detail: "before-state" },
    { kind: "ownership", resource: "b.service" },
  ],
];
const EVENTS = BATCHES.flat();
const LAST_BATCH = BATCHES.at(-1)?.length ?? 0;

/** A state directory whose log has all the batches. */
async function written(root: string): Promise<{ path: string; bytes: Buffer }> {
  const { audit, paths } = openAt(root);
  for (const batch of BATCHES) await audit.append(batch);
  return { path: paths.auditLog, bytes: readFileSync(paths.auditLog) };
}

/** Where the line with this number begins. */
function startOf(bytes: Buffer, number: number): number {
  let start = 0;
  for (let line = 0; line < number; line += 1) start = bytes.indexOf("\n", start) + 1;
  return start;
}

function entriesAt(root: string) {
  return openAt(root).audit.entries();
}

function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

describe("AuditSink", () => {
  test("append and entries: in order, numbered, with who, where and when", async () => {
    await using folder = scratch();
    await written(folder.path);
    const expected = EVENTS.map((event, index) => ({
      ...event,
      index,
      time: "2026-11-20T17:03:12.123Z",
      monotonicMs: 4711.5,
      ...host,
      actor,
    }));
    expect(entriesAt(folder.path)).toEqual(expected);
  });

  test("append of several processes in turn is one chain, and the same bytes as of one", async () => {
    await using folder = scratch();
    await using other = scratch();
    const { bytes } = await written(folder.path);
    const stores = [openAt(other.path), openAt(other.path)];
    for (const [index, batch] of BATCHES.entries()) await stores[index % 2]?.audit.append(batch);
    expect(readFileSync(openAt(other.path).paths.auditLog).equals(bytes)).toBe(true);
  });

  test("the form: canonical lines, each with its own hash and that of the line before", async () => {
    await using folder = scratch();
    const { bytes } = await written(folder.path);
    let previous = "0".repeat(64);
    for (const [index, line] of bytes.toString().trimEnd().split("\n").entries()) {
      const { hash, ...hashed } = JSON.parse(line) as JsonObject;
      expect(canonicalJson({ ...hashed, hash: hash ?? null })).toBe(line);
      expect({ index: hashed.index, previous: hashed.previous, hash }).toEqual({ index, previous, hash: hashJson(hashed) });
      previous = sha256(line);
    }
  });

  test("append of nothing, and reading, make no file", async () => {
    await using folder = scratch();
    const { audit, paths } = openAt(folder.file("none"));
    await audit.append([]);
    expect(audit.entries()).toEqual([]);
    expect(existsSync(paths.root)).toBe(false);
  });

  test("what is too long for an entry goes in by hash, the largest first", async () => {
    await using folder = scratch();
    const { audit } = openAt(folder.path);
    const [before, after] = ["b".repeat(40_000), { text: "a".repeat(60_000) }];
    await audit.append([{ kind: "action", before, after, detail: "kept" }, { kind: "action", before, after: before, detail: "d".repeat(70_000) }]);
    const [first, second] = audit.entries();
    expect(first).toMatchObject({ before, after: { bytes: canonicalJson(after).length, sha256: hashJson(after) }, detail: "kept" });
    expect(second).toMatchObject({ detail: { bytes: 70_002 }, before: { bytes: 40_002, sha256: hashJson(before) }, after: before });
  });

  test("an entry of 65,535 bytes stays as it is, one byte more goes in by hash", async () => {
    await using folder = scratch();
    const { audit, paths } = openAt(folder.path);
    const lineLengths = () => readFileSync(paths.auditLog).toString().trimEnd().split("\n").map((line) => Buffer.byteLength(line));
    await audit.append([{ kind: "action", detail: "" }]);
    const spare = 65_535 - (lineLengths()[0] ?? 0);
    for (const length of [spare, spare + 1]) await audit.append([{ kind: "action", detail: "d".repeat(length) }]);
    expect(lineLengths()[1]).toBe(65_535);
    expect(lineLengths()[2]).toBeLessThan(1000);
    expect(audit.entries()[2]?.detail).toEqual({ bytes: spare + 3, sha256: hashJson("d".repeat(spare + 1)) });
  });

  test("an entry that is too long without what can go in by hash is refused, with all that came with it", async () => {
    await using folder = scratch();
    const { audit } = openAt(folder.path);
    const long = audit.append([{ kind: "action" }, { kind: "action", resource: "r".repeat(70_000) }]);
    await expect(long).rejects.toMatchObject({ kind: "internal" });
    expect(audit.entries()).toEqual([]);
  });

  test("half a surrogate pair in a peer's words does not keep an entry out", async () => {
    await using folder = scratch();
    const { audit } = openAt(folder.path);
    await audit.append([{ kind: "action", detail: "a\ud800b" }]);
    expect(audit.entries()[0]?.detail).toBe("a\ufffdb");
  });

  test("append reads the end of a large log only, and finds a batch that began before that end", async () => {
    await using folder = scratch();
    const { audit, paths } = openAt(folder.path);
    const large: AuditEvent[] = Array.from({ length: 40 }, (_, index) => ({ kind: "action", detail: `${index}`.repeat(10_000) }));
    await audit.append(large);
    const size = statSync(paths.auditLog).size;
    await openAt(folder.path).audit.append([{ kind: "plan" }]);
    expect(entriesAt(folder.path).length).toBe(41);
    // All but the end may be anything: it is not looked at.
    const bytes = readFileSync(paths.auditLog);
    writeFileSync(paths.auditLog, bytes.fill("x", 0, size - 140_000));
    await openAt(folder.path).audit.append([{ kind: "verify" }]);
    expect(readFileSync(paths.auditLog).subarray(bytes.length).toString()).toContain('"index":41');
    expect(() => entriesAt(folder.path)).toThrow(expect.objectContaining({ kind: "integrity" }));
  });

  test("reserve sets 256 KiB aside, again changes nothing; free gives it back, again is done already", async () => {
    await using folder = scratch();
    const { audit, paths } = openAt(folder.path);
    await audit.reserve();
    const { size, ino } = statSync(paths.reserve);
    await openAt(folder.path).audit.reserve();
    expect([size, statSync(paths.reserve).ino]).toEqual([256 * 1024, ino]);
    await audit.free();
    await audit.free();
    expect(readdirSync(paths.timing)).toEqual([]);
  });
});

describe("AuditReader", () => {
  test("torn at every byte of the last batch: readers do not see it, and the next writer takes it off", async () => {
    await using folder = scratch();
    const { path, bytes } = await written(folder.path);
    const kept = startOf(bytes, EVENTS.length - LAST_BATCH);
    for (let length = kept; length < bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(entriesAt(folder.path).length).toBe(EVENTS.length - LAST_BATCH);
    }
    const middle = startOf(bytes, EVENTS.length - 1);
    for (const length of [kept, kept + 1, middle - 1, middle, middle + 1, bytes.length - 1]) {
      writeFileSync(path, bytes.subarray(0, length));
      await openAt(folder.path).audit.append(BATCHES.at(-1) ?? []);
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }
  });

  test("torn at every byte of the first batch there ever was: the log is empty", async () => {
    await using folder = scratch();
    const { audit, paths } = openAt(folder.path);
    await audit.append(BATCHES[1] ?? []);
    const bytes = readFileSync(paths.auditLog);
    for (let length = 0; length < bytes.length; length += 1) {
      writeFileSync(paths.auditLog, bytes.subarray(0, length));
      expect(entriesAt(folder.path)).toEqual([]);
    }
    await openAt(folder.path).audit.append(BATCHES[1] ?? []);
    expect(readFileSync(paths.auditLog).equals(bytes)).toBe(true);
  });

  test("grown before the disk had its bytes: a last batch with a hole was never appended", async () => {
    await using folder = scratch();
    const { path, bytes } = await written(folder.path);
    const kept = startOf(bytes, EVENTS.length - LAST_BATCH);
    const last = startOf(bytes, EVENTS.length - 1);
    for (const [from, to] of [[kept, bytes.length], [kept, kept + 20], [kept + 5, last + 5], [last, last + 1], [last + 9, bytes.length - 1]] as const) {
      writeFileSync(path, Buffer.from(bytes).fill(0, from, to));
      expect(entriesAt(folder.path).length).toBe(EVENTS.length - LAST_BATCH);
      await openAt(folder.path).audit.append(BATCHES.at(-1) ?? []);
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }
  });

  test("a flipped byte anywhere before the last end of line: kind integrity, naming the entry by its number", async () => {
    await using folder = scratch();
    const { path, bytes } = await written(folder.path);
    let number = 0;
    for (let offset = 0; offset < bytes.length - 1; offset += 1) {
      const flipped = Buffer.from(bytes);
      flipped[offset] = (bytes[offset] ?? 0) ^ 1;
      writeFileSync(path, flipped);
      expect(() => entriesAt(folder.path)).toThrow(
        expect.objectContaining({ kind: "integrity", message: expect.stringContaining(`Entry ${number} of the audit log ${path}`) }),
      );
      if (bytes[offset] === 10) number += 1;
    }
  });

  test("an entry rewritten with a hash that fits: the one after it does not follow", async () => {
    await using folder = scratch();
    const { path, bytes } = await written(folder.path);
    const lines = bytes.toString().trimEnd().split("\n");
    const { hash: _, ...hashed } = JSON.parse(lines[2] ?? "") as JsonObject;
    const forged = { ...hashed, resource: "c.service" };
    writeFileSync(path, `${lines.with(2, canonicalJson({ ...forged, hash: hashJson(forged) })).join("\n")}\n`);
    expect(() => entriesAt(folder.path)).toThrow("Entry 3 of");
  });

  test("an entry removed, repeated or moved: kind integrity, naming the first that is wrong", async () => {
    await using folder = scratch();
    const { path, bytes } = await written(folder.path);
    const lines = bytes.toString().trimEnd().split("\n");
    const variants = [lines.toSpliced(1, 1), lines.toSpliced(1, 0, lines[0] ?? ""), lines.with(1, lines[4] ?? "")];
    for (const variant of variants) {
      writeFileSync(path, `${variant.join("\n")}\n`);
      expect(() => entriesAt(folder.path)).toThrow("Entry 1 of");
    }
    writeFileSync(path, `${lines.toSpliced(0, 1).join("\n")}\n`);
    expect(() => entriesAt(folder.path)).toThrow("Entry 0 of");
  });

  test("nothing is appended to a log whose end does not verify", async () => {
    await using folder = scratch();
    const { path, bytes } = await written(folder.path);
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const appended = openAt(folder.path).audit.append([{ kind: "plan" }]);
    await expect(appended).rejects.toMatchObject({ kind: "integrity", message: expect.stringContaining(`Entry ${EVENTS.length - 1} of`) });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});
