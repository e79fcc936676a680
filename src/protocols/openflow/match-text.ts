import { nearest } from "../../core/suggestion.ts";
import { fieldOf, FIELDS, knownField, type Field } from "./fields.ts";
import type { Bits } from "./flags.ts";
import { readEntry, type Match, type MatchEntry } from "./match.ts";
import type { PortNames } from "./port-names.ts";
import { isArp, isIcmp6, isMet, PROTOCOLS, remedyFor, transportOf, type Draft } from "./prerequisites.ts";
import { SpellingError } from "./spelling-error.ts";
import { parseValue, printValue } from "./values.ts";
import { vlanBits, vlanEntries, vlanWords, VLAN_KEYS } from "./vlan-text.ts";
import { WireReader } from "./wire.ts";
import type { MatchWord, PrintedWord } from "./words.ts";

/*
 * Matches as ovs-ofctl(8) spells them, "Flow Syntax". Pure.
 */

/** What is not known here is written and read as the bytes that it has on the wire, in hexadecimal. */
const RAW = "raw";

/** The words under which ovs-ofctl prints a field where they are not its name. */
const PRINTED_AS: Readonly<Record<string, string>> = {
  ...{ in_port_oxm: "in_port", eth_src: "dl_src", eth_dst: "dl_dst", eth_type: "dl_type", ip_src: "nw_src", ip_dst: "nw_dst", ip_frag: "nw_frag" },
  ...{ tcp_src: "tp_src", udp_src: "tp_src", sctp_src: "tp_src", tcp_dst: "tp_dst", udp_dst: "tp_dst", sctp_dst: "tp_dst" },
  ...{ icmpv6_type: "icmp_type", icmpv6_code: "icmp_code" },
};

/** The order in which ovs-ofctl prints. VLAN stands for the words of vlan-text.ts, PROTOCOL for one of PROTOCOLS. */
const [PROTOCOL, VLAN] = ["(protocol)", "(vlan)"];
const PRINT_ORDER = [
  ...["pkt_mark", "conj_id", "ct_state", "ct_zone", "ct_mark", "ct_label", "ct_nw_src", "ct_ipv6_src", "ct_nw_dst", "ct_ipv6_dst", "ct_nw_proto", "ct_tp_src", "ct_tp_dst"],
  ...[PROTOCOL, ...Array.from({ length: 16 }, (_, n) => `reg${n}`), "tun_id", "tun_src", "tun_dst", "tun_ipv6_src", "tun_ipv6_dst", "tun_gbp_id", "metadata"],
  ...["in_port_oxm", VLAN, "eth_src", "eth_dst", "eth_type", "ipv6_src", "ipv6_dst", "ipv6_label", "arp_spa", "arp_tpa", "ip_src", "ip_dst"],
  ...["arp_op", "nw_proto", "arp_sha", "arp_tha", "ip_dscp", "nw_ecn", "nw_ttl", "mpls_label", "mpls_tc", "mpls_ttl", "mpls_bos", "ip_frag"],
  ...["icmp_type", "icmp_code", "icmpv6_type", "icmpv6_code", "nd_target", "nd_sll", "nd_tll"],
  ...["tcp_src", "udp_src", "sctp_src", "tcp_dst", "udp_dst", "sctp_dst", "tcp_flags"],
];
const RANKS = new Map(PRINT_ORDER.map((name, rank) => [name, rank]));
const DIGITS: Readonly<Record<string, number>> = { eth_type: 4, ipv6_label: 5 };

const ORDER = new Map(FIELDS.map(({ name }, index) => [name, index]));
const NOT_MATCHED: ReadonlySet<string> = new Set(["in_port", "vlan_tci", "nw_tos", ...Array.from({ length: 8 }, (_, n) => `xreg${n}`)]);

/** Every word that a match may have. */
export const MATCH_WORDS: readonly string[] = [
  ...PROTOCOLS.map(({ word }) => word),
  ...new Set([...FIELDS.filter(({ name }) => !NOT_MATCHED.has(name)).flatMap(({ name, aliases }) => [name, ...aliases]), ...Object.values(PRINTED_AS)]),
  ...VLAN_KEYS,
  ...["nw_tos", RAW],
].filter((word) => word !== "in_port_oxm");

/** Throws SpellingError for what ovs-ofctl would not take, and for fields without what they need. */
export function parseMatch(words: readonly MatchWord[], names: PortNames): Match {
  const draft = new Map<string, { bits: Bits; word: MatchWord }>();
  const bits = () => new Map([...draft].map(([name, entry]) => [name, entry.bits]));
  const put = (name: string, value: Bits, word: MatchWord) => {
    const before = draft.get(name);
    if (before !== undefined && !same(before.bits, value)) throw new SpellingError(`'${before.word.key}' and '${word.key}' contradict each other`, word.at);
    draft.set(name, { bits: value, word });
  };
  const [types, others] = [words.filter(isType), words.filter((word) => !isType(word))];
  for (const word of types) putType(word, names, put);
  const kind = bits();
  const raw: MatchEntry[] = [];
  for (const word of others) {
    if (word.key === RAW) raw.push(...rawEntries(word));
    else if (!VLAN_KEYS.includes(word.key)) putField(word, { kind, names, put });
  }
  const vlan = words.filter(({ key }) => VLAN_KEYS.includes(key));
  for (const [name, value] of vlanEntries(vlan.map((word) => ({ word, bits: vlanBits(word) })))) put(name, value, vlan[0] ?? { key: name, at: 0 });
  const match = bits();
  for (const [name, { word }] of draft) {
    const { need } = knownField(name);
    if (need !== undefined && !isMet(need, match)) throw new SpellingError(`'${word.key}' needs ${remedyFor(need)} beside it`, word.at);
  }
  const entries = [...match].map(([field, value]) => ({ field, ...value }));
  return [...entries.sort((a, b) => (ORDER.get(a.field) ?? 0) - (ORDER.get(b.field) ?? 0)), ...raw];
}

/** The match's fields by name; what is not known here is not among them. */
export function draftOf(match: Match): Draft {
  return new Map(match.flatMap((entry) => ("raw" in entry ? [] : [[entry.field, bitsOf(entry)] as const])));
}

/** In ovs-ofctl's words and order. */
export function printMatch(match: Match, names: PortNames): PrintedWord[] {
  const draft = draftOf(match);
  const protocol = protocolOf(draft);
  const ranked = [...draft].flatMap(([name, bits]) => {
    const implied = protocol !== undefined && (name === "eth_type" || (name === "nw_proto" && protocol.protocol !== undefined));
    return implied || name.startsWith("vlan_") ? [] : [{ rank: RANKS.get(name) ?? 0, word: printedWord(name, bits, names) }];
  });
  if (protocol !== undefined) ranked.push({ rank: RANKS.get(PROTOCOL) ?? 0, word: { key: protocol.word } });
  for (const word of vlanWords(draft)) ranked.push({ rank: RANKS.get(VLAN) ?? 0, word });
  const words = ranked.sort((a, b) => a.rank - b.rank).map(({ word }) => word);
  const raw = match.flatMap((entry) => ("raw" in entry ? [Buffer.from(entry.raw).toString("hex")] : []));
  return raw.length === 0 ? words : [...words, { key: RAW, value: raw.join("") }];
}

function printedWord(name: string, bits: Bits, names: PortNames): PrintedWord {
  if (name === "ip_dscp") return { key: "nw_tos", value: String(bits.value << 2n) };
  return { key: PRINTED_AS[name] ?? name, value: printValue(knownField(name), bits, names, DIGITS[name]) };
}

type Put = (name: string, value: Bits, word: MatchWord) => void;

function isType({ key }: MatchWord): boolean {
  return PROTOCOLS.some(({ word }) => word === key) || ["dl_type", "eth_type", "nw_proto", "ip_proto"].includes(key);
}

function putType(word: MatchWord, names: PortNames, put: Put): void {
  const protocol = PROTOCOLS.find((each) => each.word === word.key);
  if (protocol !== undefined) {
    if (word.value !== undefined) throw new SpellingError(`'${word.key}' takes no value`, word.at);
    put("eth_type", { value: protocol.type }, word);
    if (protocol.protocol !== undefined) put("nw_proto", { value: protocol.protocol }, word);
  } else {
    const field = fieldOf(word.key) ?? unknown(word);
    put(field.name, parsed(field, word, names), word);
  }
}

function putField(word: MatchWord, { kind, names, put }: { readonly kind: Draft; readonly names: PortNames; readonly put: Put }): void {
  if (word.key === "nw_tos") {
    const { value } = parsed(knownField("nw_tos"), word, names);
    if ((value & 3n) !== 0n) throw new SpellingError(`'nw_tos=${word.value}' has bits of nw_ecn: it is a multiple of 4`, word.at);
    return put("ip_dscp", { value: value >> 2n }, word);
  }
  const field = fieldMeant(word, kind);
  put(field.name, parsed(field, word, names), word);
}

/** A word that means one field or another by the packets that are matched. */
function fieldMeant(word: MatchWord, kind: Draft): Field {
  const { key, at } = word;
  if (key === "in_port") return knownField("in_port_oxm");
  if (isArp(kind) && (key === "nw_src" || key === "nw_dst")) return knownField(key === "nw_src" ? "arp_spa" : "arp_tpa");
  if (isIcmp6(kind) && (key === "icmp_type" || key === "icmp_code")) return knownField(key.replace("icmp", "icmpv6"));
  if (key === "tp_src" || key === "tp_dst") {
    const transport = transportOf(kind);
    if (transport === undefined) throw new SpellingError(`'${key}' needs tcp, udp, sctp, tcp6, udp6 or sctp6 beside it`, at);
    return knownField(key.replace("tp", transport));
  }
  const field = fieldOf(key);
  return field === undefined || NOT_MATCHED.has(field.name) || key === field.nxmName ? unknown(word) : field;
}

function unknown({ key, at }: MatchWord): never {
  const meant = nearest(key, MATCH_WORDS);
  throw new SpellingError(`'${key}' is not a field that a flow can match${meant === undefined ? "" : ` (did you mean '${meant}'?)`}`, at);
}

function parsed(field: Field, { key, value, at }: MatchWord, names: PortNames): Bits {
  if (value === undefined || value === "") throw new SpellingError(`'${key}' needs a value`, at);
  return parseValue(field, value, { key, names, at: at + key.length + 1 });
}

/** The longest word for what is matched of the packet's type. */
function protocolOf(draft: Draft): (typeof PROTOCOLS)[number] | undefined {
  const [type, protocol] = [draft.get("eth_type")?.value, draft.get("nw_proto")?.value];
  const candidates = PROTOCOLS.filter((each) => each.type === type);
  return candidates.find((each) => each.protocol !== undefined && each.protocol === protocol) ?? candidates.find((each) => each.protocol === undefined);
}

function rawEntries({ value = "", at }: MatchWord): MatchEntry[] {
  const bytes = Buffer.from(value, "hex");
  try {
    if (value === "" || bytes.toString("hex") !== value.toLowerCase()) throw new TypeError("not hexadecimal");
    const reader = new WireReader(bytes);
    const entries: MatchEntry[] = [];
    while (reader.left > 0) entries.push(readEntry(reader));
    return entries;
  } catch {
    throw new SpellingError(`'${RAW}=${value}' is not the bytes of match fields`, at);
  }
}

function bitsOf({ value, mask }: Bits): Bits {
  return mask === undefined ? { value } : { value, mask };
}

function same(a: Bits, b: Bits): boolean {
  return a.value === b.value && a.mask === b.mask;
}
