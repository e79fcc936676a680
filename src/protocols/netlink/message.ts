import { ProtocolViolation } from "./attribute.ts";
import { aligned } from "./writer.ts";

/*
 * The envelope of a message: linux/netlink.h, struct nlmsghdr. A piece, as the kernel sends it, has one or more of them whole.
 */

export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;

export const NLM_F = {
  ...{ REQUEST: 0x01, MULTI: 0x02, ACK: 0x04, DUMP_INTR: 0x10, DUMP: 0x300 },
  // Of what makes something; of deletions and acknowledgements the same bits mean something else.
  ...{ REPLACE: 0x100, EXCL: 0x200, CREATE: 0x400, APPEND: 0x800 },
  ...{ CAPPED: 0x100, ACK_TLVS: 0x200 },
} as const;

const HEADER_BYTES = 16;

export interface Message {
  readonly type: number;
  readonly flags: number;
  /** Which request it answers; 0 for an event. */
  readonly sequence: number;
  /** The socket that it is for, by its port; in an event who caused it. */
  readonly port: number;
  readonly payload: Buffer;
}

/** The messages of one piece. Throws ProtocolViolation for lengths that do not fit, and for what follows the last message. */
export function messagesIn(piece: Uint8Array): Message[] {
  const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < HEADER_BYTES) throw new ProtocolViolation(`${bytes.length - at} bytes after the last message`);
    const length = bytes.readUInt32LE(at);
    if (length < HEADER_BYTES || length > bytes.length - at) throw new ProtocolViolation(`a message of ${length} bytes where there are ${bytes.length - at}`);
    messages.push({
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      sequence: bytes.readUInt32LE(at + 8),
      port: bytes.readUInt32LE(at + 12),
      payload: bytes.subarray(at + HEADER_BYTES, at + length),
    });
    at += Math.min(aligned(length), bytes.length - at);
  }
  return messages;
}

export function encodeMessage({ type, flags, sequence, port, payload }: Omit<Message, "payload"> & { readonly payload: Uint8Array }): Buffer {
  const bytes = Buffer.alloc(aligned(HEADER_BYTES + payload.length));
  bytes.writeUInt32LE(HEADER_BYTES + payload.length, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(flags, 6);
  bytes.writeUInt32LE(sequence, 8);
  bytes.writeUInt32LE(port, 12);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}
