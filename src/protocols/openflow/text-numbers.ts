import { SpellingError } from "./spelling-error.ts";

/** A part of a text, and where it stands. */
export interface TextPart {
  readonly text: string;
  readonly at: number;
}

/** A decimal or hexadecimal number. Throws SpellingError. */
export function numberIn(part: TextPart, { what, most }: { readonly what: string; readonly most: number }): number {
  const number = integer(part.text);
  if (number === undefined || number > BigInt(most)) throw new SpellingError(`${what} is a number up to ${most}, not '${part.text}'`, part.at);
  return Number(number);
}

/** Likewise, of more bits than a JavaScript number has. */
export function wideNumberIn(part: TextPart, { what, bits }: { readonly what: string; readonly bits: number }): bigint {
  const number = integer(part.text);
  if (number === undefined || number >= 1n << BigInt(bits)) throw new SpellingError(`${what} is a number of ${bits} bits, not '${part.text}'`, part.at);
  return number;
}

function integer(text: string): bigint | undefined {
  return /^(\d{1,40}|0x[\da-f]{1,32})$/i.test(text) ? BigInt(text) : undefined;
}
