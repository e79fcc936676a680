import { WireReader, WireWriter } from "./wire.ts";

/*
 * Version negotiation: OpenFlow 1.4, 7.5.1 "Hello". Pure.
 */

const VERSION_BITMAP = 1;
/** Of the bitmap's one word; there are six versions. */
const LAST_VERSION = 31;

export function encodeHello(versions: readonly number[]): Buffer {
  const bitmap = versions.reduce((bits, version) => (bits | (1 << version)) >>> 0, 0);
  return new WireWriter().u16(VERSION_BITMAP).u16(8).u32(bitmap).bytes();
}

/** The versions that a HELLO offers: those of its bitmap, or all up to its header's where it has none. Throws ProtocolViolation. */
export function decodeHello(headerVersion: number, body: Uint8Array): number[] {
  const reader = new WireReader(body);
  while (reader.left >= 4) {
    const [type, length] = [reader.u16(), reader.u16()];
    const element = reader.bytes(length - 4);
    // Elements are padded to 8 bytes, which their length does not count; the last one may lack it.
    reader.skip(Math.min(reader.left, -length & 7));
    if (type !== VERSION_BITMAP) continue;
    const bits = new WireReader(element);
    const first = bits.u32();
    return Array.from({ length: 32 }, (_, version) => version).filter((version) => (first >>> version) & 1);
  }
  return Array.from({ length: Math.min(headerVersion, LAST_VERSION) }, (_, index) => index + 1);
}

/** A version as the column 'protocols' of a bridge spells it: "OpenFlow14". */
export function versionName(version: number): string {
  return version >= 1 && version <= 6 ? `OpenFlow1${version - 1}` : `version ${version}`;
}
