import { blockText, parseBlock, type Block } from "./block.ts";
import { sha256 } from "./merkle.ts";

/*
 * The tail: blocks that are logged and not yet published, one frame each. A frame is
 *   SHA-256 of its content in hex, its length in bytes, each followed by a space and an end of line respectively
 *   content: the block's text and then its entries, a line each (canonical JSON has no end of line in it)
 * A frame is synced before the next is begun, so a crash can only tear the last one, and that one was never acknowledged.
 */

export interface Frame {
  readonly block: Block;
  readonly entries: readonly Buffer[];
}

export interface Frames {
  readonly frames: readonly Frame[];
  /** Bytes of the whole frames. */
  readonly length: number;
  /** "torn": after them is what a crash left of a frame. "damaged": after them is a bad frame and then a whole one. */
  readonly end: "whole" | "torn" | "damaged";
}

export function encodeFrame({ block, entries }: Frame): Buffer {
  const end = Buffer.from("\n");
  const content = Buffer.concat([Buffer.from(blockText(block)), end, ...entries.flatMap((entry) => [entry, end])]);
  return Buffer.concat([Buffer.from(`${hex(sha256(content))} ${content.length}\n`), content]);
}

export function decodeFrames(tail: Buffer): Frames {
  const { frames, length } = firstFrames(tail);
  if (length === tail.length) return { frames, length, end: "whole" };
  return { frames, length, end: hasFrameAfter(tail, length) ? "damaged" : "torn" };
}

/** The frames of bytes that are frames and nothing else; undefined for any others. */
export function wholeFrames(bytes: Buffer): readonly Frame[] | undefined {
  const { frames, length } = firstFrames(bytes);
  return length === bytes.length ? frames : undefined;
}

function firstFrames(tail: Buffer): { frames: readonly Frame[]; length: number } {
  const frames: Frame[] = [];
  let length = 0;
  for (let found = frameAt(tail, 0); found !== undefined; found = frameAt(tail, length)) {
    frames.push(found.frame);
    length = found.end;
  }
  return { frames, length };
}

const HEADER = /^([0-9a-f]{64}) (\d{1,10})\n/;
const HEADER_LIMIT_BYTES = 64 + 1 + 10 + 1;
const NEWLINE = 0x0a;

function frameAt(tail: Buffer, offset: number): { frame: Frame; end: number } | undefined {
  const [header, hash, digits] = HEADER.exec(tail.toString("latin1", offset, offset + HEADER_LIMIT_BYTES)) ?? [];
  if (header === undefined) return undefined;
  const start = offset + header.length;
  const end = start + Number(digits);
  if (end > tail.length || hex(sha256(tail.subarray(start, end))) !== hash) return undefined;
  const [first, ...entries] = linesOf(tail.subarray(start, end));
  const block = parseBlock(first?.toString() ?? "");
  return block === undefined || block.count !== entries.length ? undefined : { frame: { block, entries }, end };
}

function linesOf(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0, end = content.indexOf(NEWLINE); end >= 0; start = end + 1, end = content.indexOf(NEWLINE, start)) {
    lines.push(content.subarray(start, end));
  }
  return lines;
}

/** Only what was synced has a frame after it. */
function hasFrameAfter(tail: Buffer, offset: number): boolean {
  const text = tail.toString("latin1", offset + 1);
  return [...text.matchAll(/[0-9a-f]{64} \d{1,10}\n/g)].some(({ index }) => frameAt(tail, offset + 1 + index) !== undefined);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
