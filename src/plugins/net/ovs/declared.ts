import * as v from "valibot";

/*
 * The keys of FORMATS.md, net, that are Open vSwitch's: ovs-vswitchd.conf.db(5), whose words they keep.
 */

/** 4095 is there too: what has it reaches nobody. */
const tag = v.pipe(v.number(), v.integer("A tag is a whole number"), v.minValue(0, "A tag is from 0 to 4095"), v.maxValue(4095, "A tag is from 0 to 4095"));
const entries = v.record(v.string(), v.nullish(v.string()));

export const VLAN_MODES = ["access", "trunk", "native-tagged", "native-untagged", "dot1q-tunnel"] as const;

export const ovsSchema = v.strictObject({
  tag: v.nullish(tag),
  trunks: v.nullish(v.array(tag)),
  vlan_mode: v.nullish(v.picklist(VLAN_MODES)),
  peer: v.nullish(v.string()),
  fail_mode: v.nullish(v.picklist(["standalone", "secure"])),
  datapath_type: v.nullish(v.picklist(["system", "netdev"])),
  other_config: v.optional(entries),
  external_ids: v.optional(entries),
});

export interface OvsState {
  readonly tag?: number | null;
  /** Ascending. */
  readonly trunks?: readonly number[] | null;
  readonly vlan_mode?: (typeof VLAN_MODES)[number] | null;
  readonly peer?: string | null;
  readonly fail_mode?: string | null;
  readonly datapath_type?: string | null;
  readonly other_config?: Readonly<Record<string, string | null>>;
  readonly external_ids?: Readonly<Record<string, string | null>>;
}

export type OvsType = "ovs-bridge" | "ovs-internal" | "ovs-patch";

/** A type that Open vSwitch makes: an `ovs-port` is a device of the system, and there without it. */
export function isOvsType(type: string | null | undefined): type is OvsType {
  return type === "ovs-bridge" || type === "ovs-internal" || type === "ovs-patch";
}
