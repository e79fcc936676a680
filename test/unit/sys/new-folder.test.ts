import { expect, test } from "bun:test";
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { discardUnfinished, NewFolder } from "../../../src/sys/new-folder.ts";
import { scratch } from "./scratch.ts";

test("a folder is there once it is finished, with its files' modes, and not before", async () => {
  await using home = scratch();
  const folder = new NewFolder(home.path, "a");
  folder.add("b/c/d", Buffer.from("one"), 0o600);
  folder.add("b/c/e", Buffer.from("two"), 0o644);
  folder.add("f", Buffer.alloc(0), 0o444);
  expect(readdirSync(home.path)).toEqual([".op-dbus-a"]);
  folder.finish();
  expect(readdirSync(home.path)).toEqual(["a"]);
  expect(readFileSync(home.file("a/b/c/d"), "utf8")).toBe("one");
  expect(["b/c/d", "b/c/e", "f"].map((path) => (lstatSync(home.file("a", path)).mode & 0o7777).toString(8))).toEqual(["600", "644", "444"]);
});

test("what is there is not written over, nor by way of a link", async () => {
  await using home = scratch();
  mkdirSync(home.file("a"));
  writeFileSync(home.file("a", "mine"), "");
  const folder = new NewFolder(home.path, "a");
  expect(() => new NewFolder(home.path, "a")).toThrow(expect.objectContaining({ code: "EEXIST" }));
  folder.add("x", Buffer.from("one"), 0o644);
  expect(() => folder.add("x", Buffer.from("two"), 0o644)).toThrow(expect.objectContaining({ code: "EEXIST" }));
  expect(readFileSync(`${folder.path}/x`, "utf8")).toBe("one");
  symlinkSync(home.file("elsewhere"), `${folder.path}/link`);
  expect(() => folder.add("link", Buffer.from("two"), 0o644)).toThrow(expect.objectContaining({ code: "EEXIST" }));
  expect(() => folder.finish()).toThrow(expect.objectContaining({ code: "ENOTEMPTY" }));
  expect(readdirSync(home.path).sort()).toEqual([".op-dbus-a", "a"]);
});

test("what is unfinished is taken away, and with it links but not where they lead; what has another name stays", async () => {
  await using home = scratch();
  mkdirSync(home.file("elsewhere"));
  writeFileSync(home.file("elsewhere", "kept"), "");
  const folder = new NewFolder(home.path, "a");
  folder.add("b/c", Buffer.from("one"), 0o444);
  symlinkSync("../elsewhere", `${folder.path}/link`);
  new NewFolder(home.path, "theirs");
  discardUnfinished(home.path, (name) => name === "a");
  expect(readdirSync(home.path).sort()).toEqual([".op-dbus-theirs", "elsewhere"]);
  expect(readdirSync(home.file("elsewhere"))).toEqual(["kept"]);
  discardUnfinished(home.file("nowhere"), () => true);
});
