import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "../../sys/scratch.ts";
import { openArchive } from "../../../../src/store/audit/archive.ts";
import { FIRST, SECOND, snapshotted } from "../sample-snapshots.ts";
import { converse, logged, replicateTo, serve, verifiedSize } from "./sample-replica.ts";

/** Three messages full of blocks, and then two of files. */
const BLOCKS = Array.from({ length: 9 }, () => 800);
const EVERYWHERE = 12;

test("a conversation that is cut at any byte leaves a replica that verifies, and the next run ends it", async () => {
  await using folder = scratch();
  const [root, path] = [folder.file("root"), folder.file("replica")];
  await logged(root, BLOCKS);
  await snapshotted(root, FIRST, { lock: "1", "current.json": "{}" });
  await snapshotted(root, SECOND, { lock: "2", "current.json": "{}", a: Buffer.alloc(1_200_000, "a"), b: "b" });
  const { said } = await converse(root, path);
  const starts = [...said.toString("latin1").matchAll(/(?:open|prove|take|offer|snapshot|contents) \d+\n/g)].map(({ index }) => index);
  expect(starts.length).toBeGreaterThanOrEqual(11);
  const cuts = new Set([...starts.flatMap((at) => [at, at + 1, at + 12]), ...Array.from({ length: EVERYWHERE }, (_, number) => Math.floor((said.length * number) / EVERYWHERE)), said.length - 1, said.length]);
  const [sizes, snapshots] = [new Set<number>(), new Set<number>()];
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    rmSync(path, { recursive: true, force: true });
    const error = await serve(said.subarray(0, cut), folder.path);
    expect({ cut, kind: (error as { kind?: string } | undefined)?.kind }).toEqual({ cut, kind: starts.includes(cut) || cut === said.length ? undefined : "invalid" });
    const size = existsSync(join(path, "checkpoint")) ? verifiedSize(path, root) : 0;
    sizes.add(size);
    const names = existsSync(join(path, "snapshots")) ? readdirSync(join(path, "snapshots")) : [];
    expect(names.filter((name) => ![FIRST, SECOND].includes(name))).toEqual([]);
    snapshots.add(names.length);
    expect(await replicateTo(root, path)).toMatchObject({ from: size, size: 7202, snapshots: { sent: 2 - names.length } });
    expect({ cut, verified: verifiedSize(path, root), snapshots: openArchive({ path }).snapshots().length }).toEqual({ cut, verified: 7202, snapshots: 2 });
  }
  // Nothing, each message's worth, all.
  expect(sizes.size).toBe([...said.toString("latin1").matchAll(/take \d+\n/g)].length + 1);
  expect(snapshots).toEqual(new Set([0, 1, 2]));
}, 120_000);
