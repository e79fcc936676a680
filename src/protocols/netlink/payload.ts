import { messageOf, OpError } from "../../core/errors.ts";
import { ProtocolViolation, type AttributesOf, type Attributes, type AttributeTable, type Missing, type Place, type Span } from "./attribute.ts";
import type { Form, SizedForm } from "./form.ts";
import { aligned, Writer } from "./writer.ts";

/** What can name the attributes of a payload that the kernel remarks on, by their offset into it. */
export interface PlaceNames {
  /** The attribute at an offset. */
  placeAt(offset: number, payload: Buffer): Place | undefined;
  /** The kernel's name for an attribute that is missing. */
  constantOf(missing: Missing, payload: Buffer): string;
}

/** What a message carries: a header of its own, and attributes after it. One flat value has both. */
export class Payload<H extends Readonly<Record<string, unknown>>, A extends Attributes> implements Form<H & AttributesOf<A>>, PlaceNames {
  readonly #header: SizedForm<H>;
  readonly #start: number;
  readonly #table: AttributeTable<A>;
  readonly #headerNames: ReadonlySet<string>;

  constructor(header: SizedForm<H>, table: AttributeTable<A>) {
    this.#header = header;
    this.#start = aligned(header.size);
    this.#table = table;
    this.#headerNames = new Set(Object.keys(this.#headerOf(Buffer.alloc(this.#start), 0, this.#start)));
  }

  /** Throws ProtocolViolation for what is cut off, or longer than what is in it. */
  decode(bytes: Buffer, start = 0, end = bytes.length): H & AttributesOf<A> {
    const values: Record<string, unknown> = this.#headerOf(bytes, start, end);
    this.#table.decodeInto(values, bytes, start + this.#start, end);
    return values as H & AttributesOf<A>;
  }

  encode(value: H & AttributesOf<A>, writer: Writer): void {
    this.#header.encode(value, writer);
    writer.pad();
    this.#table.encode(value, writer, this.#headerNames);
  }

  /** The bytes of a value for a request. Throws kind internal for one that netlink cannot carry: what a user writes has been checked before. */
  bytes(value: H & AttributesOf<A>, operation: string): Buffer {
    const writer = new Writer();
    try {
      this.encode(value, writer);
    } catch (cause) {
      throw new OpError("internal", `Could not ${operation}: ${messageOf(cause)}`, { operation, cause });
    }
    return writer.bytes();
  }

  placeAt(offset: number, payload: Buffer): Place | undefined {
    return this.#table.placeAt(offset, this.#attributesOf(payload));
  }

  constantOf(missing: Missing, payload: Buffer): string {
    return this.#table.constantOf(missing, this.#attributesOf(payload));
  }

  #attributesOf(payload: Buffer): Span {
    return { bytes: payload, start: this.#start, end: payload.length, header: this.#headerOf(payload, 0, payload.length) };
  }

  #headerOf(bytes: Buffer, start: number, end: number): H {
    const header = end - start < this.#start ? undefined : this.#header.decode(bytes, start, start + this.#header.size);
    if (header === undefined) throw new ProtocolViolation(`a message of ${end - start} bytes without its header of ${this.#start}`);
    return header;
  }
}
