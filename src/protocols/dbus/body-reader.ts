import type { Variant } from "./bus.ts";
import { ProtocolViolation } from "./message.ts";
import { typesOf, type Type } from "./signature.ts";
import { align, alignmentOf, bufferOf } from "./wire.ts";

const DEPTH_LIMIT = 64;

/** Takes values off a body: D-Bus specification, "Marshaling (Wire Format)". Throws ProtocolViolation and never reads beyond the body. */
export class BodyReader {
  /** How far it has read. */
  at = 0;
  readonly #buffer: Buffer;
  readonly #little: boolean;
  #depth = 0;

  constructor(body: Uint8Array, littleEndian: boolean) {
    this.#buffer = bufferOf(body);
    this.#little = littleEndian;
  }

  read(type: Type): unknown {
    switch (type.type) {
      case "s":
      case "o":
        return this.#text(this.#u32());
      case "g":
        return this.#text(this.#byte());
      case "v":
        return this.#variant();
      case "a":
        return this.#array(type.child[0] as Type);
      case "(":
      case "{":
        this.at = align(this.at, 8);
        return type.child.map((member) => this.read(member));
      case "h":
        throw new ProtocolViolation("a file descriptor");
      default:
        return this.#number(type.type);
    }
  }

  #number(type: string): number | bigint | boolean {
    const [buffer, little, size] = [this.#buffer, this.#little, alignmentOf(type)];
    const at = this.#claim(size, size);
    switch (type) {
      case "y":
        return buffer.readUInt8(at);
      case "b":
        return this.#boolean(little ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at));
      case "n":
        return little ? buffer.readInt16LE(at) : buffer.readInt16BE(at);
      case "q":
        return little ? buffer.readUInt16LE(at) : buffer.readUInt16BE(at);
      case "i":
        return little ? buffer.readInt32LE(at) : buffer.readInt32BE(at);
      case "u":
        return little ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at);
      case "x":
        return little ? buffer.readBigInt64LE(at) : buffer.readBigInt64BE(at);
      case "t":
        return little ? buffer.readBigUInt64LE(at) : buffer.readBigUInt64BE(at);
      default:
        return little ? buffer.readDoubleLE(at) : buffer.readDoubleBE(at);
    }
  }

  #boolean(value: number): boolean {
    if (value > 1) throw new ProtocolViolation(`${value} for a boolean`);
    return value === 1;
  }

  #text(length: number): string {
    const start = this.at;
    const end = start + length;
    if (this.#buffer[end] !== 0) throw new ProtocolViolation("a string without its NUL");
    this.at = end + 1;
    return this.#buffer.toString("utf8", start, end);
  }

  #variant(): Variant {
    const signature = this.#text(this.#byte());
    const [type, ...more] = typesOf(signature) ?? [];
    if (type === undefined || more.length > 0) throw new ProtocolViolation(`a variant of '${signature}'`);
    if (++this.#depth > DEPTH_LIMIT) throw new ProtocolViolation("variants nested too deep");
    const value = this.read(type);
    this.#depth -= 1;
    return { signature, value };
  }

  #array(element: Type): unknown {
    const size = this.#u32();
    this.at = align(this.at, alignmentOf(element.type));
    const end = this.at + size;
    if (end > this.#buffer.length) throw new ProtocolViolation("an array beyond the message's end");
    if (element.type === "y") return new Uint8Array(this.#buffer.subarray(this.#claim(size, 1), end));
    const items: unknown[] = [];
    while (this.at < end) items.push(this.read(element));
    if (this.at !== end) throw new ProtocolViolation("an array that ends within an element");
    return element.type === "{" ? new Map(items as [unknown, unknown][]) : items;
  }

  #u32(): number {
    const at = this.#claim(4, 4);
    return this.#little ? this.#buffer.readUInt32LE(at) : this.#buffer.readUInt32BE(at);
  }

  #byte(): number {
    return this.#buffer.readUInt8(this.#claim(1, 1));
  }

  /** Where the next bytes are, after the padding. */
  #claim(size: number, alignment: number): number {
    const at = align(this.at, alignment);
    if (at + size > this.#buffer.length) throw new ProtocolViolation("a value beyond the message's end");
    this.at = at + size;
    return at;
  }
}
