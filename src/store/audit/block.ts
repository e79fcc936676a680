import * as v from "valibot";
import { canonicalJson, parseCanonical, type JsonObject } from "../../core/json.ts";
import { sha256 } from "./merkle.ts";

/** A batch of entries that were logged together, without the entries: what `blocks/NUMBER.json` says, in canonical JSON. */
export interface Block {
  readonly number: number;
  /** The number of its first entry, and how many it has. */
  readonly first: number;
  readonly count: number;
  /** SHA-256 of the block before it, as that one's file has it; sixty-four zeroes in the first. */
  readonly previous: string;
  /** The signed tree head of the log up to and with this block. */
  readonly head: string;
}

export const NO_BLOCK_HASH = "0".repeat(64);

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const schema = v.strictObject({
  number: count,
  first: count,
  count: v.pipe(count, v.minValue(1)),
  previous: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  head: v.string(),
});

export function blockText(block: Block): string {
  return canonicalJson({ ...block } satisfies JsonObject);
}

/** Undefined for a text that is not a block's. */
export function parseBlock(text: string): Block | undefined {
  const value = parseCanonical(text);
  return v.is(schema, value) ? value : undefined;
}

export function blockHash(text: string): string {
  return Buffer.from(sha256(Buffer.from(text))).toString("hex");
}
