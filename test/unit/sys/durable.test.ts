import { expect, test } from "bun:test";
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createDurably, openAppend, removeDurably, writeDurably } from "../../../src/sys/durable.ts";
import { makeDirectory, removeFolderDurably, syncPaths } from "../../../src/sys/durable-folders.ts";
import { isRoot, scratch } from "./scratch.ts";

const modeOf = (path: string) => statSync(path).mode & 0o777;

test("writeDurably writes with exactly the mode asked for and leaves no temporary file", async () => {
  await using folder = scratch();
  const old = process.umask(0o077);
  try {
    writeDurably(folder.file("a"), "one");
    writeDurably(folder.file("secret"), new Uint8Array([1, 2]), 0o600);
  } finally {
    process.umask(old);
  }
  expect(readFileSync(folder.file("a"), "utf8")).toBe("one");
  expect(modeOf(folder.file("a"))).toBe(0o644);
  expect(modeOf(folder.file("secret"))).toBe(0o600);
  expect(readdirSync(folder.path).sort()).toEqual(["a", "secret"]);
});

test("writeDurably replaces a file and a link, not what the link leads to", async () => {
  await using folder = scratch();
  writeDurably(folder.file("target"), "old");
  symlinkSync(folder.file("target"), folder.file("link"));
  writeDurably(folder.file("link"), "new");
  expect(readFileSync(folder.file("target"), "utf8")).toBe("old");
  expect(lstatSync(folder.file("link")).isFile()).toBe(true);
});

test("writeDurably keeps the old text, the error's code and no temporary file when it fails", async () => {
  await using folder = scratch();
  mkdirSync(folder.file("taken"));
  writeFileSync(folder.file("taken", "in"), "");
  expect(() => writeDurably(folder.file("taken"), "x")).toThrow(expect.objectContaining({ code: "EISDIR" }));
  expect(() => writeDurably(folder.file("none", "a"), "x")).toThrow(expect.objectContaining({ code: "ENOENT" }));
  expect(readdirSync(folder.path)).toEqual(["taken"]);
});

test("createDurably refuses whatever is there", async () => {
  await using folder = scratch();
  createDurably(folder.file("a"), "one");
  symlinkSync("/nowhere", folder.file("dangling"));
  for (const name of ["a", "dangling"]) {
    expect(() => createDurably(folder.file(name), "two")).toThrow(expect.objectContaining({ code: "EEXIST" }));
  }
  expect(readFileSync(folder.file("a"), "utf8")).toBe("one");
  expect(readdirSync(folder.path).sort()).toEqual(["a", "dangling"]);
});

test("openAppend adds to what is there and knows its length", async () => {
  await using folder = scratch();
  {
    using file = openAppend(folder.file("log"), 0o600);
    file.append("one\n");
    file.append(new Uint8Array([0xc3, 0xa4, 10]));
    expect(file.length).toBe(7);
  }
  using again = openAppend(folder.file("log"));
  again.append("two\n");
  expect(readFileSync(folder.file("log"), "utf8")).toBe("one\nä\ntwo\n");
  expect(modeOf(folder.file("log"))).toBe(0o600);
});

test("openAppend does not follow a link", async () => {
  await using folder = scratch();
  symlinkSync("/etc/hostname", folder.file("log"));
  expect(() => openAppend(folder.file("log"))).toThrow(expect.objectContaining({ code: "ELOOP" }));
});

test("append leaves no half line when the disk takes only a part", async () => {
  await using folder = scratch();
  // A limit on the file's size makes the kernel take a short write and refuse the rest (EFBIG, with SIGXFSZ ignored).
  const program = `
    import { openAppend } from ${JSON.stringify(import.meta.resolve("../../../src/sys/durable.ts"))};
    import { readFileSync } from "node:fs";
    process.on("SIGXFSZ", () => {});
    const file = openAppend(process.argv[2]);
    file.append("first\\n");
    const codes = [];
    for (const text of ["x".repeat(5000) + "\\n", "y".repeat(5000) + "\\n"]) {
      try { file.append(text); codes.push("written"); } catch (error) { codes.push(error.code); }
    }
    file.append("last\\n");
    console.log(JSON.stringify({ codes, length: file.length, text: readFileSync(process.argv[2], "utf8") }));
  `;
  writeFileSync(folder.file("program.ts"), program);
  const child = Bun.spawn(["sh", "-c", 'ulimit -f 4; trap "" XFSZ; exec "$@"', "sh", process.execPath, folder.file("program.ts"), folder.file("log")], {
    stderr: "pipe",
  });
  const [out, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(errors).toBe("");
  expect(JSON.parse(out)).toEqual({ codes: ["EFBIG", "EFBIG"], length: 11, text: "first\nlast\n" });
});

test("removeDurably removes one file and throws ENOENT for none; removeFolderDurably takes only an empty folder", async () => {
  await using folder = scratch();
  makeDirectory(folder.file("d"));
  writeDurably(folder.file("d", "a"), "");
  expect(() => removeFolderDurably(folder.file("d"))).toThrow(expect.objectContaining({ code: "ENOTEMPTY" }));
  removeDurably(folder.file("d", "a"));
  expect(() => removeDurably(folder.file("d", "a"))).toThrow(expect.objectContaining({ code: "ENOENT" }));
  removeFolderDurably(folder.file("d"));
  expect(readdirSync(folder.path)).toEqual([]);
});

test("makeDirectory makes what is missing with its mode and leaves what is there", async () => {
  await using folder = scratch();
  mkdirSync(folder.file("there"), { mode: 0o711 });
  chmodSync(folder.file("there"), 0o711);
  const old = process.umask(0o077);
  try {
    makeDirectory(folder.file("there", "a", "b"), 0o755);
  } finally {
    process.umask(old);
  }
  makeDirectory(folder.file("there", "a"), 0o700);
  expect([["there"], ["there", "a"], ["there", "a", "b"]].map((names) => modeOf(folder.file(...names)))).toEqual([0o711, 0o755, 0o755]);
  writeDurably(folder.file("file"), "");
  expect(() => makeDirectory(folder.file("file"))).toThrow(expect.objectContaining({ code: "EEXIST" }));
});

test.skipIf(!isRoot)("a full disk and a read-only one keep what was there, with ENOSPC and EROFS (mounting needs root)", async () => {
  await using folder = scratch();
  const program = `
    import { openAppend, removeDurably, writeDurably } from ${JSON.stringify(import.meta.resolve("../../../src/sys/durable.ts"))};
    import { readdirSync, readFileSync } from "node:fs";
    const codeOf = (action) => { try { action(); return "done"; } catch (error) { return error.code; } };
    const log = openAppend("log");
    log.append("first\\n");
    writeDurably("state", "old");
    const full = [codeOf(() => writeDurably("state", "x".repeat(1e6))), codeOf(() => log.append("y".repeat(1e6)))];
    log.append("last\\n");
    const after = [readFileSync("state", "utf8"), readFileSync("log", "utf8"), readdirSync(".").sort()];
    log.close();
    Bun.spawnSync(["mount", "-o", "remount,ro", "."]);
    const readOnly = [codeOf(() => writeDurably("state", "new")), codeOf(() => openAppend("log")), codeOf(() => removeDurably("state"))];
    console.log(JSON.stringify({ full, after, readOnly }));
  `;
  writeFileSync(folder.file("program.ts"), program);
  mkdirSync(folder.file("disk"));
  const script = 'mount -t tmpfs -o size=128k op-dbus-test "$1" && cd "$1" && exec "$2" "$3"';
  const child = Bun.spawn(["unshare", "--mount", "sh", "-c", script, "sh", folder.file("disk"), process.execPath, folder.file("program.ts")], {
    stderr: "pipe",
  });
  const [out, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(errors).toBe("");
  expect(JSON.parse(out)).toEqual({
    full: ["ENOSPC", "ENOSPC"],
    after: ["old", "first\nlast\n", ["log", "state"]],
    readOnly: ["EROFS", "EROFS", "EROFS"],
  });
});

test("syncPaths lets pass a folder that cannot be synced, and no file that cannot", () => {
  expect(() => syncPaths(["/proc/self/nothing"])).not.toThrow();
  expect(() => syncPaths(["/proc/self/status"])).toThrow("EINVAL");
});
