import { OpError } from "../../core/errors.ts";
import { canonicalJson, hashJson, parseCanonical, toJson, type Json } from "../../core/json.ts";
import type { AuditEntry } from "../../core/ports.ts";
import { auditEntrySchema } from "../schemas.ts";
import { isPlainEntry } from "./plain-entry.ts";
import { checkStored, storable } from "../stored-json.ts";
import { ENTRY_LIMIT_BYTES } from "./bundle.ts";

/*
 * An entry as it is logged: canonical JSON (RFC 8785) of at most 65,535 bytes, its number in it.
 */

/** The entry's bytes, with the largest of what was, what is and what is to be said besides put in by hash until it is short enough. */
export function encodeEntry(entry: AuditEntry): Buffer {
  return shortened(storable(entry, auditEntrySchema));
}

function shortened(entry: AuditEntry): Buffer {
  const bytes = Buffer.from(canonicalJson(toJson(entry)));
  if (bytes.length <= ENTRY_LIMIT_BYTES) return bytes;
  const sizes = (["before", "after", "detail"] as const).map((key) => ({ key, bytes: sizeOf(entry[key]) }));
  const largest = sizes.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  const value = entry[largest.key];
  if (value === undefined || largest.bytes <= SIZE_BY_HASH) {
    throw new OpError("internal", `An audit entry is longer than ${ENTRY_LIMIT_BYTES} bytes without what can go in by hash`);
  }
  return shortened({ ...entry, [largest.key]: { bytes: largest.bytes, sha256: hashJson(value) } });
}

/** Longer than {"bytes":…,"sha256":…} can be. */
const SIZE_BY_HASH = 128;

function sizeOf(value: Json | undefined): number {
  return value === undefined ? 0 : Buffer.byteLength(canonicalJson(value));
}

/** The entry in a span; undefined for anything else. */
export function readEntry(bytes: Buffer, { start, end }: { start: number; end: number }): AuditEntry | undefined {
  const value = parseCanonical(bytes.toString("utf8", start, end));
  return value !== undefined && isPlainEntry(value) ? value : undefined;
}

/** The entry in `bytes` from `start` to `end`; throws what `failure` makes of what is wrong with it. */
export function decodeEntry(bytes: Buffer, { start, end }: { start: number; end: number }, number: number, failure: (what: string) => OpError): AuditEntry {
  const text = bytes.toString("utf8", start, end);
  const value = parseCanonical(text);
  // What is not UTF-8 is read as U+FFFD, which may also stand there by right.
  if (value === undefined || (text.includes("\ufffd") && Buffer.from(text).compare(bytes, start, end) !== 0)) {
    throw failure("it is not JSON in canonical form");
  }
  // The schema has the words for what is wrong and takes its time; a million entries in order need none.
  const entry = isPlainEntry(value) ? value : checkStored(value, auditEntrySchema, failure);
  if (entry.index !== number) throw failure(`entry ${entry.index} stands in its place`);
  return entry;
}
