import { describe, expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { openArchive } from "../../src/store/audit/archive.ts";
import { openAt } from "../unit/store/samples.ts";
import { sampleEvent } from "../unit/store/audit/log-copy.ts";
import { scratch } from "../unit/sys/scratch.ts";

/*
 * A writer that dies before, or is refused, each system call that writes, one after another: what it said was logged is there,
 * what it said was not is not, and the log verifies and can be written again.
 */

const WRITER = join(import.meta.dir, "audit-writer.ts");
const CALLS = ["fsync", "fdatasync", "rename", "ftruncate", "unlink", "fchmod", "mkdir", "rmdir"];
const BATCHES: Readonly<Record<string, number>> = { alone: 2, first: 1, second: 5, last: 3 };

/** 250 entries: the first batch after that fills no tile, the third does. */
const BEFORE = 250;

async function begun(root: string): Promise<void> {
  const { audit } = openAt(root);
  await audit.append(Array.from({ length: BEFORE }, (_, number) => sampleEvent(number)));
}

/** Runs the writer with a fault at the n-th call of a name; undefined where it makes fewer. */
function withFault(root: string, { call, fault, nth }: { call: string; fault: string; nth: number }): { logged: string[]; refused: string[] } | undefined {
  const log = `${root}.strace`;
  const argv = ["strace", "-f", "-qq", "-o", log, `--trace=${call}`, `--inject=${call}:${fault}:when=${nth}`, process.execPath, WRITER, root];
  const { stdout } = Bun.spawnSync(argv, { stderr: "ignore" });
  const lines = stdout.toString().trimEnd().split("\n");
  const injected = /\(INJECTED\)|killed by SIGKILL/.test(Bun.spawnSync(["cat", log]).stdout.toString());
  if (!injected) {
    expect(lines.at(-1)).toBe("ended");
    return undefined;
  }
  const named = (sign: string) => lines.filter((line) => line.startsWith(sign)).map((line) => line.split(" ")[1] ?? "");
  return { logged: named("+ "), refused: named("- ") };
}

/** Every batch is there whole or not at all, in order; those that the writer spoke of as it said. */
function expectTrue(root: string, { logged, refused }: { logged: string[]; refused: string[] }, what: string): void {
  const details = [...openAt(root).audit.entries({ from: BEFORE })].map(({ detail }) => String(detail));
  const there = [...new Set(details)];
  const whole = there.every((name) => details.filter((detail) => detail === name).length === BATCHES[name]);
  const inOrder = there.join() === Object.keys(BATCHES).filter((name) => there.includes(name)).join();
  const lost = logged.filter((name) => !there.includes(name));
  const kept = refused.filter((name) => there.includes(name));
  const verified = openArchive({ root }).verify(() => () => undefined).size;
  expect({ what, whole, inOrder, lost, kept, verified }).toEqual({ what, whole: true, inOrder: true, lost: [], kept: [], verified: BEFORE + details.length });
}

describe.skipIf(Bun.which("strace") === null)("a fault in each call of a writer (needs strace)", () => {
  for (const fault of ["signal=KILL", "error=ENOSPC", "error=EIO"]) {
    test.each(CALLS)(`%s ${fault}`, async (call) => {
      await using folder = scratch();
      await begun(folder.file("model"));
      for (let nth = 1; ; nth += 1) {
        const root = folder.file(`${nth}`);
        cpSync(folder.file("model"), root, { recursive: true });
        const said = withFault(root, { call, fault, nth });
        if (said === undefined) {
          expect(nth).toBeGreaterThan(1);
          return;
        }
        const what = `${call} ${nth} ${fault}`;
        expectTrue(root, said, what);
        await openAt(root).audit.append([{ kind: "plan" }]);
        const { unpublished, size } = openArchive({ root }).verify(() => () => undefined);
        expect({ what, unpublished, more: size > BEFORE }).toEqual({ what, unpublished: 0, more: true });
      }
    }, 300_000);
  }
});
