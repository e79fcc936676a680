import { maskOf, parseIpv4, parseIpv6, parseMac, prefixOf, printIpv4, printIpv6, printMac } from "./addresses.ts";
import type { Field } from "./fields.ts";
import { parseFlags, printFlags, type Bits } from "./flags.ts";
import { longPort, parsePort, printPort, shortPort, type PortNames } from "./port-names.ts";
import { SpellingError } from "./spelling-error.ts";

/*
 * A field's value as text and back: ovs-fields(7). Pure.
 */

export type { Bits } from "./flags.ts";

/** nw_frag has two bits, for "any" and "later", and words for what people ask of them. */
const FRAGMENTS: Readonly<Record<string, Bits>> = {
  no: { value: 0n },
  yes: { value: 1n, mask: 1n },
  first: { value: 1n },
  later: { value: 3n },
  not_later: { value: 0n, mask: 2n },
};

/** Throws SpellingError, which names the key as the user wrote it. */
export function parseValue(field: Field, text: string, { key, names, at }: { readonly key: string; readonly names: PortNames; readonly at: number }): Bits {
  const bits = valueOf(field, text, names, at);
  if (bits === undefined) throw new SpellingError(`'${text}' is not a value of '${key}', which is ${described(field)}`, at);
  if (bits.mask === undefined || bits.mask === maskOfAll(field)) return inLimits(field, { value: bits.value }, { key, text, at });
  if (!field.maskable) throw new SpellingError(`'${key}' cannot be matched in part: '${text}' has a mask`, at);
  if (bits.mask === 0n) throw new SpellingError(`'${key}=${text}' matches everything: leave it out`, at);
  return inLimits(field, { value: bits.value & bits.mask, mask: bits.mask }, { key, text, at });
}

/** As a match has it; an action's value has no mask, and numbers without leading zeros. */
export function printValue(field: Field, { value, mask }: Bits, names: PortNames, digits = 1): string {
  switch (field.form) {
    case "mac":
      return withMask(printMac, value, mask);
    case "ipv4":
      return withPrefix(printIpv4, value, mask, 32);
    case "ipv6":
      return withPrefix(printIpv6, value, mask, 128);
    case "port":
      return printPort(field.bytes === 2 ? longPort(Number(value)) : Number(value), names);
    case "hex":
      return withMask((number) => (number === 0n && digits === 1 ? "0" : `0x${number.toString(16).padStart(digits, "0")}`), value, mask);
    case "decimal":
      return mask === undefined ? String(value) : withMask((number) => `0x${number.toString(16)}`, value, mask);
    case "frag":
      return Object.entries(FRAGMENTS).find(([, bits]) => bits.value === value && bits.mask === mask)?.[0] ?? numbers(value, mask);
    default:
      return printFlags(field.form, { value, ...(mask === undefined ? {} : { mask }) }) ?? numbers(value, mask);
  }
}

/** All the bits of a field of whole bytes. */
export function maskOfAll(field: Field): bigint {
  return field.form === "frag" ? 3n : field.limit;
}

function valueOf(field: Field, text: string, names: PortNames, at: number): Bits | undefined {
  if (field.form === "port") {
    const port = parsePort(text, names, at);
    return { value: BigInt(field.bytes === 2 ? shortPort(port) : port) };
  }
  if (field.form === "frag" && Object.hasOwn(FRAGMENTS, text)) return FRAGMENTS[text];
  const flags = parseFlags(field.form, text, at);
  if (flags !== undefined) return flags;
  const [first = "", second, ...more] = text.split("/");
  const [value, mask] = [scalar(field, first), second === undefined ? undefined : maskFrom(field, second)];
  if (value === undefined || more.length > 0 || (second !== undefined && mask === undefined)) return undefined;
  return mask === undefined ? { value } : { value, mask };
}

function scalar(field: Field, text: string): bigint | undefined {
  if (field.form === "mac") return parseMac(text);
  if (field.form === "ipv4") return parseIpv4(text);
  if (field.form === "ipv6") return parseIpv6(text);
  return /^(\d{1,40}|0x[\da-f]{1,32})$/i.test(text) ? BigInt(text) : undefined;
}

function maskFrom(field: Field, text: string): bigint | undefined {
  const isAddress = field.form === "ipv4" || field.form === "ipv6";
  if (isAddress && /^\d{1,3}$/.test(text)) return Number(text) <= field.bits ? maskOf(Number(text), field.bits) : undefined;
  return text === "-1" ? maskOfAll(field) : scalar(field, text);
}

function inLimits(field: Field, bits: Bits, { key, text, at }: { readonly key: string; readonly text: string; readonly at: number }): Bits {
  if (((bits.value | (bits.mask ?? 0n)) & ~field.limit) === 0n) return bits;
  throw new SpellingError(`'${text}' is too large for '${key}', which has ${field.bits} bits`, at);
}

function withMask(print: (number: bigint) => string, value: bigint, mask: bigint | undefined): string {
  return mask === undefined ? print(value) : `${print(value)}/${print(mask)}`;
}

function withPrefix(print: (number: bigint) => string, value: bigint, mask: bigint | undefined, bits: number): string {
  const prefix = mask === undefined ? undefined : prefixOf(mask, bits);
  return prefix === undefined ? withMask(print, value, mask) : `${print(value)}/${prefix}`;
}

/** Bits without a name of their own. */
function numbers(value: bigint, mask: bigint | undefined): string {
  return withMask((number) => `0x${number.toString(16)}`, value, mask);
}

function described({ form, bits }: Field): string {
  const addresses: Partial<Record<Field["form"], string>> = { mac: "a MAC address", ipv4: "an IPv4 address", ipv6: "an IPv6 address" };
  if (form === "frag") return `one of ${Object.keys(FRAGMENTS).join(", ")}`;
  return addresses[form] ?? `a number of ${bits} bits`;
}
