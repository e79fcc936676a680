import { align, alignmentOf, bufferOf } from "./wire.ts";

/*
 * The envelope of a message: D-Bus specification, "Message Format". The body stays as bytes here; its values are client.ts's.
 * Nothing in this file touches a socket.
 */

export const METHOD_CALL = 1;
export const METHOD_RETURN = 2;
export const ERROR = 3;
export const SIGNAL = 4;

export const NO_AUTO_START = 0x2;

/** One message. Which of the fields are there depends on the type. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly destination?: string;
  readonly sender?: string;
  readonly signature?: string;
  readonly body: Uint8Array;
  /** The byte order of what arrived. What we send is little-endian. */
  readonly littleEndian?: boolean;
}

/** What is not D-Bus, or beyond our limits. There is no way to go on reading after it. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
}

/** The specification allows 128 MiB and 64 MiB; nothing that we ask for comes near. */
export const MESSAGE_LIMIT_BYTES = 64 * 1024 * 1024;
const FIELDS_LIMIT_BYTES = 64 * 1024;
const FIXED_BYTES = 16;
const LITTLE_ENDIAN = 0x6c;
const BIG_ENDIAN = 0x42;
const PROTOCOL_VERSION = 1;

/** The header fields, in the order of their codes, with the type of each. */
const FIELDS = [
  { code: 1, name: "path", type: "o" },
  { code: 2, name: "interface", type: "s" },
  { code: 3, name: "member", type: "s" },
  { code: 4, name: "errorName", type: "s" },
  { code: 5, name: "replySerial", type: "u" },
  { code: 6, name: "destination", type: "s" },
  { code: 7, name: "sender", type: "s" },
  { code: 8, name: "signature", type: "g" },
] as const;

const NUMBERS = "ynqbiuhxtd";

/** The length of the message that starts at `start`, or undefined while too few bytes are there, up to `end`, to tell. */
export function messageLength(buffer: Buffer, start: number, end: number): number | undefined {
  if (end - start < FIXED_BYTES) return undefined;
  const little = isLittle(buffer[start]);
  if (buffer[start + 3] !== PROTOCOL_VERSION) throw new ProtocolViolation(`protocol version ${buffer[start + 3]}`);
  const fields = little ? buffer.readUInt32LE(start + 12) : buffer.readUInt32BE(start + 12);
  if (fields > FIELDS_LIMIT_BYTES) throw new ProtocolViolation(`a header of ${fields} bytes`);
  const length = align(FIXED_BYTES + fields, 8) + (little ? buffer.readUInt32LE(start + 4) : buffer.readUInt32BE(start + 4));
  if (length > MESSAGE_LIMIT_BYTES) throw new ProtocolViolation(`a message of ${length} bytes, more than ${MESSAGE_LIMIT_BYTES}`);
  return length;
}

/** Reads one whole message. Throws ProtocolViolation. Hundreds come at once: nothing is made here that the message does not need. */
export function decodeMessage(bytes: Uint8Array): Message {
  const buffer = bufferOf(bytes);
  const little = isLittle(bytes[0]);
  const u32 = (at: number) => (little ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at));
  const end = FIXED_BYTES + u32(12);
  const found: Record<string, string | number> = {};
  for (let at = FIXED_BYTES; at < end; ) {
    const start = align(at, 8);
    at = start + 4;
    if (at > end) throw new ProtocolViolation("a header field beyond the header's end");
    if (bytes[start + 1] !== 1 || bytes[start + 3] !== 0) throw new ProtocolViolation("a header field that is not of one basic type");
    const type = String.fromCharCode(bytes[start + 2] ?? 0);
    const field = FIELDS[(bytes[start] ?? 0) - 1];
    if (field !== undefined && field.type !== type) throw new ProtocolViolation(`header field ${field.name} of type '${type}'`);
    if (type === "s" || type === "o" || type === "g") {
      const text = at + (type === "g" ? 1 : 4);
      const last = text > end ? end : text + (type === "g" ? (bytes[at] ?? 0) : u32(at));
      if (last >= end) throw new ProtocolViolation("a header field beyond the header's end");
      if (bytes[last] !== 0) throw new ProtocolViolation("a string without its NUL");
      if (field !== undefined) found[field.name] = buffer.toString("utf8", text, last);
      at = last + 1;
    } else {
      if (!NUMBERS.includes(type)) throw new ProtocolViolation(`a header field of type '${type}'`);
      const size = alignmentOf(type);
      at = align(at, size) + size;
      if (at > end) throw new ProtocolViolation("a header field beyond the header's end");
      if (field !== undefined) found[field.name] = u32(at - size);
    }
  }
  const serial = u32(8);
  if (serial === 0) throw new ProtocolViolation("a message without a serial");
  return { ...found, type: bytes[1] ?? 0, flags: bytes[2] ?? 0, serial, body: bytes.subarray(align(end, 8)), littleEndian: little };
}

/** Writes one message, little-endian, its fields in the order of their codes. */
export function encodeMessage(message: Message): Uint8Array {
  const buffer = Buffer.alloc(roomFor(message));
  buffer.set([LITTLE_ENDIAN, message.type, message.flags, PROTOCOL_VERSION]);
  buffer.writeUInt32LE(message.body.length, 4);
  buffer.writeUInt32LE(message.serial, 8);
  let at = FIXED_BYTES;
  for (const { code, name, type } of FIELDS) {
    const value = message[name];
    if (value === undefined) continue;
    at = align(at, 8);
    buffer[at] = code;
    buffer[at + 1] = 1;
    buffer[at + 2] = type.charCodeAt(0);
    at += 4;
    if (typeof value === "number") {
      at = buffer.writeUInt32LE(value, at);
      continue;
    }
    const start = at + (type === "g" ? 1 : 4);
    const length = buffer.write(value, start);
    if (type === "g") buffer.writeUInt8(length, at);
    else buffer.writeUInt32LE(length, at);
    at = start + length + 1;
  }
  buffer.writeUInt32LE(at - FIXED_BYTES, 12);
  at = align(at, 8);
  buffer.set(message.body, at);
  return buffer.subarray(0, at + message.body.length);
}

/** At least as many bytes as the message takes. */
function roomFor(message: Message): number {
  let room = FIXED_BYTES + 8 + message.body.length;
  for (const { name } of FIELDS) {
    const value = message[name];
    if (value !== undefined) room += 16 + (typeof value === "string" ? 3 * value.length : 4);
  }
  return room;
}

function isLittle(first: number | undefined): boolean {
  if (first === LITTLE_ENDIAN) return true;
  if (first === BIG_ENDIAN) return false;
  throw new ProtocolViolation(`a message that begins with byte ${first}`);
}
