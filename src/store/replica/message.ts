import * as v from "valibot";
import { OpError, type ErrorKind } from "../../core/errors.ts";
import { canonicalJson, parseCanonical, type Json } from "../../core/json.ts";
import { decodeBase64, encodeBase64 } from "../audit/base64.ts";
import { HASH_BYTES } from "../audit/merkle.ts";
import { CONTENTS_LIMIT_BYTES } from "./manifest.ts";
import type { Opening, Standing } from "./open-replica.ts";
import { PIECE_LIMIT_BYTES } from "./replication.ts";

/*
 * What goes over the wire when a replica is elsewhere. A message is
 *   its kind, the length of its content in bytes, each followed by a space and an end of line respectively
 *   content: frames of a tail in "take", bytes of files in "contents", canonical JSON in all others
 * The log's side sends "open", "prove" and any number of "take", then, in snapshot-message.ts, "offer", "snapshot" and "contents", and
 * after each waits for its answer: "standing", after an offer or a snapshot "wanted", or "failure", which is the last.
 */

/** Both ends must have the same. */
export const PROTOCOL_VERSION = 2;

const CONTROL_LIMIT_BYTES = 64 * 1024;
const MANIFEST_LIMIT_BYTES = 64 * 1024 * 1024;
const WANTED_LIMIT_BYTES = 1024 * 1024;
const LIMITS = {
  open: CONTROL_LIMIT_BYTES,
  prove: CONTROL_LIMIT_BYTES,
  take: PIECE_LIMIT_BYTES,
  offer: CONTROL_LIMIT_BYTES,
  snapshot: MANIFEST_LIMIT_BYTES,
  contents: CONTENTS_LIMIT_BYTES,
  wanted: WANTED_LIMIT_BYTES,
  standing: CONTROL_LIMIT_BYTES,
  failure: CONTROL_LIMIT_BYTES,
} as const;

export type MessageKind = keyof typeof LIMITS;

export interface Message {
  readonly kind: MessageKind;
  readonly content: Buffer;
}

export function encodeMessage({ kind, content }: Message): Buffer {
  return Buffer.concat([Buffer.from(`${kind} ${content.length}\n`), content]);
}

const HEADER = /^(open|prove|take|offer|snapshot|contents|standing|wanted|failure) (0|[1-9]\d{0,8})\n/;
const HEADER_LIMIT_BYTES = 19;
const NEWLINE = 0x0a;

/** Puts messages together from the pieces in which their bytes come; it never holds more than one message and one such piece. */
export class MessageReader {
  #chunks: Buffer[] = [];
  #length = 0;
  /** How many bytes there must be before another look is worth it. */
  #wanted = 1;

  push(chunk: Uint8Array): void {
    this.#chunks.push(Buffer.from(chunk));
    this.#length += chunk.length;
  }

  /** The next whole message; undefined where more bytes must come first. Throws kind invalid for what is none, or too long. */
  next(): Message | undefined {
    if (this.#length < this.#wanted) return undefined;
    const bytes = Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [bytes];
    const [header, name, digits] = HEADER.exec(bytes.toString("latin1", 0, HEADER_LIMIT_BYTES)) ?? [];
    if (header === undefined && (bytes.length >= HEADER_LIMIT_BYTES || bytes.includes(NEWLINE))) throw noMessage();
    this.#wanted = header === undefined ? bytes.length + 1 : header.length + Number(digits);
    if (header === undefined) return undefined;
    const kind = name as MessageKind;
    if (Number(digits) > LIMITS[kind]) throw noMessage();
    if (bytes.length < this.#wanted) return undefined;
    const rest = bytes.subarray(this.#wanted);
    const content = bytes.subarray(header.length, this.#wanted);
    [this.#chunks, this.#length, this.#wanted] = [[rest], rest.length, 1];
    return { kind, content };
  }

  /** Whether nothing has come of a next message. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }
}

const number = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = (length: number) => v.pipe(v.string(), v.maxLength(length));

const versionSchema = v.object({ version: number });
const openSchema = v.strictObject({ version: v.literal(PROTOCOL_VERSION), path: v.pipe(text(4096), v.regex(/^[^\0]+$/)), key: text(4096), head: text(16_384) });
const proofSchema = v.pipe(v.array(text(44)), v.maxLength(128));
const standingSchema = v.strictObject({ size: number, blocks: number });

const KINDS = ["internal", "invalid", "failed", "unreverted", "refused", "integrity", "unavailable"] as const satisfies readonly ErrorKind[];
const MOST_DETAILS = 10;
const DETAIL_LENGTH = 500;
const failureSchema = v.strictObject({
  kind: v.picklist(KINDS),
  message: text(4096),
  details: v.pipe(v.array(text(DETAIL_LENGTH)), v.maxLength(MOST_DETAILS)),
  hint: v.nullable(text(4096)),
});

export function openMessage(opening: Opening): Message {
  return control("open", { version: PROTOCOL_VERSION, ...opening });
}

/** Throws kind invalid for what is none, unavailable for that of another version. */
export function readOpening({ content }: Message): Opening {
  const value = parseCanonical(content.toString());
  if (v.is(versionSchema, value) && value.version !== PROTOCOL_VERSION) {
    throw new OpError("unavailable", `The log's host speaks version ${value.version} of the replication protocol, this one version ${PROTOCOL_VERSION}`, { hint: "Install the same op-dbus on both" });
  }
  if (!v.is(openSchema, value)) throw noMessage();
  const { path, key, head } = value;
  return { path, key, head };
}

export function proveMessage(proof: readonly Uint8Array[]): Message {
  return control("prove", proof.map(encodeBase64));
}

export function readProof({ content }: Message): Uint8Array[] {
  const value = parseCanonical(content.toString());
  if (!v.is(proofSchema, value)) throw noMessage();
  const hashes = value.map(decodeBase64);
  if (!hashes.every((hash) => hash?.length === HASH_BYTES)) throw noMessage();
  return hashes as Uint8Array[];
}

export function standingMessage({ size, blocks }: Standing): Message {
  return control("standing", { size, blocks });
}

export function readStanding({ content }: Message): Standing {
  const value = parseCanonical(content.toString());
  if (!v.is(standingSchema, value)) throw noMessage();
  return value;
}

/** An error's words, cut where they are endless. */
export function failureMessage({ kind, message, details, hint }: Pick<OpError, "kind" | "message" | "details" | "hint">): Message {
  const short = (words: string, length: number) => words.toWellFormed().slice(0, length).toWellFormed();
  return control("failure", {
    kind,
    message: short(message, 1000),
    details: details.slice(0, MOST_DETAILS).map((detail) => short(detail, DETAIL_LENGTH)),
    hint: hint === undefined ? null : short(hint, 1000),
  });
}

/** The error that the other end ended with; `who` says which that is. */
export function readFailure({ content }: Message, who: string): OpError {
  const value = parseCanonical(content.toString());
  if (!v.is(failureSchema, value)) throw noMessage();
  const { kind, message, details, hint } = value;
  return new OpError(kind, `${who}: ${message}`, { details, ...(hint === null ? {} : { hint }) });
}

export function noMessage(): OpError {
  return new OpError("invalid", "What came is no message of op-dbus's replication protocol");
}

/** A message of JSON. */
export function control(kind: MessageKind, value: Json): Message {
  return { kind, content: Buffer.from(canonicalJson(value)) };
}
