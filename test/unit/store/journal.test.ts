import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { scratch } from "../sys/scratch.ts";
import { header, openAt, records } from "./samples.ts";

/** A state directory with one open transaction in it that has all kinds of record. */
async function openTransaction(root: string): Promise<{ path: string; bytes: Buffer }> {
  const { journal, paths } = openAt(root);
  await journal.begin(header);
  for (const record of records) await journal.append(record);
  return { path: paths.journal, bytes: readFileSync(paths.journal) };
}

function kindOf(act: () => unknown): string {
  try {
    act();
    return "fine";
  } catch (error) {
    return (error as { kind: string }).kind;
  }
}

describe("Journal", () => {
  test("begin, append and pending: another process reads the header and the records as they were given", async () => {
    await using folder = scratch();
    await openTransaction(folder.path);
    expect(openAt(folder.path).journal.pending()).toEqual({ header, records });
  });

  test("begin makes the folders, with nothing beside the journal", async () => {
    await using folder = scratch();
    const { journal, paths } = openAt(folder.file("a", "b"));
    expect(journal.pending()).toBeUndefined();
    expect(existsSync(folder.file("a"))).toBe(false);
    await journal.begin(header);
    expect(readdirSync(paths.state)).toEqual(["journal.jsonl"]);
    expect(statSync(paths.root).mode & 0o777).toBe(0o755);
  });

  test("begin refuses a second transaction, in this process and in another", async () => {
    await using folder = scratch();
    const { journal } = openAt(folder.path);
    await journal.begin(header);
    await expect(journal.begin(header)).rejects.toMatchObject({ kind: "internal" });
    await expect(openAt(folder.path).journal.begin(header)).rejects.toMatchObject({ kind: "internal" });
  });

  test("close removes the file, again is done already, and then another can begin", async () => {
    await using folder = scratch();
    const { journal, paths } = openAt(folder.path);
    await journal.begin(header);
    await journal.append({ record: "reverting", why: "first" });
    await journal.close();
    await journal.close();
    expect(existsSync(paths.journal)).toBe(false);
    await journal.begin({ ...header, id: "t2" });
    await journal.append({ record: "reverting", why: "second" });
    expect(journal.pending()).toEqual({ header: { ...header, id: "t2" }, records: [{ record: "reverting", why: "second" }] });
  });

  test("append without a transaction is refused and leaves no file", async () => {
    await using folder = scratch();
    const { journal, paths } = openAt(folder.path);
    await expect(journal.append({ record: "reverting", why: "x" })).rejects.toMatchObject({ kind: "internal" });
    expect(existsSync(paths.journal)).toBe(false);
  });

  test("append and begin refuse what could not be read back, before it is written", async () => {
    await using folder = scratch();
    const { journal, paths } = openAt(folder.path);
    const wrong = { ...header, surplus: 1 };
    await expect(journal.begin(wrong)).rejects.toMatchObject({ kind: "internal", message: expect.stringContaining("surplus") });
    expect(existsSync(paths.journal)).toBe(false);
  });

  test("torn at every byte of its last line: the record was never begun, and the next takes its place", async () => {
    await using folder = scratch();
    const { path, bytes } = await openTransaction(folder.path);
    const last = bytes.lastIndexOf("\n", bytes.length - 2) + 1;
    for (let length = last; length < bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(openAt(folder.path).journal.pending()?.records).toEqual(records.slice(0, -1));
    }
    for (const length of [last, last + 1, bytes.length - 1]) {
      writeFileSync(path, bytes.subarray(0, length));
      await openAt(folder.path).journal.append(records.at(-1)!);
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }
  });

  test("grown before the disk had its bytes: a last line with a hole was never written", async () => {
    await using folder = scratch();
    const { path, bytes } = await openTransaction(folder.path);
    const last = bytes.lastIndexOf("\n", bytes.length - 2) + 1;
    for (const [from, to] of [[last, bytes.length], [last, last + 10], [bytes.length - 10, bytes.length - 1]] as const) {
      writeFileSync(path, Buffer.from(bytes).fill(0, from, to));
      expect(openAt(folder.path).journal.pending()?.records).toEqual(records.slice(0, -1));
    }
  });

  test("torn at every byte of its header: nothing was begun, and another can begin", async () => {
    await using folder = scratch();
    const { path, bytes } = await openTransaction(folder.path);
    for (let length = 0; length <= bytes.indexOf("\n"); length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(openAt(folder.path).journal.pending()).toBeUndefined();
    }
    const { journal } = openAt(folder.path);
    await journal.begin(header);
    expect(journal.pending()).toEqual({ header, records: [] });
  });

  test("a flipped byte anywhere before the last end of line: kind integrity, naming the file and the record", async () => {
    await using folder = scratch();
    const { path, bytes } = await openTransaction(folder.path);
    let number = 0;
    for (let offset = 0; offset < bytes.length - 1; offset += 1) {
      const flipped = Buffer.from(bytes);
      flipped[offset] = (bytes[offset] ?? 0) ^ 1;
      writeFileSync(path, flipped);
      const where = number === 0 ? "its header" : `its record ${number} `;
      expect(() => openAt(folder.path).journal.pending()).toThrow(
        expect.objectContaining({ kind: "integrity", message: expect.stringContaining(where) }),
      );
      if (offset === 0) expect(() => openAt(folder.path).journal.pending()).toThrow(path);
      if (bytes[offset] === 10) number += 1;
    }
  });

  test("a line removed, repeated or moved: kind integrity", async () => {
    await using folder = scratch();
    const { path, bytes } = await openTransaction(folder.path);
    const lines = bytes.toString().trimEnd().split("\n");
    const variants = [lines.toSpliced(2, 1), lines.toSpliced(0, 1), lines.toSpliced(3, 0, lines[2]!), lines.with(1, lines[2]!)];
    for (const variant of variants) {
      writeFileSync(path, `${variant.join("\n")}\n`);
      expect(kindOf(() => openAt(folder.path).journal.pending())).toBe("integrity");
    }
  });

  test("a record of another version, well summed: kind integrity, not half understood", async () => {
    await using folder = scratch();
    const { path, bytes } = await openTransaction(folder.path);
    const rest = '"entry":{"record":"paused"},"line":1}';
    const checksum = new Bun.CryptoHasher("sha256").update(rest).digest("hex");
    writeFileSync(path, `${bytes.toString().split("\n")[0]}\n{"checksum":"${checksum}",${rest}\n`);
    expect(kindOf(() => openAt(folder.path).journal.pending())).toBe("integrity");
    await expect(openAt(folder.path).journal.begin(header)).rejects.toMatchObject({ kind: "integrity" });
  });

  test("begin clears away what dead writers left, and nothing else", async () => {
    await using folder = scratch();
    const { journal, paths } = openAt(folder.path);
    for (const folderOf of [paths.checkpoints, paths.keys]) mkdirSync(folderOf, { recursive: true });
    const kept = [".hidden", "note.tmp", ".op-dbus-x.json.tmp", "lock"];
    for (const name of kept) writeFileSync(`${paths.state}/${name}`, "");
    for (const dying of [paths.state, paths.checkpoints, paths.keys]) await dieWriting(dying);
    await journal.begin(header);
    const left = [paths.state, paths.checkpoints, paths.keys].map((path) => readdirSync(path).filter((name) => name !== "half").sort());
    expect(left).toEqual([[...kept, "checkpoints", "journal.jsonl"].sort(), [], []]);
  });

  test("an empty file is nothing begun; a folder in its place is refused by its name", async () => {
    await using folder = scratch();
    const { journal, paths } = openAt(folder.path);
    mkdirSync(dirname(paths.journal));
    writeFileSync(paths.journal, "");
    truncateSync(paths.journal);
    expect(journal.pending()).toBeUndefined();
    await using other = scratch();
    mkdirSync(openAt(other.path).paths.journal, { recursive: true });
    expect(() => openAt(other.path).journal.pending()).toThrow(expect.objectContaining({ kind: "refused" }));
  });
});

/** A process is killed in the middle of a durable write into the folder, and leaves what it had written. */
async function dieWriting(folder: string): Promise<void> {
  const script = `import { writeDurably } from ${JSON.stringify(join(import.meta.dir, "../../../src/sys/durable.ts"))};
    const bytes = new Uint8Array(1 << 20);
    for (;;) writeDurably(${JSON.stringify(join(folder, "half"))}, bytes);`;
  const before = new Set(readdirSync(folder));
  const writer = Bun.spawn([process.execPath, "-e", script], { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  // Stopped while it is looked for, so that what is seen is what is left.
  for (let seen = false; !seen; seen = readdirSync(folder).some((name) => name !== "half" && !before.has(name))) {
    writer.kill("SIGCONT");
    await Bun.sleep(3);
    writer.kill("SIGSTOP");
    await Bun.sleep(1);
    if (writer.exitCode !== null) throw new Error("The writer ended by itself");
  }
  writer.kill("SIGKILL");
  await writer.exited;
}
