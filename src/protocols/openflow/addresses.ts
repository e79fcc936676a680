import { ipText, parseIp } from "../../core/ip-address.ts";
import { macText, parseMac as parseMacBytes } from "../../core/mac-address.ts";
import { bytesOf, integerOf } from "./wire.ts";

/*
 * Addresses as numbers and, as ovs-ofctl writes them, as text. Pure. What is not an address is undefined.
 */

const [MAC_BYTES, IPV4_BYTES, IPV6_BYTES] = [6, 4, 16];

/** A byte may have one digit. */
export function parseMac(text: string): bigint | undefined {
  const bytes = text.includes("-") ? undefined : parseMacBytes(text.replaceAll(/\b[\da-f]\b/gi, "0$&"));
  return bytes && integerOf(bytes);
}

export function printMac(value: bigint): string {
  return macText(bytesOf(value, MAC_BYTES));
}

export function parseIpv4(text: string): bigint | undefined {
  return addressOf(text, IPV4_BYTES);
}

export function printIpv4(value: bigint): string {
  return ipText(bytesOf(value, IPV4_BYTES));
}

export function parseIpv6(text: string): bigint | undefined {
  return addressOf(text, IPV6_BYTES);
}

/** As inet_ntop(3) writes it, which takes what begins with 96 zeros for an IPv4 address. */
export function printIpv6(value: bigint): string {
  return value >> 32n === 0n && value >> 16n !== 0n ? `::${printIpv4(value)}` : ipText(bytesOf(value, IPV6_BYTES));
}

/** The prefix's length, where the mask is one of a prefix. */
export function prefixOf(mask: bigint, bits: number): number | undefined {
  const rest = ((1n << BigInt(bits)) - 1n) ^ mask;
  return (rest & (rest + 1n)) === 0n ? bits - rest.toString(2).replace(/^0$/, "").length : undefined;
}

export function maskOf(prefix: number, bits: number): bigint {
  return ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix);
}

function addressOf(text: string, size: number): bigint | undefined {
  const bytes = parseIp(text);
  return bytes?.length === size ? integerOf(bytes) : undefined;
}
