import type { Form } from "./form.ts";
import { aligned, type Writer } from "./writer.ts";

/*
 * Attributes: linux/netlink.h, struct nlattr. A table says which there are; what it does not know is kept as bytes under its number
 * ("#62"), and the order of arrival is the order of the keys, so that encoding what was decoded gives the same bytes.
 */

const HEADER_BYTES = 4;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

/** What is not netlink, or beyond our limits. There is no way to go on reading after it. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
}

export interface AttributeOptions {
  /** Only where an earlier value has this value: the meaning of some attributes depends on others, or on the message's header. */
  readonly when?: readonly [name: string, value: unknown];
  /** The kernel sets NLA_F_NESTED on it. */
  readonly flagged?: boolean;
}

export interface Attribute<T> extends AttributeOptions {
  readonly number: number;
  /** The kernel's name of the number. */
  readonly constant: string;
  readonly form: Form<T>;
  /** It comes once for each element of its value. */
  readonly repeated?: Form<unknown>;
}

export function attribute<T>(number: number, constant: string, form: Form<T>, options: AttributeOptions = {}): Attribute<T> {
  return { number, constant, form, ...options };
}

/** An attribute that may come any number of times. Its value has all of them. */
export function repeated<T>(number: number, constant: string, form: Form<T>): Attribute<readonly T[]> {
  return { number, constant, form: NEVER, repeated: form };
}

export type Attributes = Readonly<Record<string, Attribute<unknown>>>;

/** What a table decodes to. A key is missing where there was no such attribute, or one that does not have the form that is known here. */
export type AttributesOf<A> = { readonly [Name in keyof A]?: A[Name] extends Attribute<infer T> ? T : never } & UnknownAttributes;

/** By type with its flags: the payloads of what the table does not know, each time that it came. */
export interface UnknownAttributes {
  readonly [number: `#${number}`]: readonly Uint8Array[];
}

/** Where an attribute is: the keys that lead to it, and the kernel's name. */
export interface Place {
  readonly path: readonly string[];
  readonly constant: string;
}

/** Some of the bytes of a message, and what its header says. */
export interface Span {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly header?: Readonly<Values>;
}

/** An attribute that is not there, by number, and the offset of the nest that it is missing in; without one it is the outermost level. */
export interface Missing {
  readonly number: number;
  readonly nest?: number | undefined;
}

/** One level of attributes, which is the form of an attribute that nests them. */
export class AttributeTable<A extends Attributes> implements Form<AttributesOf<A>> {
  readonly #byName: ReadonlyMap<string, Attribute<unknown>>;
  readonly #byNumber: ReadonlyMap<number, readonly (readonly [name: string, attribute: Attribute<unknown>])[]>;

  constructor(attributes: A) {
    this.#byName = new Map(Object.entries(attributes));
    this.#byNumber = Map.groupBy(this.#byName, ([, { number }]) => number);
  }

  decode(bytes: Buffer, start: number, end: number): AttributesOf<A> {
    const values: Values = {};
    this.decodeInto(values, bytes, start, end);
    return values as AttributesOf<A>;
  }

  /** Adds the attributes to values that are there already. Throws ProtocolViolation where lengths do not fit into each other. */
  decodeInto(values: Values, bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; ) {
      const { type, next, until } = attributeAt(bytes, at, end);
      const [name, known] = this.#find(type & NLA_TYPE_MASK, values) ?? UNKNOWN;
      const value = (known?.repeated ?? known?.form)?.decode(bytes, at + HEADER_BYTES, until);
      // What came before stays, and what comes again is kept as bytes.
      if (value === undefined || (known?.repeated === undefined && values[name] !== undefined)) append(values, `#${type}`, bytes.subarray(at + HEADER_BYTES, until));
      else if (known?.repeated === undefined) values[name] = value;
      else append(values, name, value);
      at = next;
    }
  }

  /** In the order of the keys. `given` are the keys of what is not an attribute: a message's header. */
  encode(values: AttributesOf<A>, writer: Writer, given: ReadonlySet<string> = NONE): void {
    for (const [name, value] of Object.entries(values)) {
      if (given.has(name) || value === undefined) continue;
      const known = this.#byName.get(name);
      if (known === undefined) encodeUnknown(name, value as readonly Uint8Array[], writer);
      else if (known.repeated === undefined) write(typeOf(known), value, known.form, writer);
      else for (const each of value as readonly unknown[]) write(typeOf(known), each, known.repeated, writer);
    }
  }

  /** The attribute that is at an offset, as deep as the tables know. */
  placeAt(offset: number, span: Span): Place | undefined {
    const found = this.#at(offset, span);
    if (found === undefined) return undefined;
    const inner = offset < found.payload.start ? undefined : found.nested?.placeAt(offset, found.payload);
    return { path: [found.name, ...(inner?.path ?? [])], constant: inner?.constant ?? found.constant };
  }

  /** What the kernel calls an attribute that is missing. */
  constantOf({ number, nest }: Missing, span: Span): string {
    const found = nest === undefined ? undefined : this.#at(nest, span);
    if (nest !== undefined && found?.nested !== undefined) return found.nested.constantOf({ number, nest: nest < found.payload.start ? undefined : nest }, found.payload);
    return this.#byNumber.get(number)?.[0]?.[1].constant ?? `attribute ${number}`;
  }

  #at(offset: number, { bytes, start, end, header }: Span) {
    const values = { ...header, ...this.decode(bytes, start, end) };
    for (let at = start; at < end; ) {
      const { type, next, until } = attributeAt(bytes, at, end);
      if (offset >= at && offset < next) {
        const number = type & NLA_TYPE_MASK;
        const [name, known] = this.#find(number, values) ?? [`#${type}`, undefined];
        const nested = known?.form instanceof AttributeTable ? (known.form as AttributeTable<Attributes>) : undefined;
        return { name, constant: known?.constant ?? `attribute ${number}`, nested, payload: { bytes, start: at + HEADER_BYTES, end: until } };
      }
      at = next;
    }
    return undefined;
  }

  #find(number: number, values: Values): readonly [name: string, attribute: Attribute<unknown>] | undefined {
    return this.#byNumber.get(number)?.find(([, { when }]) => when === undefined || values[when[0]] === when[1]);
  }
}

type Values = Record<string, unknown>;

const NONE: ReadonlySet<string> = new Set();
const UNKNOWN: readonly [name: string, attribute: undefined] = ["", undefined];

const NEVER: Form<never> = {
  decode: () => undefined,
  encode() {
    throw new TypeError("an attribute that is repeated is a list");
  },
};

/** Throws ProtocolViolation for an attribute that is not whole. */
function attributeAt(bytes: Buffer, at: number, end: number): { readonly type: number; readonly until: number; readonly next: number } {
  if (end - at < HEADER_BYTES) throw new ProtocolViolation(`${end - at} bytes after the last attribute`);
  const length = bytes.readUInt16LE(at);
  if (length < HEADER_BYTES || at + length > end) throw new ProtocolViolation(`an attribute of ${length} bytes where there are ${end - at}`);
  return { type: bytes.readUInt16LE(at + 2), until: at + length, next: Math.min(at + aligned(length), end) };
}

function append(values: Values, name: string, value: unknown): void {
  const list = values[name];
  if (Array.isArray(list)) list.push(value);
  else values[name] = [value];
}

function encodeUnknown(name: string, payloads: readonly Uint8Array[], writer: Writer): void {
  const type = /^#(\d+)$/.exec(name)?.[1];
  if (type === undefined) throw new TypeError(`there is no attribute '${name}'`);
  for (const payload of payloads) write(Number(type), payload, RAW, writer);
}

const RAW: Form<Uint8Array> = {
  decode: (bytes, start, end) => bytes.subarray(start, end),
  encode: (value, writer) => writer.raw(value),
};

function write<T>(type: number, value: T, form: Form<T>, writer: Writer): void {
  const at = writer.length;
  writer.u16(0);
  writer.u16(type);
  form.encode(value, writer);
  writer.u16At(at, writer.length - at);
  writer.pad();
}

function typeOf({ number, flagged }: Attribute<unknown>): number {
  return flagged === true ? number | NLA_F_NESTED : number;
}
