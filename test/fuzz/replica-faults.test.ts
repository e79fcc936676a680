import { describe, expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { openArchive } from "../../src/store/audit/archive.ts";
import { logged, replicateTo, verifiedSize } from "../unit/store/replica/sample-replica.ts";
import { FIRST, SECOND, snapshotted } from "../unit/store/sample-snapshots.ts";
import { openAt } from "../unit/store/samples.ts";
import { scratch } from "../unit/sys/scratch.ts";

/*
 * A replication that dies before, or is refused, each system call that writes, one after another: the replica verifies then and there,
 * has whole blocks and whole snapshots, has all when that was said, and the next run ends it with nothing left over.
 */

const WRITER = join(import.meta.dir, "replica-writer.ts");
const LOG_CALLS = ["fsync", "fdatasync", "rename", "ftruncate", "fchmod", "mkdir", "write"];

/**
 * How many entries there are before the run, and the blocks that it adds: nothing yet; a tile that the second block fills; nothing but snapshots,
 * of which the replica has one and a run that died left another's beginning.
 */
const RUNS = {
  first: { before: 0, blocks: [2, 3], calls: LOG_CALLS },
  later: { before: 250, blocks: [2, 5, 3], calls: [...LOG_CALLS, "unlink", "rmdir"] },
  snapshots: { before: 3, blocks: [], calls: ["fsync", "rename", "fchmod", "mkdir", "unlinkat", "write"] },
} as const;
const SHARED = { "current.json": "{}", "checkpoints/a.json": "a" };
/** Only the last is sent as bytes. */
const WRITTEN = ["state/current.json", "state/checkpoints/a.json", "state/lock"];

/** Replicates one snapshot, and takes another. */
async function withSnapshots(root: string, model: string): Promise<void> {
  await snapshotted(root, FIRST, { ...SHARED, lock: "1" });
  await replicateTo(root, model);
  await snapshotted(root, SECOND, { ...SHARED, lock: "2" });
  await replicateTo(root, model);
  renameSync(join(model, "snapshots", SECOND), join(model, "snapshots", `.op-dbus-${SECOND}`));
}

/** Runs the writer with a fault at the n-th call of a name; undefined where it makes fewer, and what it said otherwise. */
function withFault({ root, path }: { root: string; path: string }, { call, fault, nth }: { call: string; fault: string; nth: number }): string | undefined {
  const log = `${path}.strace`;
  // Of the writes only those into files: what it says goes through a pipe.
  const trace = call === "write" ? ["tail", ...WRITTEN.map((name) => join("snapshots", `.op-dbus-${SECOND}`, name))].flatMap((name) => ["-P", join(path, name)]) : [];
  const argv = ["strace", "-f", "-qq", "-o", log, ...trace, `--trace=${call}`, `--inject=${call}:${fault}:when=${nth}`, process.execPath, WRITER, root, path];
  const { stdout } = Bun.spawnSync(argv, { stderr: "ignore" });
  const said = stdout.toString().trimEnd().split("\n");
  if (/\(INJECTED\)|killed by SIGKILL/.test(Bun.spawnSync(["cat", log]).stdout.toString())) return said[0];
  expect(said.at(-1)).toBe("ended");
  return undefined;
}

describe.skipIf(Bun.which("strace") === null)("a fault in each call of a replication (needs strace)", () => {
  for (const [name, { before, blocks, calls }] of Object.entries(RUNS)) {
    for (const fault of ["signal=KILL", "error=ENOSPC", "error=EIO"]) {
      test.each(calls)(`${name}: %s ${fault}`, async (call) => {
        await using folder = scratch();
        const [root, model] = [folder.file("root"), folder.file("model")];
        if (before > 0) {
          await logged(root, [before]);
          await replicateTo(root, model);
        }
        if (name === "snapshots") await withSnapshots(root, model);
        await logged(root, blocks);
        const sizes = blocks.reduce<number[]>((ends, size) => [...ends, (ends.at(-1) ?? 0) + size], [openAt(root).audit.size() - blocks.reduce((sum, size) => sum + size, 0)]);
        const all = sizes.at(-1) ?? 0;
        const snapshots = name === "snapshots" ? 2 : 0;
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
          const there = size === 0 ? 0 : openArchive({ path }).snapshots().length;
          const isAll = size === all && there === snapshots;
          expect({ what, whole: sizes.includes(size), all: isAll || !said.startsWith("+") }).toEqual({ what, whole: true, all: true });
          const { from, snapshots: replicated } = await replicateTo(root, path);
          expect({ what, from, size: verifiedSize(path, root), sent: replicated.sent, there: openArchive({ path }).snapshots().length }).toEqual({ what, from: size, size: all, sent: snapshots - there, there: snapshots });
          const left = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((file) => basename(file).startsWith("."));
          expect({ what, left }).toEqual({ what, left: [] });
        }
        expect(tried).toBeGreaterThan(0);
      }, 300_000);
    }
  }
});
