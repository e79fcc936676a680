import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openArchive } from "../../src/store/audit/archive.ts";
import { spansOf } from "../../src/store/audit/bundle.ts";
import { builtBinary } from "../host/harness/folders.ts";
import { openAt } from "../unit/store/samples.ts";
import { sampleEvent } from "../unit/store/audit/log-copy.ts";
import { scratch, type Scratch } from "../unit/sys/scratch.ts";

/*
 * The built binary prunes and dies before, or is refused, each system call that writes or removes, one after another: nothing is gone
 * that the log does not say was pruned, nothing that stays is lost, and the next prune ends what was begun.
 */

const CALLS = ["fsync", "fdatasync", "rename", "unlink", "rmdir", "ftruncate", "fchmod", "mkdir"];
const [ENTRIES, OLD] = [600, 512];
const BEFORE = "2027-01-01";

describe.skipIf(Bun.which("strace") === null)("a fault in each call of audit prune (needs strace)", () => {
  let folder: Scratch;

  beforeAll(async () => {
    folder = scratch();
    const { audit, paths } = openAt(folder.file("model"));
    for (let first = 0; first < ENTRIES; first += 100) await audit.append(Array.from({ length: 100 }, (_, offset) => sampleEvent(first + offset)));
    // What a crash leaves of a bundle that became full.
    const entries = join(paths.timing, "tile/entries");
    const bundle = readFileSync(join(entries, "000"));
    mkdirSync(join(entries, "000.p"));
    writeFileSync(join(entries, "000.p/100"), bundle.subarray(0, spansOf(bundle, 100).length));
  });

  afterAll(() => folder[Symbol.asyncDispose]());

  /** Runs a prune with a fault at the n-th call of a name; its exit code, undefined where it makes fewer. */
  function pruneWithFault(root: string, { call, fault, nth }: { call: string; fault: string; nth: number }): { exit: number } | undefined {
    const log = `${root}.strace`;
    const argv = ["strace", "-f", "-qq", "-o", log, `--trace=${call}`, `--inject=${call}:${fault}:when=${nth}`, builtBinary(), "audit", "prune", "--before", BEFORE, "--yes", "--root", root];
    const { exitCode } = Bun.spawnSync(argv, { stdout: "ignore", stderr: "ignore" });
    if (/\(INJECTED\)|killed by SIGKILL/.test(readFileSync(log, "latin1"))) return { exit: exitCode ?? -1 };
    expect(exitCode).toBe(0);
    return undefined;
  }

  const bundlesIn = (root: string) => readdirSync(join(openAt(root).paths.timing, "tile/entries")).sort();
  const verified = (root: string) => openArchive({ root }).verify(() => () => undefined);
  const kept = (root: string) => [...openAt(root).audit.entries({ from: OLD, to: ENTRIES })].length;

  for (const fault of ["signal=KILL", "error=ENOSPC", "error=EIO"]) {
    test.each(CALLS)(`%s ${fault}`, async (call) => {
      for (let nth = 1; ; nth += 1) {
        const root = folder.file(`${call}-${fault}-${nth}`);
        cpSync(folder.file("model"), root, { recursive: true });
        const ended = pruneWithFault(root, { call, fault, nth });
        const what = `${call} ${nth} ${fault}`;
        const { pruned, size } = verified(root);
        // Exit 0 means that all of it is gone.
        const done = ended === undefined || ended.exit === 0;
        if (done) expect({ what, left: bundlesIn(root), bundlesLeft: pruned?.bundlesLeft }).toEqual({ what, left: ["002.p"], bundlesLeft: 0 });
        expect({ what, kept: kept(root), size: size - (pruned === undefined ? 0 : 1) }).toEqual({ what, kept: ENTRIES - OLD, size: ENTRIES });
        const { pruning } = openAt(root);
        // One that lets nothing go by itself ends what was announced.
        const begun = pruned !== undefined;
        await pruning.prune(pruning.plan(new Date(begun ? 0 : BEFORE)));
        expect({ what, left: bundlesIn(root), kept: kept(root), ...verified(root).pruned }).toMatchObject({ what, left: ["002.p"], kept: ENTRIES - OLD, minimumIndex: OLD, bundlesLeft: 0 });
        if (ended !== undefined) continue;
        expect({ call, faults: nth - 1 }).not.toEqual({ call, faults: 0 });
        return;
      }
    }, 300_000);
  }
});
