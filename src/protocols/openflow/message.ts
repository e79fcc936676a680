import { bufferOf, ProtocolViolation } from "./wire.ts";

/*
 * The envelope of a message: OpenFlow 1.4, 7.1 "OpenFlow Header". The body stays as bytes here. Nothing in this file touches a socket.
 */

/** The versions spoken, by their number on the wire; "1.4" is 5. */
export const OF13 = 4;
export const OF14 = 5;
export type Version = typeof OF13 | typeof OF14;

/** OpenFlow 1.4, ofp_type; the same numbers in 1.3, which has no bundles. */
export const TYPES = {
  HELLO: 0,
  ERROR: 1,
  ECHO_REQUEST: 2,
  ECHO_REPLY: 3,
  EXPERIMENTER: 4,
  FEATURES_REQUEST: 5,
  FEATURES_REPLY: 6,
  FLOW_MOD: 14,
  MULTIPART_REQUEST: 18,
  MULTIPART_REPLY: 19,
  BARRIER_REQUEST: 20,
  BARRIER_REPLY: 21,
  BUNDLE_CONTROL: 33,
  BUNDLE_ADD_MESSAGE: 34,
} as const;

export interface Message {
  readonly version: number;
  readonly type: number;
  /** Who answers says the number of what it answers. */
  readonly xid: number;
  readonly body: Uint8Array;
}

/** The length has 16 bits: a message is never longer. */
export const MESSAGE_LIMIT_BYTES = 0xffff;
export const HEADER_BYTES = 8;

/** The length of the message that starts at `start`, or undefined while too few bytes are there, up to `end`, to tell. */
export function messageLength(buffer: Buffer, start: number, end: number): number | undefined {
  if (end - start < HEADER_BYTES) return undefined;
  const length = buffer.readUInt16BE(start + 2);
  if (length < HEADER_BYTES) throw new ProtocolViolation(`a message of ${length} bytes`);
  return length;
}

/** Reads one whole message. Throws ProtocolViolation. */
export function decodeMessage(bytes: Uint8Array): Message {
  const buffer = bufferOf(bytes);
  if (messageLength(buffer, 0, buffer.length) !== buffer.length) throw new ProtocolViolation("a message of another length than it says");
  return { version: buffer.readUInt8(0), type: buffer.readUInt8(1), xid: buffer.readUInt32BE(4), body: buffer.subarray(HEADER_BYTES) };
}

/** Throws RangeError for a body that no message can hold. */
export function encodeMessage({ version, type, xid, body }: Message): Buffer {
  const length = HEADER_BYTES + body.length;
  if (length > MESSAGE_LIMIT_BYTES) throw new RangeError(`A message of ${length} bytes is more than OpenFlow can hold`);
  const bytes = Buffer.alloc(length);
  bytes.writeUInt8(version, 0);
  bytes.writeUInt8(type, 1);
  bytes.writeUInt16BE(length, 2);
  bytes.writeUInt32BE(xid, 4);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

/** A message's type as the specification writes it. */
export function typeName(type: number): string {
  const name = Object.entries(TYPES).find(([, number]) => number === type)?.[0];
  return name === undefined ? `message of type ${type}` : `OFPT_${name}`;
}
