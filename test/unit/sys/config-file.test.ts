import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createConfigFile } from "../../../src/sys/config-file.ts";
import { scratch } from "./scratch.ts";

test("remove takes the file, and the .d folder with its last file; again is done already", async () => {
  await using folder = scratch();
  const dropIns = folder.file("control", "a.service.d");
  mkdirSync(dropIns, { recursive: true });
  for (const name of ["50-CPUWeight.conf", "50-MemoryMax.conf"]) writeFileSync(`${dropIns}/${name}`, "");
  const files = createConfigFile([folder.file("control")]);
  files.remove(`${dropIns}/50-CPUWeight.conf`);
  expect(existsSync(`${dropIns}/50-MemoryMax.conf`)).toBe(true);
  files.remove(`${dropIns}/50-MemoryMax.conf`);
  expect(existsSync(dropIns)).toBe(false);
  expect(existsSync(folder.file("control"))).toBe(true);
  files.remove(`${dropIns}/50-MemoryMax.conf`);
});

test("remove takes nothing outside its roots, by name or by link", async () => {
  await using folder = scratch();
  for (const name of ["control", "outside", "control-too"]) mkdirSync(folder.file(name));
  symlinkSync(folder.file("outside"), folder.file("control", "link.d"));
  writeFileSync(folder.file("outside", "a"), "kept");
  writeFileSync(folder.file("control-too", "a"), "kept");
  const files = createConfigFile([folder.file("control/")]);
  const paths = [
    folder.file("outside", "a"),
    folder.file("control-too", "a"),
    `${folder.path}/control/../outside/a`,
    `${folder.path}/control//../outside/a`,
    folder.file("control", "link.d", "a"),
    `${folder.file("control")}/`,
    "control/a",
    "",
  ];
  for (const path of paths) expect(() => files.remove(path)).toThrow(expect.objectContaining({ kind: "internal" }));
  expect(readFileSync(folder.file("outside", "a"), "utf8")).toBe("kept");
});

test("remove says what it could not remove", async () => {
  await using folder = scratch();
  mkdirSync(folder.file("control", "a"), { recursive: true });
  expect(() => createConfigFile([folder.path]).remove(folder.file("control", "a"))).toThrow(
    expect.objectContaining({ kind: "failed", message: expect.stringContaining(folder.file("control", "a")) }),
  );
});

test("read gives the text, nothing for no file, and kind unavailable for what cannot be read; linkTarget says where a link leads", async () => {
  await using folder = scratch();
  writeFileSync(folder.file("a"), "text");
  symlinkSync("a", folder.file("link"));
  const files = createConfigFile([]);
  expect(files.read(folder.file("a"))).toBe("text");
  expect(files.read(folder.file("link"))).toBe("text");
  expect(files.read(folder.file("none"))).toBeUndefined();
  expect(files.read(folder.file("a", "below"))).toBeUndefined();
  expect(() => files.read(folder.path)).toThrow(expect.objectContaining({ kind: "unavailable" }));
  expect(["a", "link", "none"].map((name) => files.linkTarget(folder.file(name)))).toEqual([undefined, "a", undefined]);
  expect(files.list(folder.path)).toEqual([{ name: "a", kind: "file" }, { name: "link", kind: "link" }]);
  expect(files.list(folder.file("none"))).toEqual([]);
});

test("sync takes files, links, what is gone and folders that are not there; what cannot be synced is kind failed", async () => {
  await using folder = scratch();
  mkdirSync(folder.file("a", "b"), { recursive: true });
  writeFileSync(folder.file("a", "b", "file"), "");
  symlinkSync("nowhere", folder.file("a", "b", "link"));
  const files = createConfigFile();
  files.sync([]);
  files.sync([folder.file("a", "b", "file"), folder.file("a", "b", "link"), folder.file("a", "gone"), folder.file("never", "was", "there")]);
  expect(() => files.sync(["/proc/self/status"])).toThrow(expect.objectContaining({ kind: "failed" }));
});
