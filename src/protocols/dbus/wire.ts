/*
 * What header and body have in common on the wire: D-Bus specification, "Marshaling (Wire Format)". Pure.
 */

const ALIGNMENT: Readonly<Record<string, number>> = { y: 1, g: 1, v: 1, n: 2, q: 2, b: 4, i: 4, u: 4, h: 4, s: 4, o: 4, a: 4 };

/** Of a type by its first character, in bytes; of a number and a boolean its size too. */
export function alignmentOf(type: string): number {
  return ALIGNMENT[type] ?? 8;
}

export function align(offset: number, to: number): number {
  return (offset + to - 1) & -to;
}

/** The same bytes, not copied. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
