import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Frontier } from "../../../../src/store/audit/frontier.ts";
import { EMPTY_ROOT, leafHash, type Hash } from "../../../../src/store/audit/merkle.ts";
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion, type SubtreeHash } from "../../../../src/store/audit/proof.ts";
import { subtreesOf, TiledTree, tilePath, tileWidth, type Tile } from "../../../../src/store/audit/tile.ts";
import { naiveConsistency, naivePath, naiveRoot } from "./naive-merkle.ts";

const LEAVES = Array.from({ length: 10_000 }, (_, number) => Buffer.from(`${number}`.repeat(number % 7)));

/** A tree of the first `size` leaves as its tiles have it. */
class Grown {
  readonly tiles = new Map<string, Uint8Array>();
  readonly tree = new TiledTree((tile, bytes) => this.tiles.set(tilePath(tile), bytes.slice()));

  constructor(size: number) {
    for (const leaf of LEAVES.slice(0, size)) this.tree.append(leafHash(leaf));
    for (const { bytes, ...tile } of this.tree.edge()) this.tiles.set(tilePath(tile), bytes);
  }

  readonly read = (tile: Tile): Uint8Array => {
    const bytes = this.tiles.get(tilePath(tile));
    if (bytes === undefined) throw new Error(`There is no ${tilePath(tile)}`);
    return bytes;
  };

  get subtrees(): SubtreeHash {
    return subtreesOf(this.tree.size, this.read);
  }
}

const size = fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: LEAVES.length }), fc.constantFrom(255, 256, 257, 511, 512, 4096, 8192, 10_000));
const RUNS = { numRuns: 60 };

function plain(hashes: readonly Hash[]): string[] {
  return hashes.map((hash) => Buffer.from(hash).toString("hex"));
}

describe("against a naive RFC 9162", () => {
  test("root: of every size to 300, and of any to 10,000", () => {
    const frontier = new Frontier();
    expect(EMPTY_ROOT).toEqual(new Uint8Array(naiveRoot([])));
    for (const [number, leaf] of LEAVES.entries()) {
      frontier.push(leafHash(leaf));
      if (number < 300 || number % 997 === 0) expect(plain([frontier.root()])).toEqual(plain([naiveRoot(LEAVES.slice(0, number + 1))]));
    }
  });

  test("inclusionProof is PATH, and verifies for its own entry only", () => {
    const claims = size.chain((n) => fc.record({ n: fc.constant(n), m: fc.nat(n - 1), other: fc.nat(n - 1) }));
    fc.assert(fc.property(claims, ({ n, m, other }) => {
      const { subtrees, tree } = new Grown(n);
      const [proof, root] = [inclusionProof(subtrees, m, n), tree.root()];
      expect(plain(proof)).toEqual(plain(naivePath(m, LEAVES.slice(0, n))));
      const leaf = leafHash(LEAVES[m] ?? Buffer.of());
      expect(verifyInclusion(proof, { index: m, leaf, size: n, root })).toBe(true);
      expect(verifyInclusion(proof, { index: other, leaf, size: n, root })).toBe(m === other);
    }), RUNS);
  }, 60_000);

  test("consistencyProof is PROOF, and verifies for its own two trees only", () => {
    const claims = size.chain((n) => fc.record({ n: fc.constant(n), m: fc.integer({ min: 1, max: n }), other: fc.integer({ min: 1, max: n }) }));
    fc.assert(fc.property(claims, ({ n, m, other }) => {
      const { subtrees, tree } = new Grown(n);
      const [proof, root, firstRoot] = [consistencyProof(subtrees, m, n), tree.root(), naiveRoot(LEAVES.slice(0, m))];
      expect(plain(proof)).toEqual(plain(naiveConsistency(m, LEAVES.slice(0, n))));
      expect(verifyConsistency(proof, { first: m, firstRoot, size: n, root })).toBe(true);
      expect(verifyConsistency(proof, { first: other, firstRoot, size: n, root })).toBe(m === other);
    }), RUNS);
  }, 60_000);

  test("every index and every pair of sizes to 40", () => {
    for (let n = 1; n <= 40; n += 1) {
      const { subtrees, tree } = new Grown(n);
      for (let m = 0; m < n; m += 1) {
        expect(plain(inclusionProof(subtrees, m, n))).toEqual(plain(naivePath(m, LEAVES.slice(0, n))));
        const [proof, firstRoot] = [consistencyProof(subtrees, m + 1, n), naiveRoot(LEAVES.slice(0, m + 1))];
        expect(verifyConsistency(proof, { first: m + 1, firstRoot, size: n, root: tree.root() })).toBe(true);
      }
    }
  });
});

describe("consistency with the empty tree", () => {
  test("takes no proof, and the root of nothing", () => {
    const { subtrees, tree } = new Grown(5);
    const heads = { first: 0, firstRoot: EMPTY_ROOT, size: 5, root: tree.root() };
    expect(consistencyProof(subtrees, 0, 5)).toEqual([]);
    expect(verifyConsistency([], heads)).toBe(true);
    expect(verifyConsistency([EMPTY_ROOT], heads)).toBe(false);
    expect(verifyConsistency([], { ...heads, firstRoot: tree.root() })).toBe(false);
  });
});

describe("sizes beyond 32 bits", () => {
  test("proofs of a tree of 2^40 + 3 equal leaves", () => {
    const subtrees: Hash[] = [leafHash(Buffer.from("x"))];
    const subtree: SubtreeHash = (height) => {
      while (subtrees.length <= height) {
        const frontier = new Frontier();
        const half = subtrees[subtrees.length - 1] ?? EMPTY_ROOT;
        frontier.push(half);
        frontier.push(half);
        subtrees.push(frontier.root());
      }
      return subtrees[height] ?? EMPTY_ROOT;
    };
    const total = 2 ** 40 + 3;
    const frontier = new Frontier();
    for (const height of [40, 1, 0]) frontier.push(subtree(height, 0), height);
    expect(frontier.size).toBe(total);
    const root = frontier.root();
    for (const index of [0, 2 ** 31, 2 ** 33 + 1, total - 1]) {
      const leaf = subtree(0, 0);
      expect(verifyInclusion(inclusionProof(subtree, index, total), { index, leaf, size: total, root })).toBe(true);
      expect(verifyInclusion(inclusionProof(subtree, index, total), { index, leaf, size: total - 2 ** 32, root })).toBe(false);
    }
    const proof = consistencyProof(subtree, 2 ** 40, total);
    expect(verifyConsistency(proof, { first: 2 ** 40, firstRoot: subtree(40, 0), size: total, root })).toBe(true);
  });
});

describe("tiles", () => {
  test("tilePath: the examples of tlog-tiles", () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe("tile/0/x001/x234/067");
    expect(tilePath({ level: 1, index: 0, width: 17 })).toBe("tile/1/000.p/17");
    expect(tilePath({ level: "entries", index: 999, width: 256 })).toBe("tile/entries/999");
    expect(tilePath({ level: "entries", index: 1000, width: 1 })).toBe("tile/entries/x001/000.p/1");
  });

  test("a tree of 10,000 has 39 full tiles and one of 16 at level 0, one of 39 at level 1", () => {
    const widths = [...new Grown(10_000).tiles].map(([path, bytes]) => `${path} ${bytes.length / 32}`);
    const full = Array.from({ length: 39 }, (_, index) => `tile/0/${String(index).padStart(3, "0")} 256`);
    expect(widths.sort()).toEqual([...full, "tile/0/039.p/16 16", "tile/1/000.p/39 39"].sort());
  });

  test("tileWidth: the example of tlog-tiles, a tree of 70,000", () => {
    expect([[0, 272], [0, 273], [0, 274], [1, 0], [1, 1], [2, 0], [2, 1], [3, 0]].map(([level = 0, index = 0]) => tileWidth(level, index, 70_000))).toEqual([256, 112, 0, 256, 17, 1, 0, 0]);
  });

  test("a tree restored from its edge goes on as if it had never stopped", () => {
    fc.assert(fc.property(size, fc.nat(700), (before, more) => {
      const after = Math.min(before + more, LEAVES.length);
      const [first, whole] = [new Grown(before), new Grown(after)];
      const made: string[] = [];
      const restored = new TiledTree((tile, bytes) => {
        made.push(tilePath(tile));
        expect(Buffer.compare(bytes, whole.read(tile))).toBe(0);
      });
      restored.restore(before, first.read);
      expect([restored.size, ...plain([restored.root()])]).toEqual([before, ...plain([first.tree.root()])]);
      for (const leaf of LEAVES.slice(before, after)) restored.append(leafHash(leaf));
      expect(restored.edge()).toEqual(whole.tree.edge());
      expect(made.sort()).toEqual([...whole.tiles.keys()].filter((path) => !path.includes(".p/") && !first.tiles.has(path)).sort());
    }), RUNS);
  }, 60_000);
});
