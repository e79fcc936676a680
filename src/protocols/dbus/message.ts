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

/** The header field codes, by name, with the type of each. */
const FIELDS = [
  [1, "path", "o"],
  [2, "interface", "s"],
  [3, "member", "s"],
  [4, "errorName", "s"],
  [5, "replySerial", "u"],
  [6, "destination", "s"],
  [7, "sender", "s"],
  [8, "signature", "g"],
] as const;

/** The length of the message that starts with these bytes, or undefined while too few of them are there to tell. */
export function messageLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < FIXED_BYTES) return undefined;
  const view = viewOf(bytes);
  const little = isLittle(bytes);
  if (bytes[3] !== PROTOCOL_VERSION) throw new ProtocolViolation(`protocol version ${bytes[3]}`);
  const fields = view.getUint32(12, little);
  if (fields > FIELDS_LIMIT_BYTES) throw new ProtocolViolation(`a header of ${fields} bytes`);
  const length = align(FIXED_BYTES + fields, 8) + view.getUint32(4, little);
  if (length > MESSAGE_LIMIT_BYTES) throw new ProtocolViolation(`a message of ${length} bytes, more than ${MESSAGE_LIMIT_BYTES}`);
  return length;
}

/** Reads one whole message. Throws ProtocolViolation. */
export function decodeMessage(bytes: Uint8Array): Message {
  const view = viewOf(bytes);
  const little = isLittle(bytes);
  const end = FIXED_BYTES + view.getUint32(12, little);
  const found: Record<string, string | number> = {};
  let at = FIXED_BYTES;
  const take = (length: number, alignment = 1): number => {
    const start = align(at, alignment);
    if (start + length > end) throw new ProtocolViolation("a header field beyond the header's end");
    at = start + length;
    return start;
  };
  const text = (length: number): string => {
    const start = take(length + 1);
    if (bytes[start + length] !== 0) throw new ProtocolViolation("a string without its NUL");
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString("utf8");
  };
  while (at < end) {
    const code = bytes[take(1, 8)];
    const type = text(bytes[take(1)] ?? 0);
    let value: string | number | undefined;
    const field = FIELDS.find(([known]) => known === code);
    if (field !== undefined && field[2] !== type) throw new ProtocolViolation(`header field ${field[1]} of type '${type}'`);
    if (type === "s" || type === "o") value = text(view.getUint32(take(4, 4), little));
    else if (type === "g") value = text(bytes[take(1)] ?? 0);
    else if (type === "u") value = view.getUint32(take(4, 4), little);
    else take(sizeOf(type), sizeOf(type));
    if (field !== undefined && value !== undefined) found[field[1]] = value;
  }
  const serial = view.getUint32(8, little);
  if (serial === 0) throw new ProtocolViolation("a message without a serial");
  return { ...found, type: bytes[1] ?? 0, flags: bytes[2] ?? 0, serial, body: bytes.subarray(align(end, 8)), littleEndian: little };
}

/** Writes one message, little-endian, its fields in the order of their codes. */
export function encodeMessage(message: Message): Uint8Array {
  const values = FIELDS.map(([code, name, type]) => ({ code, type, value: message[name] })).filter(({ value }) => value !== undefined);
  const room = values.reduce((sum, { value }) => sum + 16 + (typeof value === "string" ? 3 * value.length : 4), FIXED_BYTES + 8);
  const buffer = Buffer.alloc(room + message.body.length);
  buffer.set([LITTLE_ENDIAN, message.type, message.flags, PROTOCOL_VERSION]);
  buffer.writeUInt32LE(message.body.length, 4);
  buffer.writeUInt32LE(message.serial, 8);
  let at = FIXED_BYTES;
  for (const { code, type, value } of values) {
    at = align(at, 8);
    buffer.set([code, 1, type.charCodeAt(0), 0], at);
    at += 4;
    if (typeof value === "number") {
      at = buffer.writeUInt32LE(value, at);
      continue;
    }
    const start = at + (type === "g" ? 1 : 4);
    const length = buffer.write(value ?? "", start);
    if (type === "g") buffer.writeUInt8(length, at);
    else buffer.writeUInt32LE(length, at);
    at = start + length + 1;
  }
  buffer.writeUInt32LE(at - FIXED_BYTES, 12);
  at = align(at, 8);
  buffer.set(message.body, at);
  return buffer.subarray(0, at + message.body.length);
}

function isLittle(bytes: Uint8Array): boolean {
  if (bytes[0] === LITTLE_ENDIAN) return true;
  if (bytes[0] === BIG_ENDIAN) return false;
  throw new ProtocolViolation(`a message that begins with byte ${bytes[0]}`);
}

/** The fixed size of a basic type, which is its alignment too. */
function sizeOf(type: string): number {
  const size = { y: 1, n: 2, q: 2, b: 4, i: 4, h: 4, x: 8, t: 8, d: 8 }[type];
  if (size === undefined) throw new ProtocolViolation(`a header field of type '${type}'`);
  return size;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function align(offset: number, to: number): number {
  return (offset + to - 1) & -to;
}
