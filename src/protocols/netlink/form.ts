import { isUtf8 } from "node:buffer";
import { ipText, parseIp } from "../../core/ip-address.ts";
import { macText } from "../../core/mac-address.ts";
import type { Writer } from "./writer.ts";

/*
 * What the payload of an attribute can look like. Integers are the host's, which is little-endian on every machine that op-dbus runs on.
 */

/** How one kind of value is on the wire. */
export interface Form<T> {
  /** Undefined for bytes that do not have this form; who asked keeps them as they are. */
  decode(bytes: Buffer, start: number, end: number): T | undefined;
  /** Throws TypeError or RangeError for a value that does not have this form. */
  encode(value: T, writer: Writer): void;
}

/** A form that always takes as many bytes. */
export interface SizedForm<T> extends Form<T> {
  readonly size: number;
}

/** The value of a form. */
export type ValueOf<F> = F extends Form<infer T> ? T : never;

export const u8: SizedForm<number> = {
  size: 1,
  decode: (bytes, start, end) => (end - start === 1 ? bytes[start] : undefined),
  encode: (value, writer) => writer.u8(value),
};

export const u16: SizedForm<number> = {
  size: 2,
  decode: (bytes, start, end) => (end - start === 2 ? bytes.readUInt16LE(start) : undefined),
  encode: (value, writer) => writer.u16(value),
};

export const u32: SizedForm<number> = {
  size: 4,
  decode: (bytes, start, end) => (end - start === 4 ? bytes.readUInt32LE(start) : undefined),
  encode: (value, writer) => writer.u32(value),
};

export const s32: SizedForm<number> = {
  size: 4,
  decode: (bytes, start, end) => (end - start === 4 ? bytes.readInt32LE(start) : undefined),
  encode: (value, writer) => writer.s32(value),
};

export const u64: SizedForm<bigint> = {
  size: 8,
  decode: (bytes, start, end) => (end - start === 8 ? bytes.readBigUInt64LE(start) : undefined),
  encode: (value, writer) => writer.u64(value),
};

export const be16: SizedForm<number> = {
  size: 2,
  decode: (bytes, start, end) => (end - start === 2 ? bytes.readUInt16BE(start) : undefined),
  encode: (value, writer) => writer.be16(value),
};

/** An attribute that says something by being there. */
export const present: Form<true> = {
  decode: (_, start, end) => (end === start ? true : undefined),
  encode: () => undefined,
};

/** Text that ends with its only NUL. Not every name of a link is UTF-8. */
export const string: Form<string> = {
  decode(bytes, start, end) {
    if (start === end || bytes.indexOf(0, start) !== end - 1) return undefined;
    return isUtf8(bytes.subarray(start, end)) ? bytes.toString("utf8", start, end - 1) : undefined;
  },
  encode(value, writer) {
    if (!value.isWellFormed() || value.includes("\0")) throw new TypeError("text that netlink cannot carry");
    writer.raw(Buffer.from(`${value}\0`));
  },
};

/** A hardware address of whatever length the link has. */
export const mac: Form<string> = {
  decode: (bytes, start, end) => macText(bytes.subarray(start, end)),
  encode(value, writer) {
    if (!/^([0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*)?$/.test(value)) throw new TypeError(`${JSON.stringify(value)} is not a hardware address`);
    writer.raw(Buffer.from(value.replaceAll(":", ""), "hex"));
  },
};

/** An IP address: its length tells the family. */
export const ip: Form<string> = ipOf(4, 16);
export const ipv4: Form<string> = ipOf(4);
export const ipv6: Form<string> = ipOf(16);

function ipOf(...lengths: readonly number[]): Form<string> {
  return {
    decode: (bytes, start, end) => (lengths.includes(end - start) ? ipText(bytes.subarray(start, end)) : undefined),
    encode(value, writer) {
      const bytes = parseIp(value);
      if (bytes === undefined || !lengths.includes(bytes.length)) throw new TypeError(`${JSON.stringify(value)} is not an address that fits`);
      writer.raw(bytes);
    },
  };
}

/** As many signed integers as there is room for. A link has a hundred of them. */
export const s32s: Form<readonly number[]> = {
  decode(bytes, start, end) {
    if ((end - start) % 4 !== 0) return undefined;
    const values: number[] = [];
    for (let at = start; at < end; at += 4) values.push(bytes.readInt32LE(at));
    return values;
  },
  encode(values, writer) {
    for (const value of values) writer.s32(value);
  },
};

/** The members of a struct by name, in their order. */
export type Members = Readonly<Record<string, SizedForm<number>>>;

export type StructOf<M extends Members> = { readonly [Name in keyof M]: number };

/** A C struct. Members whose name begins with "unused" are padding: not decoded, and zero when encoded. */
export function struct<const M extends Members>(members: M): SizedForm<Omit<StructOf<M>, `unused${string}`>> {
  const parts = Object.entries(members).map(([name, form]) => ({ name, form, used: !name.startsWith("unused") }));
  const size = parts.reduce((sum, { form }) => sum + form.size, 0);
  return {
    size,
    decode(bytes, start, end) {
      if (end - start !== size) return undefined;
      const value: Record<string, number | undefined> = {};
      let at = start;
      for (const { name, form, used } of parts) {
        if (used) value[name] = form.decode(bytes, at, at + form.size);
        at += form.size;
      }
      return value as StructOf<M>;
    },
    encode(value, writer) {
      const given = value as Readonly<Record<string, number>>;
      for (const { name, form, used } of parts) {
        if (used) form.encode(given[name] ?? NaN, writer);
        else writer.zeros(form.size);
      }
    },
  };
}
