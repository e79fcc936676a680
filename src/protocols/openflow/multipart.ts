import { ProtocolViolation, WireReader, WireWriter } from "./wire.ts";

/*
 * Requests whose answers come in parts: OpenFlow 1.4, 7.3.5 "Multipart Messages". Pure.
 */

/** The requests that are made. */
export const MULTIPART = { FLOW: 1, PORT_DESC: 13 } as const;

export interface Part {
  readonly type: number;
  /** Whether more parts follow. */
  readonly more: boolean;
  readonly body: Uint8Array;
}

const REPLY_MORE = 1;

export function encodePart({ type, more, body }: Part): Buffer {
  return new WireWriter().u16(type).u16(more ? REPLY_MORE : 0).skip(4).put(body).bytes();
}

/** Throws ProtocolViolation. */
export function decodePart(bytes: Uint8Array): Part {
  const reader = new WireReader(bytes);
  const [type, flags] = [reader.u16(), reader.u16()];
  if ((flags & ~REPLY_MORE) !== 0) throw new ProtocolViolation(`a part with flags ${flags}`);
  reader.skip(4);
  return { type, more: flags === REPLY_MORE, body: reader.bytes(reader.left) };
}
