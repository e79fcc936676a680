import { readFileSync } from "node:fs";
import { join } from "node:path";
import { spansOf } from "../../../../src/store/audit/bundle.ts";
import { VerifierKey } from "../../../../src/store/audit/note.ts";
import { openAt } from "../samples.ts";
import { sampleEvent } from "./log-copy.ts";

export const [ENTRIES, BLOCK] = [300, 30];

/** A log of 300 entries in 10 blocks in a state directory; its folder. `afterBlock` is called with it after each block. */
export async function writeSampleLog(root: string, afterBlock: (block: number, timing: string) => void = () => undefined): Promise<string> {
  const { audit, paths } = openAt(root);
  for (let block = 0; block < ENTRIES / BLOCK; block += 1) {
    await audit.append(Array.from({ length: BLOCK }, (_, offset) => sampleEvent(block * BLOCK + offset)));
    afterBlock(block, paths.timing);
  }
  return paths.timing;
}

/** The same log with its first bundle pruned, and an entry, 300, that says so; its folder. `beforehand` is called with it. */
export async function writePrunedLog(root: string, beforehand: (timing: string) => void = () => undefined): Promise<string> {
  const path = await writeSampleLog(root);
  beforehand(path);
  const { pruning } = openAt(root);
  await pruning.prune(pruning.plan(new Date("2027-01-01")));
  return path;
}

export function keyIn(path: string): VerifierKey {
  const key = VerifierKey.parse(readFileSync(join(path, "verifier-key"), "utf8").trimEnd());
  if (key === undefined) throw new Error("There is no key");
  return key;
}

/** Which entry a byte of a file belongs to; undefined where it belongs to no one entry. */
export function entryAt(name: string, bytes: Buffer, offset: number): number | undefined {
  const [, level, tile = "0"] = /^tile\/(\d|entries)\/(\d{3})/.exec(name) ?? [];
  const [, block] = /^blocks\/(\d+)\.json$/.exec(name) ?? [];
  if (block !== undefined) return Number(block) * BLOCK;
  if (level === "0") return Number(tile) * 256 + Math.floor(offset / 32);
  if (level === "1") return Math.floor(offset / 32) * 256;
  if (level !== "entries") return undefined;
  const { spans, count } = spansOf(bytes, 256);
  const at = Array.from({ length: count }, (_, number) => spans[2 * number + 1] ?? 0).findIndex((end) => offset < end);
  return Number(tile) * 256 + at;
}

/**
 * The entry that is named when a byte of a log is changed that was pruned up to a number (0: not at all). Of an entry whose hash alone is
 * there the block is vouched for as a whole. For what is gone only the prune's own entry vouches, which is found by the lengths before it.
 */
export function vouchedAt(name: string, bytes: Buffer, offset: number, minimumIndex: number): number | undefined {
  const entry = entryAt(name, bytes, offset);
  if (minimumIndex === 0 || entry === undefined || name.startsWith("blocks/")) return entry;
  if (entry === ENTRIES || (name === "tile/entries/001.p/45" && isLength(bytes, offset))) return 0;
  return entry < minimumIndex ? entry - (entry % BLOCK) : entry;
}

function isLength(bundle: Buffer, offset: number): boolean {
  const { spans, count } = spansOf(bundle, 256);
  return Array.from({ length: count }, (_, number) => spans[2 * number] ?? 0).some((start) => offset === start - 1 || offset === start - 2);
}
