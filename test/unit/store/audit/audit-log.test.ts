import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, hashJson } from "../../../../src/core/json.ts";
import type { AuditEntry, AuditEvent } from "../../../../src/core/ports.ts";
import { scratch } from "../../sys/scratch.ts";
import { actor, host, openAt } from "../samples.ts";

// Some try every byte.
setDefaultTimeout(120_000);

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
const LAST_BATCH = BATCHES.at(-1) ?? [];

function entriesAt(root: string): AuditEntry[] {
  return [...openAt(root).audit.entries()];
}

function tailAt(root: string): string {
  return join(openAt(root).paths.timing, "tail");
}

/** A log of all the batches, published or (in a transaction whose process died) in the tail. */
async function written(root: string, { inTail = false } = {}): Promise<void> {
  const { audit } = openAt(root);
  if (inTail) await audit.reserve();
  for (const batch of BATCHES) await audit.append(batch);
}

/** Every file of the log, by its path in it. */
function filesAt(root: string): Record<string, string> {
  const { timing } = openAt(root).paths;
  const found = readdirSync(timing, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== "reserve");
  return Object.fromEntries(found.map(({ parentPath, name }) => [join(parentPath, name).slice(timing.length + 1), readFileSync(join(parentPath, name), "latin1")]));
}

describe("AuditSink", () => {
  test.each([false, true])("append and entries: in order, numbered, with who, where and when (in the tail: %p)", async (inTail) => {
    await using folder = scratch();
    await written(folder.path, { inTail });
    const expected = EVENTS.map((event, index) => ({ ...event, index, time: "2026-11-20T17:03:12.123Z", monotonicMs: 4711.5, ...host, actor }));
    expect(entriesAt(folder.path)).toEqual(expected);
    const { audit } = openAt(folder.path);
    expect(audit.size()).toBe(EVENTS.length);
    expect([...audit.entries({ from: 2, to: 5, newestFirst: true })].map(({ index }) => index)).toEqual([4, 3, 2]);
    expect([...audit.entries({ from: 5 })].map(({ index }) => index)).toEqual([5, 6]);
    expect([...audit.entries({ from: 7 })]).toEqual([]);
  });

  test("append of several processes in turn is one log, and the same bytes as of one", async () => {
    await using folder = scratch();
    await using other = scratch();
    await written(folder.path);
    // Same key: signatures of the same text are then the same.
    cpSync(openAt(folder.path).paths.keys, openAt(other.path).paths.keys, { recursive: true });
    const stores = [openAt(other.path), openAt(other.path), openAt(other.path)];
    for (const [index, batch] of BATCHES.entries()) await stores[index % 3]?.audit.append(batch);
    expect(filesAt(other.path)).toEqual(filesAt(folder.path));
  });

  test("append of a transaction is in the tail until it is over, then published; the same but for when", async () => {
    await using folder = scratch();
    const { audit } = openAt(folder.path);
    await audit.append(BATCHES[0] ?? []);
    const published = filesAt(folder.path);
    await audit.reserve();
    await audit.append(BATCHES[1] ?? []);
    await audit.append(BATCHES[2] ?? []);
    const { tail: _, ...others } = filesAt(folder.path);
    const { tail: __, ...othersBefore } = published;
    expect(others).toEqual(othersBefore);
    expect(entriesAt(folder.path).length).toBe(4);
    await audit.free();
    expect(Object.keys(filesAt(folder.path)).sort()).toEqual([
      "blocks/0.json", "blocks/1.json", "blocks/2.json", "checkpoint", "tail", "tile/0/000.p/1", "tile/0/000.p/4", "tile/entries/000.p/1", "tile/entries/000.p/4", "verifier-key",
    ]);
    expect(filesAt(folder.path).tail).toBe("");
    expect(entriesAt(folder.path).length).toBe(4);
  });

  test("the next writer publishes what a dead one left", async () => {
    await using folder = scratch();
    await written(folder.path, { inTail: true });
    await openAt(folder.path).audit.append([{ kind: "plan" }]);
    expect(statSync(tailAt(folder.path)).size).toBe(0);
    expect(entriesAt(folder.path).length).toBe(EVENTS.length + 1);
    expect(filesAt(folder.path)["checkpoint"]).toContain(`\n${EVENTS.length + 1}\n`);
  });

  test("partial tiles and bundles stay until the full ones are there", async () => {
    await using folder = scratch();
    const { audit } = openAt(folder.path);
    const append = (count: number) => audit.append(Array.from({ length: count }, () => ({ kind: "plan" }) as const));
    const tiles = () => Object.keys(filesAt(folder.path)).filter((path) => path.startsWith("tile/")).sort();
    await append(100);
    await append(100);
    expect(tiles()).toEqual(["tile/0/000.p/100", "tile/0/000.p/200", "tile/entries/000.p/100", "tile/entries/000.p/200"]);
    await append(56);
    expect(tiles()).toEqual(["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
    await append(600);
    expect(tiles()).toEqual([
      "tile/0/000", "tile/0/001", "tile/0/002", "tile/0/003.p/88", "tile/1/000.p/1", "tile/1/000.p/3", "tile/entries/000", "tile/entries/001", "tile/entries/002", "tile/entries/003.p/88",
    ]);
    expect(entriesAt(folder.path).map(({ index }) => index)).toEqual(Array.from({ length: 856 }, (_, index) => index));
    expect([...audit.entries({ newestFirst: true })].map(({ index }) => index)).toEqual(Array.from({ length: 856 }, (_, index) => 855 - index));
  });

  test("append of nothing, and reading, make no file", async () => {
    await using folder = scratch();
    const { audit, paths } = openAt(folder.file("none"));
    await audit.append([]);
    expect([...audit.entries()]).toEqual([]);
    expect(audit.size()).toBe(0);
    expect(existsSync(paths.root)).toBe(false);
  });

  test("the key: made with the first entry, its owner's alone, and in no folder that is copied", async () => {
    await using folder = scratch();
    const { audit, paths } = openAt(folder.path);
    await audit.append([{ kind: "plan" }]);
    expect((statSync(paths.auditKey).mode & 0o777).toString(8)).toBe("600");
    expect(readFileSync(paths.auditKey, "utf8")).toMatch(/^PRIVATE\+KEY\+op-dbus\/[0-9a-f-]{36}\+/);
    expect(JSON.stringify(filesAt(folder.path))).not.toContain("PRIVATE");
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
    const { audit } = openAt(folder.path);
    const bytesOf = (entry: AuditEntry | undefined) => Buffer.byteLength(canonicalJson(JSON.parse(JSON.stringify(entry))));
    await audit.append([{ kind: "action", detail: "" }]);
    const spare = 65_535 - bytesOf(entriesAt(folder.path)[0]);
    for (const length of [spare, spare + 1]) await audit.append([{ kind: "action", detail: "d".repeat(length) }]);
    const [, largest, larger] = entriesAt(folder.path);
    expect(bytesOf(largest)).toBe(65_535);
    expect(larger?.detail).toEqual({ bytes: spare + 3, sha256: hashJson("d".repeat(spare + 1)) });
  });

  test("an entry that is too long without what can go in by hash is refused, with all that came with it, and the next is not", async () => {
    await using folder = scratch();
    const { audit } = openAt(folder.path);
    const long = audit.append([{ kind: "action" }, { kind: "action", resource: "r".repeat(70_000) }]);
    await expect(long).rejects.toMatchObject({ kind: "internal" });
    expect(audit.size()).toBe(0);
    await audit.append([{ kind: "plan" }]);
    expect(audit.size()).toBe(1);
  });

  test("half a surrogate pair in a peer's words does not keep an entry out", async () => {
    await using folder = scratch();
    const { audit } = openAt(folder.path);
    await audit.append([{ kind: "action", detail: "a\ud800b\ufffd" }]);
    expect(entriesAt(folder.path)[0]?.detail).toBe("a\ufffdb\ufffd");
  });

  test("append reads the end of a large log only", async () => {
    await using folder = scratch();
    const { audit, paths } = openAt(folder.path);
    await audit.append(Array.from({ length: 600 }, () => ({ kind: "action" as const })));
    for (const bundle of ["000", "001"]) rmSync(join(paths.timing, "tile/entries", bundle));
    await openAt(folder.path).audit.append([{ kind: "verify" }]);
    expect([...openAt(folder.path).audit.entries({ from: 512 })].length).toBe(89);
    expect(() => entriesAt(folder.path)).toThrow(expect.objectContaining({ kind: "integrity", message: expect.stringContaining("Entry 0 of") }));
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

describe("a crash", () => {
  /** The log as it was with all but the last batch, and the tail with the last one. */
  async function torn(root: string): Promise<{ tail: Buffer; kept: number }> {
    const { audit } = openAt(root);
    await audit.reserve();
    for (const batch of BATCHES.slice(0, -1)) await audit.append(batch);
    const kept = statSync(tailAt(root)).size;
    await audit.append(LAST_BATCH);
    return { tail: readFileSync(tailAt(root)), kept };
  }

  test("torn at every byte of the last frame: readers do not see it, and the next writer takes it off", async () => {
    await using folder = scratch();
    const { tail, kept } = await torn(folder.path);
    for (let length = kept; length < tail.length; length += 7) {
      writeFileSync(tailAt(folder.path), tail.subarray(0, length));
      expect(openAt(folder.path).audit.size()).toBe(EVENTS.length - LAST_BATCH.length);
    }
    for (const length of [kept, kept + 1, kept + 70, tail.length - 1]) {
      writeFileSync(tailAt(folder.path), tail.subarray(0, length));
      const { audit } = openAt(folder.path);
      await audit.reserve();
      await audit.append(LAST_BATCH);
      expect(readFileSync(tailAt(folder.path)).equals(tail)).toBe(true);
    }
  });

  test("grown before the disk had its bytes: a last frame with a hole was never appended", async () => {
    await using folder = scratch();
    const { tail, kept } = await torn(folder.path);
    for (const [from, to] of [[kept, tail.length], [kept, kept + 20], [kept + 65, kept + 70], [kept + 100, tail.length - 1]] as const) {
      writeFileSync(tailAt(folder.path), Buffer.from(tail).fill(0, from, to));
      expect(openAt(folder.path).audit.size()).toBe(EVENTS.length - LAST_BATCH.length);
    }
  });

  test("at any moment of publishing: readers see all of it, and the next writer ends it, to the same bytes", async () => {
    await using folder = scratch();
    const { tail } = await torn(folder.path);
    await openAt(folder.path).audit.free();
    const done = filesAt(folder.path);
    const { timing } = openAt(folder.path).paths;
    const order = ["tile/entries/000.p/7", "tile/0/000.p/7", "blocks/0.json", "blocks/1.json", "blocks/2.json", "blocks/3.json", "checkpoint"];
    expect(Object.keys(done).sort()).toEqual([...order, "tail", "verifier-key"].sort());
    for (let there = 0; there <= order.length; there += 1) {
      for (const path of order.slice(there)) rmSync(join(timing, path), { force: true });
      writeFileSync(tailAt(folder.path), tail);
      expect(entriesAt(folder.path).length).toBe(EVENTS.length);
      await openAt(folder.path).audit.free();
      expect(filesAt(folder.path)).toEqual(done);
    }
  });
});

describe("a log whose end does not verify", () => {
  const damages: Readonly<Record<string, (timing: string) => void>> = {
    "a byte of the last bundle": (timing) => flip(join(timing, "tile/entries/000.p/7"), -20),
    "a byte of the last tile": (timing) => flip(join(timing, "tile/0/000.p/7"), 5),
    "a byte of the last block": (timing) => flip(join(timing, "blocks/3.json"), 30),
    "a byte of the checkpoint": (timing) => flip(join(timing, "checkpoint"), 50),
    "no checkpoint": (timing) => rmSync(join(timing, "checkpoint")),
    "no last bundle": (timing) => rmSync(join(timing, "tile/entries/000.p/7")),
    "no last block": (timing) => rmSync(join(timing, "blocks/3.json")),
    "no verifier key": (timing) => rmSync(join(timing, "verifier-key")),
    "no private key": (timing) => rmSync(join(timing, "../keys/audit.key")),
    "a bundle cut short": (timing) => truncateSync(join(timing, "tile/entries/000.p/7"), 100),
  };

  test.each(Object.entries(damages))("takes no more entries: %s", async (_, damage) => {
    await using folder = scratch();
    await written(folder.path);
    damage(openAt(folder.path).paths.timing);
    const was = filesAt(folder.path);
    await expect(openAt(folder.path).audit.append([{ kind: "plan" }])).rejects.toMatchObject({ kind: "integrity" });
    expect(filesAt(folder.path)).toEqual(was);
  });

  test("another key beside a log that fits it: whoever may read the private key sees it", async () => {
    await using folder = scratch();
    await using other = scratch();
    for (const root of [folder.path, other.path]) await written(root);
    cpSync(openAt(other.path).paths.timing, openAt(folder.path).paths.timing, { recursive: true });
    const found = expect.objectContaining({ kind: "integrity", message: expect.stringContaining("does not belong to") });
    expect(() => openAt(folder.path).audit.size()).toThrow(found);
    rmSync(openAt(folder.path).paths.auditKey);
    expect(openAt(folder.path).audit.size()).toBe(EVENTS.length);
  });

  test("a frame damaged before a whole one, in the tail", async () => {
    await using folder = scratch();
    await written(folder.path, { inTail: true });
    const size = statSync(tailAt(folder.path)).size;
    for (let at = 0; at < size; at += 1) {
      const bytes = readFileSync(tailAt(folder.path));
      flip(tailAt(folder.path), at);
      const lastFrame = bytes.toString("latin1").lastIndexOf("\n", bytes.lastIndexOf('{"count"') - 2) + 1;
      if (at < lastFrame) await expect(openAt(folder.path).audit.append([{ kind: "plan" }])).rejects.toMatchObject({ kind: "integrity", message: expect.stringContaining("Entry ") });
      else expect(openAt(folder.path).audit.size()).toBe(EVENTS.length - LAST_BATCH.length);
      writeFileSync(tailAt(folder.path), bytes);
    }
  });

  function flip(path: string, at: number): void {
    const bytes = readFileSync(path);
    const offset = at < 0 ? bytes.length + at : at;
    bytes[offset] = (bytes[offset] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }
});

describe("a reader without the lock", () => {
  test("sees a whole log at every moment of a writer in another process", async () => {
    await using folder = scratch();
    await openAt(folder.path).audit.append([{ kind: "plan" }]);
    const writer = Bun.spawn([process.execPath, join(import.meta.dir, "busy-writer.ts"), folder.path], { stderr: "inherit" });
    let [last, looks] = [1, 0];
    while (writer.exitCode === null) {
      const entries = entriesAt(folder.path);
      expect(entries.every(({ index }, number) => index === number)).toBe(true);
      expect(entries.length).toBeGreaterThanOrEqual(last);
      last = entries.length;
      looks += 1;
      await Bun.sleep(0);
    }
    expect(await writer.exited).toBe(0);
    expect(looks).toBeGreaterThan(20);
    expect(openAt(folder.path).audit.size()).toBe(1 + 200 * 3);
  }, 60_000);
});
