import { ProtocolViolation } from "./json.ts";

/** The whole of Open_vSwitch with ten thousand ports is some ten MB. */
export const MESSAGE_LIMIT_BYTES = 64 * 1024 * 1024;
/** Neither schemas nor rows come near; ovs itself stops at 1000. */
export const DEPTH_LIMIT = 64;

const FIRST_BYTES = 16 * 1024;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const SPACES: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];

/**
 * Cuts a stream into JSON objects by JSON's own brackets and strings (RFC 7047 4: messages follow each other with nothing between them).
 * It looks at each byte once, and holds back what is not whole yet, never more than one message's limit and one chunk.
 */
export class Framer {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #start = 0;
  #end = 0;
  /** Up to where it has looked. */
  #at = 0;
  #depth = 0;
  #string: "outside" | "inside" | "escaped" = "outside";

  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The text of the next whole object, or undefined when more must come first. Throws ProtocolViolation. */
  next(): string | undefined {
    if (this.#depth === 0) this.#begin();
    while (this.#at < this.#end) {
      this.#look(this.#buffer.readUInt8(this.#at));
      this.#at += 1;
      if (this.#at - this.#start > MESSAGE_LIMIT_BYTES) throw new ProtocolViolation(`a message of more than ${MESSAGE_LIMIT_BYTES} bytes`);
      if (this.#depth === 0) return this.#cut();
    }
    return undefined;
  }

  /** Steps over the space before an object. */
  #begin(): void {
    while (this.#at < this.#end && SPACES.includes(this.#buffer.readUInt8(this.#at))) this.#at += 1;
    this.#start = this.#at;
    if (this.#at < this.#end && this.#buffer[this.#at] !== OPEN_OBJECT) {
      throw new ProtocolViolation(`a message that begins with byte ${this.#buffer[this.#at]}`);
    }
  }

  #look(byte: number): void {
    if (this.#string === "escaped") this.#string = "inside";
    else if (byte === QUOTE) this.#string = this.#string === "inside" ? "outside" : "inside";
    else if (this.#string === "inside") this.#string = byte === BACKSLASH ? "escaped" : "inside";
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) this.#depth -= 1;
    if (this.#depth > DEPTH_LIMIT) throw new ProtocolViolation(`a message nested more than ${DEPTH_LIMIT} deep`);
  }

  #cut(): string {
    const bytes = this.#buffer.subarray(this.#start, this.#at);
    this.#start = this.#at;
    try {
      return UTF_8.decode(bytes);
    } catch (error) {
      throw new ProtocolViolation("text that is not UTF-8", { cause: error });
    }
  }

  #makeRoom(needed: number): void {
    const rest = this.#buffer.subarray(this.#start, this.#end);
    const fits = rest.length + needed <= this.#buffer.length / 2;
    const buffer = fits ? this.#buffer : Buffer.allocUnsafe(2 * (rest.length + needed));
    if (fits) buffer.copyWithin(0, this.#start, this.#end);
    else buffer.set(rest);
    this.#buffer = buffer;
    this.#at -= this.#start;
    this.#start = 0;
    this.#end = rest.length;
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
