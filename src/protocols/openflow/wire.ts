/*
 * Numbers in network byte order, as all of OpenFlow has them. Pure.
 */

/** What is not OpenFlow, or beyond our limits. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
}

/** Takes values off bytes in order. Throws ProtocolViolation rather than read beyond their end. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bufferOf(bytes);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** How far it has read. */
  get at(): number {
    return this.#at;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#claim(1));
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#claim(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#claim(4));
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#claim(8));
  }

  /** A number of `size` bytes, at most 16. */
  integer(size: number): bigint {
    return integerOf(this.bytes(size));
  }

  /** The same bytes, not copied. */
  bytes(size: number): Buffer {
    const at = this.#claim(size);
    return this.#bytes.subarray(at, at + size);
  }

  skip(size: number): void {
    this.#claim(size);
  }

  #claim(size: number): number {
    const at = this.#at;
    if (size < 0 || at + size > this.#bytes.length) throw new ProtocolViolation("a value beyond its structure's end");
    this.#at = at + size;
    return at;
  }
}

/** Puts values down in order. What is skipped is zero. */
export class WireWriter {
  #bytes = Buffer.alloc(256);
  #at = 0;

  get at(): number {
    return this.#at;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#bytes.writeUInt8(value, at);
    return this;
  }

  u16(value: number): this {
    const at = this.#room(2);
    this.#bytes.writeUInt16BE(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeUInt32BE(value, at);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#room(8);
    this.#bytes.writeBigUInt64BE(value, at);
    return this;
  }

  integer(value: bigint, size: number): this {
    return this.put(bytesOf(value, size));
  }

  put(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  skip(size: number): this {
    this.#room(size);
    return this;
  }

  /** Fills up with zeros to a multiple of 8 bytes since `start`. */
  pad8(start = 0): this {
    return this.skip(-(this.#at - start) & 7);
  }

  /** Writes a 16-bit number where room was left for it. */
  u16At(at: number, value: number): void {
    this.#bytes.writeUInt16BE(value, at);
  }

  /** What has been written, not copied. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #room(size: number): number {
    const at = this.#at;
    this.#at = at + size;
    if (this.#at > this.#bytes.length) {
      const larger = Buffer.alloc(2 * this.#at);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
}

export function integerOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

export function bytesOf(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = size - 1, rest = value; at >= 0; at -= 1, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
  return bytes;
}

/** The same bytes, not copied. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
