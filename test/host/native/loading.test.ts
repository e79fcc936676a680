import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { must } from "../harness/command.ts";
import { CACHE, CHECKOUT, requireRoot } from "../harness/folders.ts";

setDefaultTimeout(300_000);

let folder: string;
let probe: string;

beforeAll(async () => {
  requireRoot();
  mkdirSync(CACHE, { recursive: true });
  folder = mkdtempSync(join(CACHE, "loading-"));
  probe = join(folder, "op-dbus");
  await must([process.execPath, join(CHECKOUT, "scripts/lib/build.ts"), "--entry", join(import.meta.dir, "loading-probe.ts"), "--outdir", folder], { timeoutMs: 240_000 });
});

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

/** What the compiled probe finds in a mount namespace that a script has prepared. It runs from /mnt: the checkout may itself be below /tmp. */
async function found(prepare: string): Promise<unknown> {
  const argv = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", `mount --bind "$0" /mnt\n${prepare}\nexec /mnt/op-dbus`, folder];
  const { stdout, stderr } = await must(argv, { env: { PATH: process.env.PATH ?? "" }, cwd: "/" });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

const LOADED = { before: false, answer: false, after: true };

test("a binary has the library from memory, and not before it is used", async () => {
  expect(await found(":")).toEqual({ ...LOADED, extracted: true });
});

test("a binary has the library where nothing can be written, or executed, in any temporary folder", async () => {
  const everywhere = (options: string) => `for place in /tmp /var/tmp /dev/shm /run; do mount -t tmpfs -o ${options} tmpfs $place; done`;
  expect(await found(everywhere("ro"))).toEqual({ ...LOADED, extracted: false });
  expect(await found(everywhere("noexec"))).toEqual({ ...LOADED, extracted: false });
  expect(await found(everywhere("ro,noexec"))).toEqual({ ...LOADED, extracted: false });
});

test("a binary has the library where memory files may not be executable", async () => {
  const argv = ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-euc", 'echo 2 >/proc/sys/vm/memfd_noexec; exec "$0"', probe];
  expect(JSON.parse((await must(argv)).stdout)).toMatchObject(LOADED);
});

test("from source, a library that is not built is an error that says how to build it", async () => {
  const copy = join(folder, "checkout/src/sys/native");
  await must(["mkdir", "-p", join(folder, "checkout")]);
  await must(["cp", "-r", join(CHECKOUT, "src"), join(folder, "checkout/src")]);
  const script = `const { isBtrfs } = await import(${JSON.stringify(join(copy, "btrfs.ts"))}); try { isBtrfs("/"); } catch (error) { console.log(error.kind + ": " + error.message + ": " + error.hint); }`;
  const { stdout } = await must([process.execPath, "-e", script], { cwd: folder });
  expect(stdout.trim()).toBe(
    `unavailable: The native library ${join(folder, `checkout/dist/native/${process.arch}.so`)} is not built: make -C native builds it; that needs make, gcc, libc6-dev and linux-libc-dev`,
  );
});

test("without a compiler, the build says which packages are missing", async () => {
  const tools = join(folder, "tools");
  await must(["mkdir", tools]);
  for (const name of ["make", "uname", "sh", "mkdir"]) {
    copyFileSync(Bun.which(name) ?? "", join(tools, name));
    chmodSync(join(tools, name), 0o755);
  }
  await must(["cp", "-r", join(CHECKOUT, "native"), join(CHECKOUT, "scripts"), join(CHECKOUT, "package.json"), join(folder, "checkout")]);
  const script = `const { buildLibrary } = await import("./scripts/lib/native.ts"); await buildLibrary().catch((error) => console.log(error.message));`;
  const run = async (path: string) => (await must([process.execPath, "-e", script], { cwd: join(folder, "checkout"), env: { PATH: path } })).stdout;
  const missing = `The native library for ${process.arch} cannot be built. It needs these Debian packages: make, gcc, libc6-dev\n`;
  const withoutCompiler = await run(tools);
  expect(withoutCompiler).toStartWith(missing);
  expect(withoutCompiler).toContain("gcc: not found");
  expect(await run("/nowhere")).toStartWith(missing);
});
