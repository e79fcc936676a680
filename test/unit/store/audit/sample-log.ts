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
