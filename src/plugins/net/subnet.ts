import { ipText, parseIp } from "../../core/ip-address.ts";

export type Family = "ipv4" | "ipv6";

export const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];
/** As people say it. */
export const SPOKEN: Readonly<Record<Family, string>> = { ipv4: "IPv4", ipv6: "IPv6" };

/** An address with the length of its network's prefix. */
export interface Subnet {
  readonly family: Family;
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

export function familyOf(bytes: Uint8Array): Family {
  return bytes.length === 4 ? "ipv4" : "ipv6";
}

export function familyOfText(text: string): Family {
  return text.includes(":") ? "ipv6" : "ipv4";
}

/** "192.168.1.10/24"; undefined for what is none. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, ip = "", digits = ""] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const bytes = parseIp(ip);
  const prefix = Number(digits);
  return bytes === undefined || prefix > bytes.length * 8 ? undefined : { family: familyOf(bytes), bytes, prefix };
}

/** The one spelling of an address in a document: "2001:db8::1/64". */
export function subnetText({ bytes, prefix }: Pick<Subnet, "bytes" | "prefix">): string {
  return `${ipText(bytes)}/${prefix}`;
}

/** The one spelling of an address without a prefix; undefined for what is none. */
export function normalIp(text: string): string | undefined {
  const bytes = parseIp(text);
  return bytes && ipText(bytes);
}

/** The subnet itself: all bits beyond its prefix are 0. */
export function networkOf({ bytes, prefix, family }: Subnet): Subnet {
  const masked = bytes.map((byte, index) => byte & maskAt(index, prefix));
  return { family, bytes: masked, prefix };
}

export function contains(subnet: Subnet, ip: Uint8Array): boolean {
  return subnet.bytes.length === ip.length && ip.every((byte, index) => ((byte ^ (subnet.bytes[index] ?? 0)) & maskAt(index, subnet.prefix)) === 0);
}

/** Addresses in one network, as the kernel sees it: of those on one link, all but the first are secondary (IPv4). */
export function sameNetwork(a: string, b: string): boolean {
  const [one, other] = [parseSubnet(a), parseSubnet(b)];
  return one !== undefined && other !== undefined && one.prefix === other.prefix && contains(one, other.bytes);
}

/** fe80::/10: the kernel's own on every link (RFC 4291, 2.5.6). */
export function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}

export function isMulticast(bytes: Uint8Array): boolean {
  return bytes.length === 4 ? ((bytes[0] ?? 0) & 0xf0) === 0xe0 : bytes[0] === 0xff;
}

function maskAt(index: number, prefix: number): number {
  const bits = Math.max(0, Math.min(8, prefix - index * 8));
  return (0xff << (8 - bits)) & 0xff;
}
