/** What a state document, a plan, the journal and the log are made of. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/**
 * The one serialization that hashes and signatures are taken over (RFC 8785).
 * Keys sort by UTF-16 code units; a lone surrogate or a number that JSON cannot hold throws a RangeError.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new RangeError(`No JSON number: ${value}`);
    return JSON.stringify(value);
  }
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new RangeError("A string with a lone surrogate has no canonical form");
    return JSON.stringify(value);
  }
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${canonicalJson(key)}:${canonicalJson(value[key] as Json)}`);
  return `{${members.join(",")}}`;
}

/** The value of a text in canonical form; undefined for any other text. Quick: most of its work is the engine's own. */
export function parseCanonical(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    // A key that looks like an index comes out of order, and a lone surrogate comes back: then it takes the long way.
    const plain = isSorted(value) && !text.includes("\\ud");
    return (plain ? JSON.stringify(value) : canonicalJson(value)) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

function isSorted(value: Json): boolean {
  if (isList(value)) return value.every(isSorted);
  if (!isObject(value)) return true;
  let previous: string | undefined;
  for (const key in value) {
    if (previous !== undefined && key <= previous) return false;
    previous = key;
    const member = value[key];
    if (typeof member === "object" && !isSorted(member)) return false;
  }
  return true;
}

/** SHA-256 over the canonical form, in lower-case hex. */
export function hashJson(value: Json): string {
  return new Bun.CryptoHasher("sha256").update(canonicalJson(value)).digest("hex");
}

export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  // Lists of thousands of texts are compared each with each.
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  return canonicalJson(a) === canonicalJson(b);
}

/** A value as JSON sees it: what is undefined is dropped, order of keys is kept. */
export function toJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
