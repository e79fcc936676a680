import type { Variant } from "./bus.ts";
import { isObjectPath } from "./names.ts";
import { typesOf, type Type } from "./signature.ts";
import { align, alignmentOf } from "./wire.ts";

const FIRST_BYTES = 256;
const LIMIT_BYTES = 32 * 1024 * 1024;
const DEPTH_LIMIT = 64;

/** Puts values down, little-endian: D-Bus specification, "Marshaling (Wire Format)". Throws TypeError or RangeError for what does not fit. */
export class BodyWriter {
  #buffer = Buffer.alloc(FIRST_BYTES);
  #at = 0;
  #depth = 0;

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  write(type: Type, value: unknown): void {
    switch (type.type) {
      case "s":
        return this.#string(text(value));
      case "o":
        if (!isObjectPath(text(value))) throw new TypeError(`${String(value)} is not an object path`);
        return this.#string(text(value));
      case "g":
        return this.#signature(text(value));
      case "v":
        return this.#variant(value as Variant);
      case "a":
        return this.#array(type.child[0] as Type, value);
      case "(":
      case "{":
        return this.#struct(type.child, value as readonly unknown[]);
      case "h":
        throw new TypeError("file descriptors are not passed");
      default:
        return this.#number(type.type, value);
    }
  }

  #number(type: string, value: unknown): void {
    const size = alignmentOf(type);
    const at = this.#room(size, size);
    const [number, bigint] = [value as number, value as bigint];
    if (type === "b" ? typeof value !== "boolean" : type === "x" || type === "t" ? typeof value !== "bigint" : typeof value !== "number") {
      throw new TypeError(`${String(value)} is not of type '${type}'`);
    }
    if ("ynqiu".includes(type) && !Number.isInteger(value)) throw new TypeError(`${String(value)} is not a whole number`);
    if (type === "y") this.#buffer.writeUInt8(number, at);
    else if (type === "b") this.#buffer.writeUInt32LE(value === true ? 1 : 0, at);
    else if (type === "n") this.#buffer.writeInt16LE(number, at);
    else if (type === "q") this.#buffer.writeUInt16LE(number, at);
    else if (type === "i") this.#buffer.writeInt32LE(number, at);
    else if (type === "u") this.#buffer.writeUInt32LE(number, at);
    else if (type === "x") this.#buffer.writeBigInt64LE(bigint, at);
    else if (type === "t") this.#buffer.writeBigUInt64LE(bigint, at);
    else this.#buffer.writeDoubleLE(number, at);
  }

  #string(value: string): void {
    const length = Buffer.byteLength(value);
    const at = this.#room(4 + length + 1, 4);
    this.#buffer.writeUInt32LE(length, at);
    this.#buffer.write(value, at + 4);
  }

  #signature(value: string): void {
    if (typesOf(value) === undefined) throw new TypeError(`'${value}' is not a signature`);
    const at = this.#room(value.length + 2, 1);
    this.#buffer[at] = value.length;
    this.#buffer.write(value, at + 1);
  }

  #variant({ signature, value }: Variant): void {
    const [type, ...more] = typesOf(signature) ?? [];
    if (type === undefined || more.length > 0) throw new TypeError(`'${signature}' is not one complete type`);
    if (++this.#depth > DEPTH_LIMIT) throw new RangeError("variants nested too deep");
    this.#signature(signature);
    this.write(type, value);
    this.#depth -= 1;
  }

  #array(element: Type, value: unknown): void {
    if (element.type === "{" && !(value instanceof Map)) throw new TypeError("a dictionary is a Map");
    const at = this.#room(4, 4);
    this.#room(0, alignmentOf(element.type));
    const start = this.#at;
    if (element.type === "y" && value instanceof Uint8Array) this.#buffer.set(value, this.#room(value.length, 1));
    else for (const item of value as Iterable<unknown>) this.write(element, item);
    this.#buffer.writeUInt32LE(this.#at - start, at);
  }

  #struct(members: readonly Type[], value: readonly unknown[]): void {
    if (members.length !== value.length) throw new TypeError(`${value.length} members, not ${members.length}`);
    this.#room(0, 8);
    members.forEach((member, index) => this.write(member, value[index]));
  }

  /** Where the next bytes go, after the padding; what is taken is zero until it is written. */
  #room(size: number, alignment: number): number {
    const at = align(this.#at, alignment);
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

/** Sent as it is, a lone surrogate would arrive as another character, and a NUL would end the string. */
function text(value: unknown): string {
  if (typeof value !== "string" || !value.isWellFormed() || value.includes("\0")) throw new TypeError("not a string that D-Bus can say");
  return value;
}
