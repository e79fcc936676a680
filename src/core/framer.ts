/** The length of the message that starts at `start`, or undefined while too few bytes are there, up to `end`, to tell. Throws for what is no message. */
export type MessageLength = (buffer: Buffer, start: number, end: number) => number | undefined;

const FIRST_BYTES = 16 * 1024;

/** Cuts a stream into messages. It holds back what is not whole yet, never more than one message's limit and one chunk. */
export class Framer {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #start = 0;
  #end = 0;
  readonly #lengthOf: MessageLength;

  constructor(lengthOf: MessageLength) {
    this.#lengthOf = lengthOf;
  }

  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole message, in memory of its own, or undefined when more must come first. Throws what its protocol throws. */
  next(): Buffer | undefined {
    const length = this.#lengthOf(this.#buffer, this.#start, this.#end);
    if (length === undefined || this.#end - this.#start < length) return undefined;
    const message = Buffer.from(this.#buffer.subarray(this.#start, this.#start + length));
    this.#start += length;
    return message;
  }

  #makeRoom(needed: number): void {
    const rest = this.#buffer.subarray(this.#start, this.#end);
    const fits = rest.length + needed <= this.#buffer.length / 2;
    const buffer = fits ? this.#buffer : Buffer.allocUnsafe(2 * (rest.length + needed));
    if (fits) buffer.copyWithin(0, this.#start, this.#end);
    else buffer.set(rest);
    this.#buffer = buffer;
    this.#start = 0;
    this.#end = rest.length;
  }
}
