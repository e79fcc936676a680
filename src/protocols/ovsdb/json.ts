/*
 * JSON as RFC 7047 uses it: integers are of 64 bits (3.1), and those that a JavaScript number cannot hold exactly are bigints. Pure.
 */

export type Wire = null | boolean | number | bigint | string | readonly Wire[] | WireObject;

export interface WireObject {
  readonly [key: string]: Wire;
}

/** What is not OVSDB, or beyond our limits. There is no way to go on reading after it. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
}

export function isWireObject(value: Wire | undefined): value is WireObject {
  return typeof value === "object" && value !== null && !isWireList(value);
}

export function isWireList(value: Wire | undefined): value is readonly Wire[] {
  return Array.isArray(value);
}

/** What JSON.parse would take for another number: one with many digits, and one that overflows. Few texts have either. */
const UNUSUAL = /\d{16}|(?:^|[[,:\s])-?\d+(?:\.\d+)?[eE]\+?\d{3}/;
const INTEGER = /^-?\d+$/;

/** The value of a JSON text. Throws ProtocolViolation for what is none, and for a number that overflows. */
export function parseWire(text: string): Wire {
  try {
    return (UNUSUAL.test(text) ? JSON.parse(text, exactly) : JSON.parse(text)) as Wire;
  } catch (error) {
    throw new ProtocolViolation(`text that is not JSON: ${quoted(text)}`, { cause: error });
  }
}

/** A JSON text without spaces. Keys stay in their order; a number that JSON cannot hold throws a RangeError. */
export function wireText(value: Wire): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`No JSON number: ${value}`);
  if (isWireList(value)) return `[${value.map(wireText).join(",")}]`;
  if (!isWireObject(value)) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${wireText(inner)}`).join(",")}}`;
}

/** The beginning of something that is not what it should be, for a message. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

function exactly(this: unknown, _key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (value === Infinity || value === -Infinity) throw new RangeError("A number that overflows");
  const source = context?.source;
  if (typeof value !== "number" || Number.isSafeInteger(value) || source === undefined || !INTEGER.test(source)) return value;
  return BigInt(source);
}
