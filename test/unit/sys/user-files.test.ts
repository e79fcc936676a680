import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { userFiles } from "../../../src/sys/user-files.ts";
import { isRoot, scratch } from "./scratch.ts";

const LIMIT = 1024 * 1024;

test("read gives a file's text, byte order mark and all", async () => {
  await using folder = scratch();
  writeFileSync(folder.file("a"), "\uFEFF{ \"ä\": 1 }");
  expect(userFiles.read(folder.file("a"), LIMIT)).toBe("\uFEFF{ \"ä\": 1 }");
  expect(userFiles.read("/proc/self/stat", LIMIT)).toContain("(");
});

test("read refuses, by its path, all that is not a readable text file within the limit", async () => {
  await using folder = scratch();
  writeFileSync(folder.file("big"), "");
  truncateSync(folder.file("big"), LIMIT + 1);
  writeFileSync(folder.file("latin1"), new Uint8Array([0xe4, 0x20]));
  symlinkSync("loop", folder.file("loop"));
  expect(Bun.spawnSync(["mkfifo", folder.file("fifo")]).exitCode).toBe(0);
  await using server = listen(folder.file("socket"));
  const cases: [string, string][] = [
    [folder.file("none"), "does not exist"],
    [folder.path, "is a folder, not a file"],
    [folder.file("fifo"), "is a pipe (FIFO), not a file"],
    ["/dev/zero", "is a device, not a file"],
    [server.path, "is a socket or a device, not a file"],
    [folder.file("big"), "is larger than 1 MiB, the most that is read"],
    [folder.file("latin1"), "is not UTF-8 text"],
    [folder.file("loop"), "cannot be read: its links go in a circle"],
    [folder.file("big", "below"), "cannot be read: a part of its path is not a folder"],
  ];
  for (const [path, what] of cases) {
    expect(() => userFiles.read(path, LIMIT)).toThrow(expect.objectContaining({ kind: "invalid", message: `${path} ${what}` }));
  }
  expect(() => userFiles.read("a\0b", LIMIT)).toThrow(expect.objectContaining({ kind: "invalid", message: expect.stringMatching(/^a\\u0000b /) }));
});

test.skipIf(isRoot)("read refuses what it has no permission for (root has it for everything)", async () => {
  await using folder = scratch();
  writeFileSync(folder.file("a"), "");
  chmodSync(folder.file("a"), 0);
  const denied = { kind: "invalid", message: `${folder.file("a")} cannot be read: permission denied` };
  expect(() => userFiles.read(folder.file("a"), LIMIT)).toThrow(expect.objectContaining(denied));
});

test("read takes standard input by '-', within the same limit", async () => {
  await using folder = scratch();
  writeFileSync(
    folder.file("program.ts"),
    `import { userFiles } from ${JSON.stringify(import.meta.resolve("../../../src/sys/user-files.ts"))};
     try { console.log(JSON.stringify(userFiles.read("-", 100_000))); } catch (error) { console.log(error.kind, error.message); }`,
  );
  const given = async (input: string) => {
    const child = Bun.spawn([process.execPath, folder.file("program.ts")], { stdin: new Blob([input]), stdout: "pipe" });
    return (await new Response(child.stdout).text()).trim();
  };
  expect(await given("")).toBe('""');
  expect(JSON.parse(await given("ä".repeat(50_000)))).toBe("ä".repeat(50_000));
  expect(await given("x".repeat(100_001))).toBe("invalid standard input is larger than 100000 bytes, the most that is read");
});

test("write makes a file, refuses one that is there, and replaces it when told to", async () => {
  await using folder = scratch();
  const path = folder.file("plan.json");
  userFiles.write(path, "one", { replace: false });
  expect(() => userFiles.write(path, "two", { replace: false })).toThrow(
    expect.objectContaining({ kind: "refused", message: `${path} exists already` }),
  );
  expect(readFileSync(path, "utf8")).toBe("one");
  userFiles.write(path, "three", { replace: true });
  expect(readFileSync(path, "utf8")).toBe("three");
  expect(readdirSync(folder.path)).toEqual(["plan.json"]);
});

test("write refuses a folder, a device and a folder that is not there", async () => {
  await using folder = scratch();
  mkdirSync(folder.file("d"));
  const cases: [string, string][] = [
    [folder.file("d"), "is a folder, not a file"],
    ["/dev/null", "is a device, not a file"],
    [folder.file("none", "a"), "cannot be written: there is no such folder"],
  ];
  for (const [path, what] of cases) {
    expect(() => userFiles.write(path, "x", { replace: true })).toThrow(expect.objectContaining({ kind: "invalid", message: `${path} ${what}` }));
  }
});

test("exists tells a file, a folder and a dangling link from nothing", async () => {
  await using folder = scratch();
  symlinkSync("/nowhere", folder.file("link"));
  expect([folder.path, folder.file("link"), folder.file("none")].map((path) => userFiles.exists(path))).toEqual([true, true, false]);
});

function listen(path: string): { path: string } & AsyncDisposable {
  const server = Bun.listen({ unix: path, socket: { data() {} } });
  return { path, [Symbol.asyncDispose]: async () => server.stop(true) };
}
