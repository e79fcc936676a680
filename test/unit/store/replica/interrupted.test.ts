import { expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "../../sys/scratch.ts";
import { converse, logged, replicateTo, serve, verifiedSize } from "./sample-replica.ts";

/** Three messages full of blocks. */
const BLOCKS = Array.from({ length: 9 }, () => 800);
const EVERYWHERE = 12;

test("a conversation that is cut at any byte leaves a replica that verifies, and the next run ends it", async () => {
  await using folder = scratch();
  const [root, path] = [folder.file("root"), folder.file("replica")];
  await logged(root, BLOCKS);
  const { said } = await converse(root, path);
  const starts = [...said.toString("latin1").matchAll(/(?:open|prove|take) \d+\n/g)].map(({ index }) => index);
  expect(starts.length).toBeGreaterThanOrEqual(5);
  const cuts = new Set([...starts.flatMap((at) => [at, at + 1, at + 12]), ...Array.from({ length: EVERYWHERE }, (_, number) => Math.floor((said.length * number) / EVERYWHERE)), said.length - 1, said.length]);
  const sizes = new Set<number>();
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    rmSync(path, { recursive: true, force: true });
    const error = await serve(said.subarray(0, cut), folder.path);
    expect({ cut, kind: (error as { kind?: string } | undefined)?.kind }).toEqual({ cut, kind: starts.includes(cut) || cut === said.length ? undefined : "invalid" });
    const size = existsSync(join(path, "checkpoint")) ? verifiedSize(path, root) : 0;
    sizes.add(size);
    expect(await replicateTo(root, path)).toMatchObject({ from: size, size: 7200 });
    expect({ cut, verified: verifiedSize(path, root) }).toEqual({ cut, verified: 7200 });
  }
  // Nothing, each message's worth, all.
  expect(sizes.size).toBe(starts.length - 1);
}, 120_000);
