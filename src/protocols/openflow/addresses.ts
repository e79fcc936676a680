/*
 * Addresses as numbers and as text. Pure. What is not an address is undefined.
 */

export function parseMac(text: string): bigint | undefined {
  return /^([\da-f]{1,2}:){5}[\da-f]{1,2}$/i.test(text) ? text.split(":").reduce((value, byte) => (value << 8n) | BigInt(`0x${byte}`), 0n) : undefined;
}

export function printMac(value: bigint): string {
  return value.toString(16).padStart(12, "0").replace(/..(?=.)/g, "$&:");
}

export function parseIpv4(text: string): bigint | undefined {
  const bytes = /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ? text.split(".").map(Number) : [];
  return bytes.length === 4 && bytes.every((byte) => byte < 256) ? bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) : undefined;
}

export function printIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
}

export function parseIpv6(text: string): bigint | undefined {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (tail !== null) {
    const v4 = parseIpv4(tail[2] ?? "");
    return v4 === undefined ? undefined : parseIpv6(`${tail[1]}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`);
  }
  const [left, right, ...more] = text.split("::");
  if (left === undefined || more.length > 0) return undefined;
  const [head, end] = [left, right ?? ""].map((part) => (part === "" ? [] : part.split(":")));
  const groups = [...(head ?? []), ...(end ?? [])];
  if (!groups.every((group) => /^[\da-f]{1,4}$/i.test(group)) || (right === undefined ? groups.length !== 8 : groups.length > 7)) return undefined;
  const zeros = Array.from({ length: 8 - groups.length }, () => "0");
  return [...(head ?? []), ...zeros, ...(end ?? [])].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** As inet_ntop(3) writes it: the first longest run of zeros is left out, and what ends in an IPv4 address says so. */
export function printIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - 16 * index)) & 0xffffn));
  let [start, length] = [-1, 1];
  for (let at = 0; at < 8; at += 1) {
    let end = at;
    while (groups[end] === 0) end += 1;
    if (end - at > length) [start, length] = [at, end - at];
  }
  const isMapped = value >> 32n === 0xffffn;
  if (start === 0 && (isMapped || (length === 6 && value !== 0n))) return `::${isMapped ? "ffff:" : ""}${printIpv4(value & 0xffff_ffffn)}`;
  const hex = groups.map((group) => group.toString(16));
  return start < 0 ? hex.join(":") : `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** The prefix's length, where the mask is one of a prefix. */
export function prefixOf(mask: bigint, bits: number): number | undefined {
  const rest = ((1n << BigInt(bits)) - 1n) ^ mask;
  return (rest & (rest + 1n)) === 0n ? bits - rest.toString(2).replace(/^0$/, "").length : undefined;
}

export function maskOf(prefix: number, bits: number): bigint {
  return ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix);
}
