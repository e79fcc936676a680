/*
 * Hardware addresses as bytes and as text. Pure.
 */

/** Six bytes in hexadecimal, with colons or with dashes. */
const MAC = /^[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})$/;

/** 6 bytes, or undefined for what is not an Ethernet address. */
export function parseMac(text: string): Uint8Array | undefined {
  return MAC.test(text) ? Uint8Array.from(text.split(/[:-]/), (byte) => Number.parseInt(byte, 16)) : undefined;
}

/** "02:00:00:00:00:01". Links that are not Ethernet have addresses of other lengths, written alike. */
export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** The one spelling of an Ethernet address; undefined for what is none. */
export function normalMac(text: string): string | undefined {
  const bytes = parseMac(text);
  return bytes && macText(bytes);
}
