import * as v from "valibot";
import { OpError } from "../core/errors.ts";
import { canonicalJson, hashJson, isObject, toJson, type Json, type JsonObject } from "../core/json.ts";
import type { AuditEntry } from "../core/ports.ts";
import { auditEntrySchema } from "./schemas.ts";
import { checkStored, storable } from "./stored-json.ts";

/*
 * The form of the audit log, and all that knows it: lines of canonical JSON, one an entry. Besides the entry a line has
 *   batch     [first, count]: the entries that were appended together
 *   hash      SHA-256 over the line's canonical form without this key
 *   previous  SHA-256 over the line before it, sixty-four zeroes in the first
 * Anyone can check it with sha256sum and a JSON tool. It shows what was changed in the middle, not what was cut from the end.
 */

const batchSchema = v.tuple([v.number(), v.number()]);

/** No entry's line is longer. */
export const ENTRY_LIMIT_BYTES = 65_535;

/** Where the next entry goes: after `length` bytes, as number `index`. */
export interface ChainEnd {
  readonly length: number;
  readonly index: number;
  readonly previous: string;
}

const START: ChainEnd = { length: 0, index: 0, previous: "0".repeat(64) };

/** The lines that continue the chain with these entries, as one batch. */
export function linesAfter(end: ChainEnd, entries: readonly Omit<AuditEntry, "index">[]): string {
  let previous = end.previous;
  let text = "";
  for (const [offset, entry] of entries.entries()) {
    const numbered = storable<AuditEntry>({ ...entry, index: end.index + offset }, auditEntrySchema);
    const line = lineOf(numbered, previous, [end.index, entries.length]);
    previous = sha256(line);
    text += `${line}\n`;
  }
  return text;
}

/** All entries that were appended whole. Throws kind integrity, naming the first entry that does not fit by its number. */
export function readChain(bytes: Buffer, path: string): AuditEntry[] {
  let previous = START.previous;
  return wholeLines(bytes).map(({ text }, number) => {
    const failure = (what: string) => new OpError("integrity", `Entry ${number} of the audit log ${path} does not verify: ${what}`);
    const { members, entry } = parseLine(text, failure);
    if (members.index !== number) throw failure(`entry ${JSON.stringify(members.index)} stands in its place`);
    if (members.previous !== previous) throw failure("it does not follow from the entry before it");
    previous = sha256(text);
    return entry;
  });
}

/** The end of the chain, by the end of the file alone; undefined where that does not tell, or does not verify. */
export function endOfChain(bytes: Buffer, offset: number): ChainEnd | undefined {
  // What stands before the first end of a line is the rest of an entry, or one that may be.
  const skipped = offset === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
  const lines = wholeLines(bytes.subarray(skipped));
  const last = lines.at(-1);
  if (last === undefined) return offset === 0 ? START : undefined;
  const batch = batchOf(last.text);
  if (batch === undefined || (offset > 0 && batch.index - batch.first >= lines.length)) return undefined;
  return { length: offset + skipped + last.end, index: batch.index + 1, previous: sha256(last.text) };
}

const NEWLINE = 0x0a;

interface Line {
  readonly text: string;
  /** In bytes, its end of line included. */
  readonly end: number;
  /** It has a NUL byte, which no line has: the file grew before the disk had its bytes. */
  readonly holed: boolean;
}

/** The lines of all batches that were written whole. A crash leaves at most the last one in part; it was never acknowledged. */
function wholeLines(bytes: Buffer): Line[] {
  const lines: Line[] = [];
  for (let start = 0, end = bytes.indexOf(NEWLINE) + 1; end > 0; start = end, end = bytes.indexOf(NEWLINE, start) + 1) {
    const line = bytes.subarray(start, end - 1);
    lines.push({ text: line.toString("utf8"), end, holed: line.includes(0) });
  }
  const last = lines.findLastIndex(({ holed }) => !holed);
  const batch = batchOf(lines[last]?.text ?? "");
  if (batch === undefined) return lines.slice(0, last + 1);
  const { index, first, count } = batch;
  const begin = Math.max(0, last - (index - first));
  const whole = index === first + count - 1 && !lines.slice(begin, last).some(({ holed }) => holed);
  return lines.slice(0, whole ? last + 1 : begin);
}

/** Undefined for a line that does not verify: nothing it says is to be believed. */
function batchOf(text: string): { index: number; first: number; count: number } | undefined {
  try {
    const { members, entry } = parseLine(text, (what) => new OpError("integrity", what));
    const [first, count] = members.batch as readonly number[];
    return first === undefined || count === undefined ? undefined : { index: entry.index, first, count };
  } catch {
    return undefined;
  }
}

function parseLine(text: string, failure: (what: string) => OpError): { members: JsonObject; entry: AuditEntry } {
  const members = parsed(text);
  if (!isObject(members)) throw failure("it is not a JSON object");
  const { hash, ...hashed } = members;
  if (!isCanonical(members, text)) throw failure("it is not in canonical form");
  if (hash !== hashJson(hashed)) throw failure("its hash does not match what it says");
  const { batch, previous: _, ...entry } = hashed;
  if (!v.is(batchSchema, batch)) throw failure("it does not say what it was appended with");
  return { members, entry: checkStored(entry, auditEntrySchema, failure) };
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function isCanonical(value: Json, text: string): boolean {
  try {
    return canonicalJson(value) === text;
  } catch {
    return false;
  }
}

/** The line, with the largest of what was, what is and what is to be said besides put in by hash until it is short enough. */
function lineOf(entry: AuditEntry, previous: string, batch: readonly number[]): string {
  const hashed = { ...(toJson(entry) as JsonObject), previous, batch };
  const line = canonicalJson({ ...hashed, hash: hashJson(hashed) });
  if (Buffer.byteLength(line) <= ENTRY_LIMIT_BYTES) return line;
  const sizes = (["before", "after", "detail"] as const).map((key) => ({ key, bytes: sizeOf(entry[key]) }));
  const largest = sizes.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  const value = entry[largest.key];
  if (value === undefined || largest.bytes <= SIZE_BY_HASH) {
    throw new OpError("internal", `An audit entry is longer than ${ENTRY_LIMIT_BYTES} bytes without what can go in by hash`);
  }
  return lineOf({ ...entry, [largest.key]: { bytes: largest.bytes, sha256: hashJson(value) } }, previous, batch);
}

/** Longer than {"bytes":…,"sha256":…} can be. */
const SIZE_BY_HASH = 128;

function sizeOf(value: Json | undefined): number {
  return value === undefined ? 0 : Buffer.byteLength(canonicalJson(value));
}

function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
