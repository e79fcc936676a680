const FIRST_BYTES = 256;
const LIMIT_BYTES = 64 * 1024;

/** Nested attributes and their lengths need this alignment: linux/netlink.h, NLMSG_ALIGNTO and NLA_ALIGNTO. */
export function aligned(offset: number): number {
  return (offset + 3) & ~3;
}

/** Puts values down one after the other, in the byte order of x86 and ARM as Linux runs them. Throws RangeError for what does not fit. */
export class Writer {
  #buffer = Buffer.alloc(FIRST_BYTES);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  u8(value: number): void {
    const at = this.#take(1);
    this.#buffer.writeUInt8(whole(value), at);
  }

  u16(value: number): void {
    const at = this.#take(2);
    this.#buffer.writeUInt16LE(whole(value), at);
  }

  /** As a length is known once what it is of has been written. */
  u16At(at: number, value: number): void {
    this.#buffer.writeUInt16LE(whole(value), at);
  }

  u32(value: number): void {
    const at = this.#take(4);
    this.#buffer.writeUInt32LE(whole(value), at);
  }

  s32(value: number): void {
    const at = this.#take(4);
    this.#buffer.writeInt32LE(whole(value), at);
  }

  u64(value: bigint): void {
    const at = this.#take(8);
    this.#buffer.writeBigUInt64LE(value, at);
  }

  /** Network byte order. */
  be16(value: number): void {
    const at = this.#take(2);
    this.#buffer.writeUInt16BE(whole(value), at);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#buffer.set(bytes, at);
  }

  zeros(count: number): void {
    this.#take(count);
  }

  /** Up to the next multiple of 4. */
  pad(): void {
    this.#take(aligned(this.#at) - this.#at);
  }

  /** Where the next bytes go; they are zero until they are written. It may put another buffer in the place of this one. */
  #take(size: number): number {
    const at = this.#at;
    this.#at = at + size;
    if (this.#at > LIMIT_BYTES) throw new RangeError(`more than ${LIMIT_BYTES} bytes`);
    if (this.#at > this.#buffer.length) {
      const larger = Buffer.alloc(2 * this.#at);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    return at;
  }
}

/** Buffer takes what is no number for 0, and cuts fractions off. */
function whole(value: number): number {
  if (!Number.isInteger(value)) throw new TypeError(`${String(value)} is not a whole number`);
  return value;
}
