import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openArchive } from "../../src/store/audit/archive.ts";
import { scratch } from "../unit/sys/scratch.ts";
import { openAt } from "../unit/store/samples.ts";
import { sampleEvent } from "../unit/store/audit/log-copy.ts";
import { logged, replicateTo } from "../unit/store/replica/sample-replica.ts";

/*
 * Our log read by tlog/verify.go, which shares no code with us: it is built on golang.org/x/mod/sumdb and reads C2SP's texts itself.
 */

const hasGo = Bun.which("go") !== null;
/** Where Debian's packages keep Go's libraries. */
const GO = { ...process.env, GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOFLAGS: "" };

describe.skipIf(!hasGo)("an independent verifier (needs go and golang-golang-x-mod-dev)", () => {
  const built = mkdtempSync(join(tmpdir(), "opd-verify-"));
  const program = join(built, "verify");

  beforeAll(() => {
    const { stderr } = Bun.spawnSync(["go", "build", "-o", program, "verify.go"], { cwd: join(import.meta.dir, "tlog"), env: GO });
    expect(stderr.toString()).toBe("");
  }, 60_000);

  afterAll(() => rmSync(built, { recursive: true }));

  function verify(...args: string[]): { exit: number; said: string } {
    const { exitCode, stdout, stderr } = Bun.spawnSync([program, ...args]);
    return { exit: exitCode, said: stdout.toString() + stderr.toString() };
  }

  /** A log with a block of each of these sizes, and the proofs of some of its entries. */
  async function written(folder: { path: string; file(...names: string[]): string }, sizes: readonly number[]) {
    const { audit, paths } = openAt(folder.file("root"));
    let number = 0;
    for (const size of sizes) await audit.append(Array.from({ length: size }, () => sampleEvent(number++)));
    const archive = openArchive({ root: folder.file("root") });
    const proofs = [0, Math.floor(number / 2), number - 1].map((index) => {
      const path = folder.file(`${index}.tlog-proof`);
      writeFileSync(path, archive.prove(index));
      return path;
    });
    return { path: paths.timing, key: archive.key, proofs, number };
  }

  test.each([
    [[1]],
    [[1, 1, 1]],
    [[255, 1]],
    [[256]],
    [[256, 1]],
    [[100, 100, 100, 212, 1]],
    [Array.from({ length: 10 }, () => 30)],
    [[65_536 - 7, 7, 3]],
  ])("takes a log of blocks of %j", async (sizes) => {
    await using folder = scratch();
    const { path, key, proofs, number } = await written(folder, sizes);
    expect(verify(path, key, ...proofs)).toEqual({ exit: 0, said: `${number} entries in ${sizes.length} blocks, 3 proofs\n` });
  }, 120_000);

  test("takes a replica, and the log's proofs with it, whichever way it grew", async () => {
    await using folder = scratch();
    const { key, proofs, number } = await written(folder, [200, 90, 300, 1]);
    const [root, path] = [folder.file("root"), folder.file("replica")];
    await replicateTo(root, path);
    expect(verify(path, key, ...proofs)).toEqual({ exit: 0, said: `${number} entries in 4 blocks, 3 proofs\n` });
    for (const more of [1, 176, 257]) {
      await logged(root, [more]);
      await replicateTo(root, path);
    }
    expect(verify(path, key)).toEqual({ exit: 0, said: `${number + 434} entries in 7 blocks, 0 proofs\n` });
  }, 60_000);

  test.each([[[600]], [[100, 100, 100, 400]], [[65_536 - 7, 7, 600]]])("takes a pruned log of blocks of %j, when it is told the minimum index", async (sizes) => {
    await using folder = scratch();
    const { path, key, proofs, number } = await written(folder, sizes);
    const { pruning, audit } = openAt(folder.file("root"));
    await pruning.prune(pruning.plan(new Date("2027-01-01")));
    const minimum = audit.pruned()?.minimumIndex ?? 0;
    expect(minimum).toBe(number - (number % 256));
    const told = (index: number) => verify("-minimum-index", String(index), path, key, ...proofs);
    expect(told(minimum)).toEqual({ exit: 0, said: `${number + 1} entries in ${sizes.length + 1} blocks, 3 proofs\n` });
    expect(verify(path, key, ...proofs).exit).toBe(1);
    expect(told(minimum - 256).exit).toBe(1);
    expect(told(minimum + 256)).toMatchObject({ exit: 1, said: expect.stringContaining("no entry says") });
    // A kept hash of an entry that is gone.
    const tile = join(path, "tile/0/000");
    const bytes = readFileSync(tile);
    writeFileSync(tile, Buffer.from(bytes).fill((bytes[40] ?? 0) ^ 1, 40, 41));
    expect(told(minimum).exit).toBe(1);
  }, 120_000);

  test("refuses one with a byte changed in any kind of file", async () => {
    await using folder = scratch();
    const { path, key, proofs } = await written(folder, [200, 90, 10]);
    for (const file of ["checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44", "blocks/1.json"].map((name) => join(path, name)).concat(proofs)) {
      const bytes = readFileSync(file);
      const changed = Buffer.from(bytes);
      const at = Math.floor(bytes.length / 2);
      changed[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(file, changed);
      expect({ file, ...verify(path, key, ...proofs) }).toMatchObject({ file, exit: 1 });
      writeFileSync(file, bytes);
    }
    expect(verify(path, key, ...proofs).exit).toBe(0);
  }, 60_000);
});
