import { describe, expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { logged, replicateTo, verifiedSize } from "../unit/store/replica/sample-replica.ts";
import { scratch } from "../unit/sys/scratch.ts";

/*
 * A replication that dies before, or is refused, each system call that writes, one after another: the replica verifies then and there,
 * has whole blocks, has all when that was said, and the next run ends it with nothing left over.
 */

const WRITER = join(import.meta.dir, "replica-writer.ts");
const CALLS = ["fsync", "fdatasync", "rename", "ftruncate", "unlink", "fchmod", "mkdir", "rmdir", "write"];

/** How many entries there are before the run, and the blocks that it adds: nothing yet; a tile that the second block fills. */
const RUNS = { first: { before: 0, blocks: [2, 3] }, later: { before: 250, blocks: [2, 5, 3] } } as const;

/** Runs the writer with a fault at the n-th call of a name; undefined where it makes fewer, and what it said otherwise. */
function withFault({ root, path }: { root: string; path: string }, { call, fault, nth }: { call: string; fault: string; nth: number }): string | undefined {
  const log = `${path}.strace`;
  // Of the writes only those into files: what it says goes through a pipe.
  const trace = call === "write" ? ["-P", join(path, "tail")] : [];
  const argv = ["strace", "-f", "-qq", "-o", log, ...trace, `--trace=${call}`, `--inject=${call}:${fault}:when=${nth}`, process.execPath, WRITER, root, path];
  const { stdout } = Bun.spawnSync(argv, { stderr: "ignore" });
  const said = stdout.toString().trimEnd().split("\n");
  if (/\(INJECTED\)|killed by SIGKILL/.test(Bun.spawnSync(["cat", log]).stdout.toString())) return said[0];
  expect(said.at(-1)).toBe("ended");
  return undefined;
}

describe.skipIf(Bun.which("strace") === null)("a fault in each call of a replication (needs strace)", () => {
  for (const [name, { before, blocks }] of Object.entries(RUNS)) {
    for (const fault of ["signal=KILL", "error=ENOSPC", "error=EIO"]) {
      test.each(CALLS)(`${name}: %s ${fault}`, async (call) => {
        await using folder = scratch();
        const [root, model] = [folder.file("root"), folder.file("model")];
        if (before > 0) {
          await logged(root, [before]);
          await replicateTo(root, model);
        }
        await logged(root, blocks);
        const sizes = blocks.reduce<number[]>((ends, size) => [...ends, (ends.at(-1) ?? 0) + size], [before]);
        const all = sizes.at(-1) ?? 0;
        let tried = 0;
        for (let nth = 1; ; nth += 1) {
          const path = folder.file(`${nth}`);
          if (existsSync(model)) cpSync(model, path, { recursive: true });
          const said = withFault({ root, path }, { call, fault, nth });
          if (said === undefined) break;
          tried += 1;
          const what = `${name} ${call} ${nth} ${fault}: ${said}`;
          // Before the first block is in the tail there is no replica to verify.
          const size = ["tail", "checkpoint"].some((file) => existsSync(join(path, file)) && Bun.file(join(path, file)).size > 0) ? verifiedSize(path, root) : 0;
          expect({ what, whole: sizes.includes(size), all: size === all || said !== `+ ${all}` }).toEqual({ what, whole: true, all: true });
          const { from } = await replicateTo(root, path);
          expect({ what, from, size: verifiedSize(path, root) }).toEqual({ what, from: size, size: all });
          expect({ what, left: readdirSync(path).filter((file) => file.startsWith(".")) }).toEqual({ what, left: [] });
        }
        // A first run fills no tile and so removes nothing; a later one makes no folders but those of new partial tiles.
        if (!["rmdir", "unlink", "ftruncate"].includes(call)) expect(tried).toBeGreaterThan(0);
      }, 300_000);
    }
  }
});
