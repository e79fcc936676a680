/*
 * IPv4 and IPv6 addresses as bytes and as text. Pure.
 */

const IPV4_PART = /^(0|[1-9][0-9]{0,2})$/;
const IPV6_PART = /^[0-9A-Fa-f]{1,4}$/;

/** 4 or 16 bytes, or undefined for what is not one address: no prefix, no zone, no IPv4 part with a leading zero, which some read as octal. */
export function parseIp(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** The one spelling of an address of 4 or 16 bytes: RFC 5952 for IPv6, its section 5 only for addresses that are mapped from IPv4. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) throw new TypeError(`an IP address of ${bytes.length} bytes`);
  const words = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  if (words[5] === 0xffff && words.slice(0, 5).every((word) => word === 0)) return `::ffff:${bytes.subarray(12).join(".")}`;
  const { start, length } = longestZeros(words);
  const hex = (some: readonly number[]) => some.map((word) => word.toString(16)).join(":");
  return length < 2 ? hex(words) : `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => IPV4_PART.test(part) && Number(part) <= 255)) return undefined;
  return Uint8Array.from(parts, Number);
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => wordsOf(half, index === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const words = [...head, ...Array<number>(missing).fill(0), ...(tail ?? [])];
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));
}

/** The words between colons; the last may be an IPv4 address where the text ends with it. */
function wordsOf(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const words: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (IPV6_PART.test(part)) {
      words.push(Number.parseInt(part, 16));
      continue;
    }
    const [a = 0, b = 0, c = 0, d = 0] = (last && index === parts.length - 1 ? parseIpv4(part) : undefined) ?? [-1];
    if (a < 0) return undefined;
    words.push((a << 8) | b, (c << 8) | d);
  }
  return words;
}

/** The first of the longest runs of zeros (RFC 5952, 4.2.3). */
function longestZeros(words: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, word] of words.entries()) {
    length = word === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index + 1 - length, length };
  }
  return best;
}
