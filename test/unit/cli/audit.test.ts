import { describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashJson } from "../../../src/core/json.ts";
import type { AuditEvent } from "../../../src/core/ports.ts";
import { SignerKey, VerifierKey } from "../../../src/store/audit/note.ts";
import { parseTlogProof, verifyTlogProof } from "../../../src/store/audit/tlog-proof.ts";
import { openAt } from "../store/samples.ts";
import { SECOND, snapshotted, threeSnapshots } from "../store/sample-snapshots.ts";
import { scratch } from "../sys/scratch.ts";
import { Books, run, type Ran } from "./in-memory.ts";

const EVENTS: readonly AuditEvent[] = [
  { kind: "plan", transaction: "a", outcome: "begun" },
  { kind: "action", transaction: "a", resource: "x", outcome: "begun" },
  { kind: "action", transaction: "a", resource: "x", outcome: "done" },
  { kind: "commit", transaction: "a", outcome: "done" },
  { kind: "plan", transaction: "b", outcome: "begun" },
  { kind: "action", transaction: "b", resource: "y", outcome: "begun" },
];

/** A state directory with a log of two blocks, a replica of it, and its key as the host prints it. */
async function logged(folder: { file(...names: string[]): string }) {
  const root = folder.file("root");
  const { audit, paths } = openAt(root);
  await audit.append(EVENTS.slice(0, 3));
  await audit.append(EVENTS.slice(3));
  const replica = folder.file("replica");
  cpSync(paths.timing, replica, { recursive: true });
  const audited = (...argv: string[]): Promise<Ran> => run(["audit", ...argv, "--root", root]);
  return { root, replica, timing: paths.timing, audited, key: (await audited("key")).stdout.trimEnd() };
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

describe("audit verify", () => {
  test("a log in order: how many entries and blocks, and what is open", async () => {
    await using folder = scratch();
    const { audited, timing, key } = await logged(folder);
    expect(await audited("verify")).toMatchObject({ exit: 0, stdout: `${timing} verifies: 6 entries in 2 blocks\nAnnounced without an outcome: 4, 5\n` });
    expect((await audited("verify", "--json")).json()).toMatchObject({ entries: 6, blocks: 2, unpublished: 0, open: [4, 5], key, key_given: false });
  });

  test("a replica, with the public key alone: exit 7 names the first bad entry", async () => {
    await using folder = scratch();
    const { replica, root, key } = await logged(folder);
    rmSync(root, { recursive: true });
    const check = (...more: string[]) => run(["blockchain", "verify", "--blockchain-path", replica, ...more]);
    expect(await check("--key", key)).toMatchObject({ exit: 0, stdout: `${replica} verifies: 6 entries in 2 blocks\nAnnounced without an outcome: 4, 5\n` });
    expect((await check()).stdout).toContain("The key was found in that folder");
    const bundle = join(replica, "tile/entries/000.p/6");
    flip(bundle, readFileSync(bundle).lastIndexOf('"resource":"y"') + 12);
    expect(await check("--key", key)).toMatchObject({ exit: 7, stderr: expect.stringContaining(`Entry 5 of the audit log ${replica} does not verify`) });
  });

  test("another key: exit 7; no key, or no log: exit 2", async () => {
    await using folder = scratch();
    const { replica, audited, key } = await logged(folder);
    const other = new SignerKey(VerifierKey.parse(key)?.name ?? "", Buffer.alloc(32, 1)).verifier.toString();
    expect((await audited("verify", "--blockchain-path", replica, "--key", other)).exit).toBe(7);
    expect((await audited("verify", "--key", "nonsense")).exit).toBe(2);
    expect((await audited("verify", "--blockchain-path", folder.file("nowhere"))).exit).toBe(2);
    expect((await run(["audit", "verify", "--root", folder.file("nowhere")])).stderr).toContain("There is no audit log in");
  });

  test("entries that are not published yet are checked too", async () => {
    await using folder = scratch();
    const { audited, root, timing } = await logged(folder);
    const { audit } = openAt(root);
    await audit.reserve();
    await audit.append(EVENTS);
    expect((await audited("verify", "--json")).json()).toMatchObject({ entries: 12, blocks: 3, unpublished: 6 });
    flip(join(timing, "tile/0/000.p/3"), 40);
    expect((await audited("verify")).stderr).toContain("Entry 1 of");
  });
});

describe("audit prove", () => {
  test("each entry, in a form that stands on its own", async () => {
    await using folder = scratch();
    const { audited, key, root } = await logged(folder);
    const verifier = VerifierKey.parse(key);
    for (const entry of openAt(root).audit.entries()) {
      const proof = parseTlogProof((await audited("prove", String(entry.index))).stdout);
      if (proof?.extra === undefined || verifier === undefined) throw new Error("There is no proof");
      expect(new Bun.CryptoHasher("sha256").update(proof.extra).digest("hex")).toBe(hashJson(JSON.parse(JSON.stringify(entry))));
      expect(verifyTlogProof(proof, proof.extra, verifier)).toBe(true);
    }
  });

  test("into a file that is not there yet; no such entry", async () => {
    await using folder = scratch();
    const { audited } = await logged(folder);
    const ran = await audited("prove", "2", "--out", "2.tlog-proof");
    expect(ran).toMatchObject({ exit: 0, stdout: "Wrote 2.tlog-proof\n", files: { "2.tlog-proof": expect.stringMatching(/^c2sp\.org\/tlog-proof@v1\nextra .*\nindex 2\n/) } });
    expect(await audited("prove", "6")).toMatchObject({ exit: 2, stderr: "error: There is no entry 6\nhint: There are 0 to 5\n" });
    expect((await audited("prove", "x")).exit).toBe(2);
  });
});

describe("audit verify and snapshots", () => {
  test("the state in snapshots is held to the log: how many, which are not logged, and exit 7 with the first that is not what it was", async () => {
    await using folder = scratch();
    const { audited, root, key } = await logged(folder);
    const { snapshots, timing } = openAt(root).paths;
    await threeSnapshots(root);
    mkdirSync(join(snapshots, "20261120T200000.000Z"));
    expect(await audited("verify")).toMatchObject({ exit: 0, stdout: expect.stringContaining("The state in 3 snapshots is what the log says\nOf 1 snapshot the log has no entry, or not any more: 20261120T200000.000Z\n") });
    const replica = folder.file("with-snapshots");
    cpSync(timing, replica, { recursive: true });
    cpSync(join(snapshots, SECOND), join(replica, "snapshots", SECOND), { recursive: true });
    const check = ["audit", "verify", "--blockchain-path", replica, "--key", key];
    expect((await run([...check, "--json"])).json()).toMatchObject({ entries: 9, snapshots: { checked: 1, unreadable: [], unlogged: [] } });
    expect((await run(["audit", "snapshots", "--blockchain-path", replica, "--json"])).json()).toEqual({ snapshots: [{ name: SECOND, made: "2026-11-20T18:00:00.000Z" }] });
    flip(join(replica, "snapshots", SECOND, "state/current.json"), 1);
    expect(await run(check)).toMatchObject({ exit: 7, stderr: expect.stringContaining(`Snapshot ${SECOND} in`) });
  });

  test("a replica without any says so", async () => {
    await using folder = scratch();
    const { replica } = await logged(folder);
    expect(await run(["audit", "snapshots", "--blockchain-path", replica])).toMatchObject({ exit: 0, stdout: expect.stringContaining("has sent none yet") });
    expect((await run(["audit", "snapshots", "--blockchain-path", folder.file("none")])).exit).toBe(2);
  });
});

describe("audit replicate", () => {
  test("says what was sent, or that nothing was; the copy verifies with the key alone", async () => {
    await using folder = scratch();
    const { audited, root, key } = await logged(folder);
    const target = folder.file("copy");
    expect(await audited("replicate", target)).toMatchObject({ exit: 0, stdout: expect.stringMatching(/ has 6 entries; sent: 6 entries from 0 on, in 2 blocks, \d+ bytes\n$/) });
    expect(await audited("replicate", target)).toMatchObject({ exit: 0, stdout: `${target} has all 6 entries: nothing was sent\n` });
    await openAt(root).audit.append(EVENTS.slice(0, 1));
    expect((await audited("replicate", target, "--json")).json()).toMatchObject({ target, from: 6, entries: 1, blocks: 1, size: 7, tree_head: expect.stringContaining("\n7\n") });
    expect(await run(["audit", "verify", "--blockchain-path", target, "--key", key])).toMatchObject({ exit: 0, stdout: expect.stringContaining("7 entries in 3 blocks") });
  });

  test("says which snapshots were sent, and warns of one that was left out", async () => {
    await using folder = scratch();
    const { audited, root } = await logged(folder);
    const target = folder.file("copy");
    await threeSnapshots(root);
    expect((await audited("replicate", target)).stdout).toMatch(/^\S+ has 9 entries; sent: 9 entries from 0 on, in 5 blocks, \d+ bytes; 3 snapshots, 1500021 bytes\n$/);
    const name = "20261120T200000.000Z";
    await snapshotted(root, name, { lock: "4" }, (state) => symlinkSync("lock", join(state, "link")));
    const { exit, stderr, stdout } = await audited("replicate", target, "--json");
    expect({ exit, stderr: stderr.replaceAll(/\s+/g, " ") }).toEqual({ exit: 0, stderr: `warning: Snapshot ${name} was left out: No replica takes it: its file "link" is a symbolic link ` });
    expect(JSON.parse(stdout)).toMatchObject({ entries: 1, snapshots: { sent: 0, bytes: 0, left_out: [{ name, why: expect.stringContaining("symbolic link") }] } });
    expect((await audited("replicate", target)).stdout).toBe(`${target} has all 10 entries: nothing was sent\n`);
    flip(join(openAt(root).paths.snapshots, SECOND, "state/current.json"), 1);
    expect(await audited("replicate", folder.file("other"))).toMatchObject({ exit: 7, stderr: expect.stringContaining(`Snapshot ${SECOND} is not what entry`) });
  });

  test("no log: exit 2; a folder that is no replica: exit 6; another history: exit 7", async () => {
    await using folder = scratch();
    const { audited, root, replica } = await logged(folder);
    expect((await run(["audit", "replicate", folder.file("copy"), "--root", folder.file("nowhere")])).exit).toBe(2);
    expect((await audited("replicate", replica)).exit).toBe(6);
    cpSync(root, folder.file("then"), { recursive: true });
    await openAt(root).audit.append(EVENTS);
    expect((await audited("replicate", folder.file("copy"))).exit).toBe(0);
    expect(await run(["audit", "replicate", folder.file("copy"), "--root", folder.file("then")])).toMatchObject({ exit: 7, stderr: expect.stringContaining("the log has lost entries") });
  });

  test("the other end is not for people", async () => {
    expect(await run(["audit", "receive"], { typed: [] })).toMatchObject({ exit: 2, opened: [] });
    expect(await run(["audit", "receive", "srv"])).toMatchObject({ exit: 2, opened: [] });
    expect(await run(["audit", "receive", "/srv"])).toMatchObject({ exit: 0, stdout: "", opened: ["receive /srv anyone"] });
    expect(await run(["audit", "receive", "/silent"])).toMatchObject({ exit: 2, stdout: "", stderr: expect.stringContaining("Nobody spoke") });
    await using folder = scratch();
    const { key } = await logged(folder);
    expect(await run(["audit", "receive", "--key", key])).toMatchObject({ exit: 0, opened: [`receive anywhere ${key}`] });
    expect(await run(["audit", "receive", "--key", "nonsense"])).toMatchObject({ exit: 2, opened: [], stderr: expect.stringContaining("'nonsense' is no verifier key") });
  });
});

test("audit export: the bytes that were hashed, a line each, or one list", async () => {
  const books = new Books();
  await books.hostWith([]).audit.append(EVENTS);
  const { stdout } = await run(["audit", "export"], { books });
  expect(stdout.trimEnd().split("\n").map((line) => hashJson(JSON.parse(line)))).toEqual(books.entries.map((entry) => hashJson(JSON.parse(JSON.stringify(entry)))));
  expect((await run(["audit", "export", "--json"], { books })).json()).toEqual(JSON.parse(JSON.stringify(books.entries)));
  expect((await run(["audit", "export", "--json"])).json()).toEqual([]);
});

test("audit list --actor: by name or number", async () => {
  const books = new Books();
  await books.hostWith([]).audit.append(EVENTS);
  const count = async (actor: string) => ((await run(["audit", "list", "--json", "--actor", actor], { books })).json() as { entries: unknown[] }).entries.length;
  expect([await count("alice"), await count("mallory")]).toEqual([6, 0]);
  expect(await count(String(books.entries[0]?.actor.uid))).toBe(6);
});
