import type { Need } from "./fields.ts";
import type { Bits } from "./flags.ts";

/*
 * What a packet must be before a field of it can be matched: OpenFlow 1.4, 7.2.3.6 "Flow Match Field Prerequisites". Pure.
 */

/** A match by the names of its fields. */
export type Draft = ReadonlyMap<string, Bits>;

const [IP, IPV6, ARP, RARP, MPLS, MPLS_MULTICAST] = [0x0800n, 0x86ddn, 0x0806n, 0x8035n, 0x8847n, 0x8848n];
const [ICMP, TCP, UDP, ICMP6, SCTP] = [1n, 6n, 17n, 58n, 132n];
const [SOLICIT, ADVERT] = [135n, 136n];
const TAG_PRESENT = 0x1000n;

/** A word that stands for a type of packet: ovs-ofctl(8), "Flow Syntax". */
export interface Protocol {
  readonly word: string;
  readonly type: bigint;
  readonly protocol?: bigint;
}

export const PROTOCOLS: readonly Protocol[] = [
  { word: "ip", type: IP },
  { word: "icmp", type: IP, protocol: ICMP },
  { word: "tcp", type: IP, protocol: TCP },
  { word: "udp", type: IP, protocol: UDP },
  { word: "sctp", type: IP, protocol: SCTP },
  { word: "arp", type: ARP },
  { word: "rarp", type: RARP },
  { word: "ipv6", type: IPV6 },
  { word: "icmp6", type: IPV6, protocol: ICMP6 },
  { word: "tcp6", type: IPV6, protocol: TCP },
  { word: "udp6", type: IPV6, protocol: UDP },
  { word: "sctp6", type: IPV6, protocol: SCTP },
  { word: "mpls", type: MPLS },
  { word: "mplsm", type: MPLS_MULTICAST },
];

export function isArp(match: Draft): boolean {
  const type = match.get("eth_type")?.value;
  return type === ARP || type === RARP;
}

export function isIcmp6(match: Draft): boolean {
  return match.get("eth_type")?.value === IPV6 && match.get("nw_proto")?.value === ICMP6;
}

/** Which transport protocol is matched, by the beginning of its fields' names. */
export function transportOf(match: Draft): "tcp" | "udp" | "sctp" | undefined {
  const protocol = match.get("nw_proto")?.value;
  if (!isMet("any ip", match)) return undefined;
  return protocol === TCP ? "tcp" : protocol === UDP ? "udp" : protocol === SCTP ? "sctp" : undefined;
}

export function hasVlan(match: Draft): boolean {
  const vid = match.get("vlan_vid");
  return vid !== undefined && (vid.value & (vid.mask ?? TAG_PRESENT) & TAG_PRESENT) !== 0n;
}

export function isMet(need: Need, match: Draft): boolean {
  const [type, protocol, message] = ["eth_type", "nw_proto", "icmpv6_type"].map((name) => match.get(name)?.value);
  switch (need) {
    case "ip":
      return type === IP;
    case "ipv6":
      return type === IPV6;
    case "any ip":
      return type === IP || type === IPV6;
    case "arp":
      return isArp(match);
    case "mpls":
      return type === MPLS || type === MPLS_MULTICAST;
    case "vlan":
      return hasVlan(match);
    case "icmp":
      return type === IP && protocol === ICMP;
    case "icmp6":
      return isIcmp6(match);
    case "nd":
      return isIcmp6(match) && (message === SOLICIT || message === ADVERT) && match.get("icmpv6_code")?.value === 0n;
    case "nd solicit":
      return isMet("nd", match) && message === SOLICIT;
    case "nd advert":
      return isMet("nd", match) && message === ADVERT;
    default:
      return transportOf(match) === need;
  }
}

/** What to write for it. */
export function remedyFor(need: Need): string {
  const remedies: Readonly<Record<Need, string>> = {
    ...{ ip: "ip", ipv6: "ipv6", "any ip": "ip or ipv6", arp: "arp", mpls: "mpls", vlan: "dl_vlan", icmp: "icmp", icmp6: "icmp6" },
    ...{ tcp: "tcp or tcp6", udp: "udp or udp6", sctp: "sctp or sctp6" },
    ...{ nd: "icmp6, icmp_type=135 (or 136) and icmp_code=0", "nd solicit": "icmp6, icmp_type=135 and icmp_code=0", "nd advert": "icmp6, icmp_type=136 and icmp_code=0" },
  };
  return remedies[need];
}
