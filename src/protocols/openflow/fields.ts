/*
 * The fields that flows match and set: OpenFlow 1.4, 7.2.3.7 "Flow Match Fields", with Open vSwitch's own (ovs-fields(7)). Pure.
 */

/** How a field's value is spelled; see values.ts. */
export type Form = "decimal" | "hex" | "mac" | "ipv4" | "ipv6" | "port" | "ct_state" | "tcp_flags" | "frag";

/** What of a packet must be matched before the field means anything; see prerequisites.ts. */
export type Need = "ip" | "ipv6" | "any ip" | "arp" | "mpls" | "vlan" | "tcp" | "udp" | "sctp" | "icmp" | "icmp6" | "nd" | "nd solicit" | "nd advert";

/** Where a field stands on the wire (7.2.3.2 "OXM Classes"). */
export interface Place {
  readonly oxmClass: number;
  readonly number: number;
  /** Only in class 0xffff. */
  readonly experimenter?: number;
}

export interface Field {
  /** As set_field writes it. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly bits: number;
  readonly bytes: number;
  /** All the bits that a value may have: vlan_vid has one besides its 12, which says that there is a tag. */
  readonly limit: bigint;
  readonly form: Form;
  readonly maskable: boolean;
  readonly need?: Need;
  /** In matches and in set_field. */
  readonly oxm: Place;
  /** In load, move and ct's zone: the older place, where there is one, and its name. */
  readonly nxm: Place;
  readonly nxmName: string;
}

const [NXM_OF, NXM_NX, OXM_OF, PACKET_REGISTERS, EXPERIMENTER] = [0x0000, 0x0001, 0x8000, 0x8001, 0xffff];
const ONF = 0x4f4e4600;
/** Of values on the wire, in bytes. */
const SIZES = [1, 2, 4, 6, 8, 16];

interface Row {
  readonly aliases?: readonly string[];
  readonly need?: Need;
  readonly mask?: false;
  readonly flag?: bigint;
  readonly oxm?: readonly [string, number];
  readonly nxm?: readonly [string, number];
}

function field(name: string, bits: number, form: Form, row: Row): Field {
  const [oxm, nxm] = [row.oxm && placeOf(...row.oxm), row.nxm && placeOf(...row.nxm)];
  const [place, older] = [oxm ?? nxm, nxm ?? oxm];
  if (place === undefined || older === undefined) throw new TypeError(`${name} is nowhere on the wire`);
  return {
    ...{ name, aliases: row.aliases ?? [], bits, bytes: SIZES.find((size) => 8 * size >= bits) ?? 0, form, maskable: row.mask !== false },
    ...{ limit: ((1n << BigInt(bits)) - 1n) | (row.flag ?? 0n) },
    ...(row.need === undefined ? {} : { need: row.need }),
    ...{ oxm: place, nxm: older, nxmName: row.nxm?.[0] ?? row.oxm?.[0] ?? "" },
  };
}

function placeOf(name: string, number: number): Place {
  if (name.startsWith("OXM_OF_PKT_REG")) return { oxmClass: PACKET_REGISTERS, number };
  if (name.startsWith("ONFOXM_ET_")) return { oxmClass: EXPERIMENTER, number, experimenter: ONF };
  return { oxmClass: name.startsWith("OXM_OF_") ? OXM_OF : name.startsWith("NXM_NX_") ? NXM_NX : NXM_OF, number };
}

/** In the order in which Open vSwitch puts them on the wire: what a field needs comes before it. */
export const FIELDS: readonly Field[] = [
  field("conj_id", 32, "decimal", { mask: false, nxm: ["NXM_NX_CONJ_ID", 37] }),
  field("in_port_oxm", 32, "port", { mask: false, oxm: ["OXM_OF_IN_PORT", 0] }),
  field("eth_src", 48, "mac", { aliases: ["dl_src"], oxm: ["OXM_OF_ETH_SRC", 4], nxm: ["NXM_OF_ETH_SRC", 2] }),
  field("eth_dst", 48, "mac", { aliases: ["dl_dst"], oxm: ["OXM_OF_ETH_DST", 3], nxm: ["NXM_OF_ETH_DST", 1] }),
  field("eth_type", 16, "hex", { mask: false, aliases: ["dl_type"], oxm: ["OXM_OF_ETH_TYPE", 5], nxm: ["NXM_OF_ETH_TYPE", 3] }),
  field("vlan_vid", 12, "decimal", { flag: 0x1000n, oxm: ["OXM_OF_VLAN_VID", 6] }),
  field("vlan_pcp", 3, "decimal", { mask: false, need: "vlan", oxm: ["OXM_OF_VLAN_PCP", 7] }),
  field("mpls_tc", 3, "decimal", { mask: false, need: "mpls", oxm: ["OXM_OF_MPLS_TC", 35] }),
  field("mpls_bos", 1, "decimal", { mask: false, need: "mpls", oxm: ["OXM_OF_MPLS_BOS", 36] }),
  field("mpls_ttl", 8, "decimal", { mask: false, need: "mpls", nxm: ["NXM_NX_MPLS_TTL", 30] }),
  field("mpls_label", 20, "decimal", { mask: false, need: "mpls", oxm: ["OXM_OF_MPLS_LABEL", 34] }),
  field("ip_src", 32, "ipv4", { need: "ip", aliases: ["nw_src"], oxm: ["OXM_OF_IPV4_SRC", 11], nxm: ["NXM_OF_IP_SRC", 7] }),
  field("ip_dst", 32, "ipv4", { need: "ip", aliases: ["nw_dst"], oxm: ["OXM_OF_IPV4_DST", 12], nxm: ["NXM_OF_IP_DST", 8] }),
  field("ipv6_src", 128, "ipv6", { need: "ipv6", oxm: ["OXM_OF_IPV6_SRC", 26], nxm: ["NXM_NX_IPV6_SRC", 19] }),
  field("ipv6_dst", 128, "ipv6", { need: "ipv6", oxm: ["OXM_OF_IPV6_DST", 27], nxm: ["NXM_NX_IPV6_DST", 20] }),
  field("ip_frag", 2, "frag", { need: "any ip", aliases: ["nw_frag"], nxm: ["NXM_NX_IP_FRAG", 26] }),
  field("ip_dscp", 6, "decimal", { mask: false, need: "any ip", oxm: ["OXM_OF_IP_DSCP", 8] }),
  field("nw_ecn", 2, "decimal", { mask: false, need: "any ip", aliases: ["ip_ecn"], oxm: ["OXM_OF_IP_ECN", 9], nxm: ["NXM_NX_IP_ECN", 28] }),
  field("nw_ttl", 8, "decimal", { mask: false, need: "any ip", nxm: ["NXM_NX_IP_TTL", 29] }),
  field("ipv6_label", 20, "hex", { need: "ipv6", oxm: ["OXM_OF_IPV6_FLABEL", 28], nxm: ["NXM_NX_IPV6_LABEL", 27] }),
  field("nw_proto", 8, "decimal", { mask: false, need: "any ip", aliases: ["ip_proto"], oxm: ["OXM_OF_IP_PROTO", 10], nxm: ["NXM_OF_IP_PROTO", 6] }),
  field("tcp_src", 16, "decimal", { need: "tcp", oxm: ["OXM_OF_TCP_SRC", 13], nxm: ["NXM_OF_TCP_SRC", 9] }),
  field("tcp_dst", 16, "decimal", { need: "tcp", oxm: ["OXM_OF_TCP_DST", 14], nxm: ["NXM_OF_TCP_DST", 10] }),
  field("tcp_flags", 12, "tcp_flags", { need: "tcp", oxm: ["ONFOXM_ET_TCP_FLAGS", 42], nxm: ["NXM_NX_TCP_FLAGS", 34] }),
  field("udp_src", 16, "decimal", { need: "udp", oxm: ["OXM_OF_UDP_SRC", 15], nxm: ["NXM_OF_UDP_SRC", 11] }),
  field("udp_dst", 16, "decimal", { need: "udp", oxm: ["OXM_OF_UDP_DST", 16], nxm: ["NXM_OF_UDP_DST", 12] }),
  field("sctp_src", 16, "decimal", { need: "sctp", oxm: ["OXM_OF_SCTP_SRC", 17] }),
  field("sctp_dst", 16, "decimal", { need: "sctp", oxm: ["OXM_OF_SCTP_DST", 18] }),
  field("icmp_type", 8, "decimal", { mask: false, need: "icmp", oxm: ["OXM_OF_ICMPV4_TYPE", 19], nxm: ["NXM_OF_ICMP_TYPE", 13] }),
  field("icmp_code", 8, "decimal", { mask: false, need: "icmp", oxm: ["OXM_OF_ICMPV4_CODE", 20], nxm: ["NXM_OF_ICMP_CODE", 14] }),
  field("icmpv6_type", 8, "decimal", { mask: false, need: "icmp6", oxm: ["OXM_OF_ICMPV6_TYPE", 29], nxm: ["NXM_NX_ICMPV6_TYPE", 21] }),
  field("icmpv6_code", 8, "decimal", { mask: false, need: "icmp6", oxm: ["OXM_OF_ICMPV6_CODE", 30], nxm: ["NXM_NX_ICMPV6_CODE", 22] }),
  field("nd_target", 128, "ipv6", { need: "nd", oxm: ["OXM_OF_IPV6_ND_TARGET", 31], nxm: ["NXM_NX_ND_TARGET", 23] }),
  field("nd_sll", 48, "mac", { need: "nd solicit", oxm: ["OXM_OF_IPV6_ND_SLL", 32], nxm: ["NXM_NX_ND_SLL", 24] }),
  field("nd_tll", 48, "mac", { need: "nd advert", oxm: ["OXM_OF_IPV6_ND_TLL", 33], nxm: ["NXM_NX_ND_TLL", 25] }),
  field("arp_op", 16, "decimal", { mask: false, need: "arp", oxm: ["OXM_OF_ARP_OP", 21], nxm: ["NXM_OF_ARP_OP", 15] }),
  field("arp_spa", 32, "ipv4", { need: "arp", oxm: ["OXM_OF_ARP_SPA", 22], nxm: ["NXM_OF_ARP_SPA", 16] }),
  field("arp_tpa", 32, "ipv4", { need: "arp", oxm: ["OXM_OF_ARP_TPA", 23], nxm: ["NXM_OF_ARP_TPA", 17] }),
  field("arp_sha", 48, "mac", { need: "arp", oxm: ["OXM_OF_ARP_SHA", 24], nxm: ["NXM_NX_ARP_SHA", 17] }),
  field("arp_tha", 48, "mac", { need: "arp", oxm: ["OXM_OF_ARP_THA", 25], nxm: ["NXM_NX_ARP_THA", 18] }),
  field("tun_id", 64, "hex", { aliases: ["tunnel_id"], oxm: ["OXM_OF_TUNNEL_ID", 38], nxm: ["NXM_NX_TUN_ID", 16] }),
  field("tun_src", 32, "ipv4", { nxm: ["NXM_NX_TUN_IPV4_SRC", 31] }),
  field("tun_dst", 32, "ipv4", { nxm: ["NXM_NX_TUN_IPV4_DST", 32] }),
  field("tun_ipv6_src", 128, "ipv6", { nxm: ["NXM_NX_TUN_IPV6_SRC", 109] }),
  field("tun_ipv6_dst", 128, "ipv6", { nxm: ["NXM_NX_TUN_IPV6_DST", 110] }),
  field("tun_gbp_id", 16, "decimal", { nxm: ["NXM_NX_TUN_GBP_ID", 38] }),
  ...Array.from({ length: 16 }, (_, n) => field(`reg${n}`, 32, "hex", { nxm: [`NXM_NX_REG${n}`, n] })),
  field("pkt_mark", 32, "hex", { nxm: ["NXM_NX_PKT_MARK", 33] }),
  field("ct_state", 32, "ct_state", { nxm: ["NXM_NX_CT_STATE", 105] }),
  field("ct_zone", 16, "decimal", { mask: false, nxm: ["NXM_NX_CT_ZONE", 106] }),
  field("ct_mark", 32, "hex", { nxm: ["NXM_NX_CT_MARK", 107] }),
  field("ct_label", 128, "hex", { nxm: ["NXM_NX_CT_LABEL", 108] }),
  field("ct_nw_src", 32, "ipv4", { nxm: ["NXM_NX_CT_NW_SRC", 120] }),
  field("ct_ipv6_src", 128, "ipv6", { nxm: ["NXM_NX_CT_IPV6_SRC", 122] }),
  field("ct_nw_dst", 32, "ipv4", { nxm: ["NXM_NX_CT_NW_DST", 121] }),
  field("ct_ipv6_dst", 128, "ipv6", { nxm: ["NXM_NX_CT_IPV6_DST", 123] }),
  field("ct_nw_proto", 8, "decimal", { mask: false, nxm: ["NXM_NX_CT_NW_PROTO", 119] }),
  field("ct_tp_src", 16, "decimal", { nxm: ["NXM_NX_CT_TP_SRC", 124] }),
  field("ct_tp_dst", 16, "decimal", { nxm: ["NXM_NX_CT_TP_DST", 125] }),
  field("metadata", 64, "hex", { oxm: ["OXM_OF_METADATA", 2] }),
  // Two registers as one: written by actions; Open vSwitch matches and prints the registers.
  ...Array.from({ length: 8 }, (_, n) => field(`xreg${n}`, 64, "hex", { oxm: [`OXM_OF_PKT_REG${n}`, n] })),
  // What actions alone name: the input port in 16 bits, a frame's whole tag, and the byte that has DSCP and ECN.
  field("in_port", 16, "port", { mask: false, nxm: ["NXM_OF_IN_PORT", 0] }),
  field("nw_tos", 8, "decimal", { mask: false, need: "any ip", nxm: ["NXM_OF_IP_TOS", 5] }),
  field("vlan_tci", 16, "hex", { nxm: ["NXM_OF_VLAN_TCI", 4] }),
];

const BY_NAME = new Map(FIELDS.flatMap((each) => [each.name, ...each.aliases, each.nxmName].map((name) => [name, each] as const)));
const BY_OXM = new Map(FIELDS.map((each) => [placeKey(each.oxm), each]));
const BY_NXM = new Map(FIELDS.map((each) => [placeKey(each.nxm), each]));

/** The field of a name, an alias or the name that load and move print. */
export function fieldOf(name: string): Field | undefined {
  return BY_NAME.get(name);
}

/** The field known to be there. A name that is none is a bug. */
export function knownField(name: string): Field {
  const known = BY_NAME.get(name);
  if (known === undefined) throw new TypeError(`${name} is not a field`);
  return known;
}

/** The field that stands at a place: "oxm" in matches and set_field, "nxm" in load and move. */
export function fieldAt(place: Place, where: "oxm" | "nxm"): Field | undefined {
  return (where === "oxm" ? BY_OXM : BY_NXM).get(placeKey(place));
}

function placeKey({ oxmClass, number, experimenter }: Place): number {
  return experimenter === undefined || experimenter === ONF ? oxmClass * 256 + number : -1;
}
