import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { contentRoot, rootOfLeaves, sha256 } from "../../../src/store/content-root.ts";
import { scratch } from "../sys/scratch.ts";

function write(path: string, content: string | Uint8Array, mode = 0o644): void {
  writeFileSync(path, content);
  chmodSync(path, mode);
}

test("contentRoot is that of the leaves, sorted by path as a whole; folders count for nothing", async () => {
  await using folder = scratch();
  mkdirSync(folder.file("a"));
  mkdirSync(folder.file("empty"));
  const large = Buffer.alloc(3 * 1024 * 1024 + 1, 7);
  write(folder.file("a", "b"), "one", 0o600);
  write(folder.file("a-c"), large);
  const leaves = [
    { path: "a-c", mode: "644", sha256: sha256([large]) },
    { path: "a/b", mode: "600", sha256: sha256([Buffer.from("o"), Buffer.from("ne")]) },
  ];
  expect(contentRoot(folder.path)).toBe(rootOfLeaves(leaves));
  chmodSync(folder.file("a", "b"), 0o640);
  expect(contentRoot(folder.path)).not.toBe(rootOfLeaves(leaves));
});

test("a link counts by where it leads, and what is there does not", async () => {
  await using folder = scratch();
  mkdirSync(folder.file("state"));
  mkdirSync(folder.file("elsewhere"));
  symlinkSync("../elsewhere", folder.file("state", "link"));
  const root = contentRoot(folder.file("state"));
  write(folder.file("elsewhere", "more"), "");
  symlinkSync("/", folder.file("elsewhere", "all"));
  expect(contentRoot(folder.file("state"))).toBe(root);
  expect(root).toBe(rootOfLeaves([{ path: "link", link: "../elsewhere" }]));
});
