import type { Bits } from "./flags.ts";
import type { Draft } from "./prerequisites.ts";
import { SpellingError } from "./spelling-error.ts";
import type { MatchWord, PrintedWord } from "./words.ts";

/*
 * VLAN tags: people write dl_vlan, dl_vlan_pcp, vlan_vid or vlan_tci, the wire has vlan_vid and vlan_pcp (OpenFlow 1.4, 7.2.3.7), and
 * ovs-ofctl prints by what the 16 bits of the tag, with the bit that says that there is one, come to. Pure.
 */

export const VLAN_KEYS: readonly string[] = ["dl_vlan", "dl_vlan_pcp", "vlan_pcp", "vlan_vid", "vlan_tci"];

const [VID, PRESENT, PCP] = [0x0fffn, 0x1000n, 0xe000n];
const NO_TAG = 0xffffn;

/** The bits of the tag that one word asks for. Throws SpellingError. */
export function vlanBits({ key, value = "", at }: MatchWord): Required<Bits> {
  const parts = value.split("/");
  const [number, mask] = parts.map((part) => (/^(\d{1,5}|0x[\da-f]{1,4})$/i.test(part) ? BigInt(part) : undefined));
  const limits: Readonly<Record<string, bigint>> = { dl_vlan: VID, dl_vlan_pcp: 7n, vlan_pcp: 7n, vlan_vid: VID | PRESENT, vlan_tci: 0xffffn };
  const limit = limits[key] ?? 0n;
  const noTag = key === "dl_vlan" && number === NO_TAG;
  const masked = parts.length === 2 && mask !== undefined && mask <= limit && (key === "vlan_vid" || key === "vlan_tci");
  if (number === undefined || (number > limit && !noTag) || !(parts.length === 1 || masked)) {
    const besides = key === "dl_vlan" ? ", or 0xffff for frames without a tag" : "";
    throw new SpellingError(`'${value}' is not a value of '${key}', which is a number up to ${limit}${besides}`, at + key.length + 1);
  }
  if (noTag) return { value: 0n, mask: VID | PRESENT };
  if (key === "dl_vlan") return { value: number | PRESENT, mask: VID | PRESENT };
  if (key === "dl_vlan_pcp" || key === "vlan_pcp") return { value: (number << 13n) | PRESENT, mask: PCP | PRESENT };
  const all = mask ?? (key === "vlan_vid" ? VID | PRESENT : 0xffffn);
  return { value: number & all, mask: all };
}

/** The tag that all words together ask for, as fields of the wire. Throws SpellingError. */
export function vlanEntries(asked: readonly { readonly word: MatchWord; readonly bits: Required<Bits> }[]): [string, Bits][] {
  let [value, mask] = [0n, 0n];
  for (const { word, bits } of asked) {
    if (((value ^ bits.value) & mask & bits.mask) !== 0n) throw new SpellingError(`'${word.key}' contradicts what is asked of the VLAN besides`, word.at);
    value |= bits.value;
    mask |= bits.mask;
  }
  if (mask === 0n) return [];
  const [vidMask, pcpMask] = [mask & (VID | PRESENT), mask & PCP];
  const vid: Bits = { value: value & vidMask, ...(vidMask === (VID | PRESENT) ? {} : { mask: vidMask }) };
  // Without a tag there is no priority either.
  if (pcpMask === 0n || (vid.value === 0n && vid.mask === undefined && (value & PCP) === 0n)) return [["vlan_vid", vid]];
  if (pcpMask !== PCP || (vid.value & PRESENT) === 0n) {
    const [{ word } = { word: { key: "vlan_tci", at: 0 } }] = asked;
    throw new SpellingError(`'${word.key}' asks for bits of the VLAN priority that OpenFlow cannot match: all three or none, and with 0x1000 set`, word.at);
  }
  return [["vlan_vid", vid], ["vlan_pcp", { value: (value & PCP) >> 13n }]];
}

export function vlanWords(draft: Draft): PrintedWord[] {
  const [vid, pcp] = [draft.get("vlan_vid"), draft.get("vlan_pcp")];
  const vidMask = vid === undefined ? 0n : (vid.mask ?? VID | PRESENT);
  const mask = vidMask | (pcp === undefined ? 0n : PCP);
  const value = (vid?.value ?? 0n) | ((pcp?.value ?? 0n) << 13n);
  if (mask === 0n) return [];
  const tagged = (vidMask & PRESENT & value) !== 0n;
  const wholeVid = (vidMask & VID) === VID;
  if (tagged && (wholeVid || ((vidMask & VID) === 0n && pcp !== undefined))) {
    return [...(wholeVid ? [{ key: "dl_vlan", value: String(value & VID) }] : []), ...(pcp === undefined ? [] : [{ key: "dl_vlan_pcp", value: String(pcp.value) }])];
  }
  const hex = (number: bigint) => `0x${number.toString(16).padStart(4, "0")}`;
  return [{ key: "vlan_tci", value: mask === 0xffffn ? hex(value) : `${hex(value)}/${hex(mask)}` }];
}
