import { describe, expect, test } from "bun:test";
import { Frontier } from "../../../../src/store/audit/frontier.ts";
import { leafHash, nodeHash } from "../../../../src/store/audit/merkle.ts";
import { isKeyName, openNote, SignerKey, VerifierKey } from "../../../../src/store/audit/note.ts";
import { formatTlogProof, parseTlogProof, verifyTlogProof } from "../../../../src/store/audit/tlog-proof.ts";
import { openTreeHead, signTreeHead } from "../../../../src/store/audit/tree-head.ts";

const key = new SignerKey("op-dbus/4f3c", Buffer.alloc(32, 7));
const { verifier } = key;
const TEXT = "op-dbus/4f3c\n2\nthe root\n";
const NOTE = key.signed(TEXT);

describe("openNote", () => {
  test("a flipped bit anywhere: not opened", () => {
    const bytes = Buffer.from(NOTE);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openNote(flipped.toString(), verifier)).toBeUndefined();
    }
  });

  test("cut short anywhere, or with anything added: not opened", () => {
    for (let length = 0; length < NOTE.length; length += 1) expect(openNote(NOTE.slice(0, length), verifier)).toBeUndefined();
    for (const added of [`\n${NOTE}`, `${NOTE}\n`, `${NOTE}x\n`, `${NOTE}— a AAAA\n`, NOTE.replace("\n", "\r\n"), `${NOTE}\0`]) expect(openNote(added, verifier)).toBeUndefined();
  });

  test("another's signature beside it is nothing to us, before or after; alone it is not enough", () => {
    const other = new SignerKey("witness.example", Buffer.alloc(32, 9));
    const line = other.signed(TEXT).split("\n").at(-2) ?? "";
    const own = NOTE.split("\n").at(-2) ?? "";
    for (const lines of [[own, line], [line, own]]) expect(openNote(`${TEXT}\n${lines.join("\n")}\n`, verifier)).toBe(TEXT);
    expect(openNote(`${TEXT}\n${line}\n`, verifier)).toBeUndefined();
  });

  test("a wrong signature of the known key spoils a right one beside it", () => {
    const [own = "", wrong = ""] = [NOTE, key.signed("another text\n")].map((note) => note.split("\n").at(-2) ?? "");
    expect(openNote(`${TEXT}\n${own}\n${wrong}\n`, verifier)).toBeUndefined();
  });

  test("the same name on another key: not opened", () => {
    expect(openNote(NOTE, new SignerKey("op-dbus/4f3c", Buffer.alloc(32, 8)).verifier)).toBeUndefined();
  });
});

describe("keys", () => {
  test("a generated key is its text", () => {
    const made = SignerKey.generate("op-dbus/1");
    expect(SignerKey.parse(made.toString())?.toString()).toBe(made.toString());
    expect(VerifierKey.parse(made.verifier.toString())?.toString()).toBe(made.verifier.toString());
    expect(made.toString()).not.toBe(SignerKey.generate("op-dbus/1").toString());
  });

  test("a text with any character changed is no key", () => {
    for (const [text, parse] of [[verifier.toString(), VerifierKey.parse], [key.toString(), SignerKey.parse]] as const) {
      expect(parse(text)).toBeDefined();
      for (let at = 0; at < text.length; at += 1) expect(parse(text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1))).toBeUndefined();
    }
  });

  test("isKeyName: no plus and no space of any kind", () => {
    expect(["a", "op-dbus/1", "Ä"].map(isKeyName)).toEqual([true, true, true]);
    expect(["", "a+b", "a b", "a\u00a0b", "a\u2003b", "a\nb", "\ud800"].map(isKeyName)).toEqual(Array(7).fill(false));
  });
});

describe("tree heads", () => {
  const root = leafHash(Buffer.from("x"));

  test("openTreeHead is what signTreeHead was given", () => {
    expect(openTreeHead(signTreeHead(key, { size: 12, root }), verifier)).toEqual({ origin: key.verifier.name, size: 12, root: Buffer.from(root) });
  });

  test("signed, but not a tree head of this log: undefined", () => {
    const base64 = Buffer.from(root).toString("base64");
    const texts = [
      `other\n1\n${base64}\n`, `${verifier.name}\n01\n${base64}\n`, `${verifier.name}\n-1\n${base64}\n`, `${verifier.name}\n9007199254740993\n${base64}\n`,
      `${verifier.name}\n1\n${base64.slice(4)}\n`, `${verifier.name}\n1\n`, `${verifier.name}\n1\n${base64}\n\nx\n`,
    ];
    for (const text of texts) expect(openTreeHead(key.signed(text), verifier)).toBeUndefined();
    expect(openTreeHead(key.signed(`${verifier.name}\n1\n${base64}\nan extension\n`), verifier)?.size).toBe(1);
  });
});

describe("tlog proofs", () => {
  const entries = ["a", "b", "c"].map((text) => Buffer.from(text));
  const frontier = new Frontier();
  for (const entry of entries) frontier.push(leafHash(entry));
  const [a, b, c] = entries.map((entry) => leafHash(entry)) as [Uint8Array, Uint8Array, Uint8Array];
  const proof = { index: 1, hashes: [a, c], treeHead: signTreeHead(key, { size: 3, root: frontier.root() }) };

  test("the form of c2sp.org/tlog-proof", () => {
    const [first = "", second = ""] = [a, c].map((hash) => Buffer.from(hash).toString("base64"));
    expect(frontier.root()).toEqual(nodeHash(nodeHash(a, b), c));
    expect(formatTlogProof(proof)).toBe(`c2sp.org/tlog-proof@v1\nindex 1\n${first}\n${second}\n\n${proof.treeHead}`);
    expect(formatTlogProof({ ...proof, extra: Buffer.from("b") })).toStartWith("c2sp.org/tlog-proof@v1\nextra Yg==\nindex 1\n");
    expect(parseTlogProof(formatTlogProof({ ...proof, extra: Buffer.from("b") }))).toEqual({ ...proof, hashes: [Buffer.from(a), Buffer.from(c)], extra: Buffer.from("b") });
  });

  test("verifies for its entry, its key and its index only", () => {
    const parsed = parseTlogProof(formatTlogProof(proof));
    if (parsed === undefined) throw new Error("It was not parsed");
    expect(entries.map((entry) => verifyTlogProof(parsed, entry, verifier))).toEqual([false, true, false]);
    expect(verifyTlogProof({ ...parsed, index: 0 }, Buffer.from("b"), verifier)).toBe(false);
    expect(verifyTlogProof(parsed, Buffer.from("b"), new SignerKey("op-dbus/4f3c", Buffer.alloc(32, 8)).verifier)).toBe(false);
  });

  test("any character changed: it does not parse, or does not verify", () => {
    const text = formatTlogProof(proof);
    for (let at = 0; at < text.length; at += 1) {
      const changed = parseTlogProof(text.slice(0, at) + (text[at] === "1" ? "2" : "1") + text.slice(at + 1));
      expect(changed !== undefined && verifyTlogProof(changed, Buffer.from("b"), verifier)).toBe(false);
    }
  });
});
