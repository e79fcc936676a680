import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Frontier } from "../../src/store/audit/frontier.ts";
import { leafHash, type Hash } from "../../src/store/audit/merkle.ts";
import { openNote, SignerKey, VerifierKey } from "../../src/store/audit/note.ts";
import { verifyConsistency, verifyInclusion } from "../../src/store/audit/proof.ts";

/*
 * What golang.org/x/mod/sumdb says: tlog/vectors.txt, in the form that tlog/vectors.go explains.
 */

const FOLDER = join(import.meta.dir, "tlog");
const lines = readFileSync(join(FOLDER, "vectors.txt"), "utf8").trimEnd().split("\n").map((line) => line.split(" "));
const hashes = about("hash").map(([base64 = ""]) => new Uint8Array(Buffer.from(base64, "base64")));

function about(word: string): string[][] {
  return lines.filter(([first]) => first === word).map(([, ...rest]) => rest);
}

function hashOf(reference = ""): Hash {
  const [number, bit] = reference.split("^").map(Number);
  const hash = Uint8Array.from(hashes[number ?? NaN] ?? []);
  if (bit !== undefined) hash[bit >> 3] = (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return hash;
}

/** The lines on which we and x/mod differ. */
function disagreements(word: string, claim: (numbers: Claim) => boolean): string[] {
  const claims = about(word);
  expect(claims.length).toBeGreaterThan(4000);
  return claims.flatMap((fields) => {
    const [want, size, root, small, hash, ...proof] = fields;
    const is = claim({ size: Number(size), root: hashOf(root), small: Number(small), hash: hashOf(hash), proof: proof.map(hashOf) });
    return is === (want === "yes") ? [] : [fields.join(" ")];
  });
}

interface Claim {
  readonly size: number;
  readonly root: Hash;
  /** The index, or the smaller tree's size. */
  readonly small: number;
  readonly hash: Hash;
  readonly proof: readonly Hash[];
}

test("Frontier has the roots of x/mod for 0 to 300 leaves", () => {
  const frontier = new Frontier();
  const roots = about("root");
  expect(roots.length).toBe(301);
  for (const [size, root] of roots) {
    if (Number(size) > 0) frontier.push(leafHash(Buffer.from(`leaf ${Number(size) - 1}`)));
    expect(frontier.size).toBe(Number(size));
    expect(frontier.root()).toEqual(hashOf(root));
  }
});

test("verifyInclusion takes and refuses what x/mod's CheckRecord takes and refuses", () => {
  expect(disagreements("in", ({ size, root, small, hash, proof }) => verifyInclusion(proof, { size, root, index: small, leaf: hash }))).toEqual([]);
});

test("verifyConsistency takes and refuses what x/mod's CheckTree takes and refuses", () => {
  expect(disagreements("grown", ({ size, root, small, hash, proof }) => verifyConsistency(proof, { size, root, first: small, firstRoot: hash }))).toEqual([]);
});

test("keys and signed notes are x/mod's, byte for byte", () => {
  const notes = about("note");
  expect(notes.length).toBe(9);
  for (const [privateText = "", publicText = "", textBase64 = "", noteBase64 = ""] of notes) {
    const [text, note] = [textBase64, noteBase64].map((base64) => Buffer.from(base64, "base64").toString()) as [string, string];
    const [signer, verifier] = [SignerKey.parse(privateText), VerifierKey.parse(publicText)];
    expect([signer?.toString(), signer?.verifier.toString(), verifier?.toString()]).toEqual([privateText, publicText, publicText]);
    expect(signer?.signed(text)).toBe(note);
    expect(verifier && openNote(note, verifier)).toBe(text);
  }
});

/** Where Debian's packages keep Go's libraries. */
const GO_PATH = "/usr/share/gocode";

test.skipIf(Bun.which("go") === null)("vectors.txt is what vectors.go prints (needs go and golang-golang-x-mod-dev)", () => {
  const { stdout, stderr } = Bun.spawnSync(["go", "run", "vectors.go"], { cwd: FOLDER, env: { ...process.env, GO111MODULE: "off", GOPATH: GO_PATH, GOFLAGS: "" } });
  expect(stderr.toString()).toBe("");
  expect(stdout.equals(readFileSync(join(FOLDER, "vectors.txt")))).toBe(true);
}, 60_000);
