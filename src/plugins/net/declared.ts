import * as v from "valibot";
import { ovsSchema } from "./ovs/declared.ts";

/*
 * The shapes of FORMATS.md, net: what each key may be, by itself.
 */

const state = v.optional(v.picklist(["present", "absent"]));
const integer = (from: number, to: number, what: string) =>
  v.pipe(v.number(), v.integer(`${what} is a whole number`), v.minValue(from, `${what} is from ${from} to ${to}`), v.maxValue(to, `${what} is from ${from} to ${to}`));
const vlanId = integer(1, 4094, "A VLAN id");
const vlanList = v.array(v.union([v.number(), v.string()]));

const portSchema = v.union([
  v.string(),
  v.strictObject({ name: v.string(), state, pvid: v.nullish(vlanId), vids: v.nullish(vlanList), untagged: v.nullish(vlanList) }),
]);

const addressSchema = v.strictObject({ ip: v.string(), prefix: v.number(), vrrp: v.nullish(v.boolean()), state });

const ipEntries = {
  enabled: v.nullish(v.boolean()),
  dhcp: v.nullish(v.boolean()),
  address: v.nullish(v.array(addressSchema)),
  gateway: v.nullish(v.string()),
  dns: v.nullish(v.array(v.string())),
};

const FORWARD_DELAY = "A forward delay is in seconds, from 0";
export const TYPES = ["ethernet", "bridge", "veth", "vxlan", "dummy", "vlan", "bond"] as const;
export const OVS_TYPES = ["ovs-bridge", "ovs-port", "ovs-internal", "ovs-patch"] as const;
export const BOND_MODES = ["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"] as const;
export const HASH_POLICIES = ["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"] as const;
export const LACP_RATES = ["slow", "fast"] as const;

export const interfaceSchema = v.strictObject({
  name: v.string(),
  state,
  match: v.optional(v.union([v.strictObject({ mac: v.string() }), v.strictObject({ path: v.string() })])),
  type: v.nullish(v.picklist([...TYPES, ...OVS_TYPES])),
  up: v.nullish(v.boolean()),
  mtu: v.nullish(integer(68, 2_147_483_647, "An MTU")),
  mac: v.nullish(v.string()),
  ports: v.nullish(v.array(portSchema)),
  ports_exclusive: v.nullish(v.boolean()),
  vlan: v.optional(v.strictObject({ id: v.nullish(vlanId), base: v.nullish(v.string()) })),
  veth: v.optional(v.strictObject({ peer: v.nullish(v.string()) })),
  bond: v.optional(v.strictObject({
    mode: v.nullish(v.picklist(BOND_MODES)),
    miimon: v.nullish(integer(0, 2_147_483_647, "miimon, in milliseconds,")),
    lacp_rate: v.nullish(v.picklist(LACP_RATES)),
    xmit_hash_policy: v.nullish(v.picklist(HASH_POLICIES)),
  })),
  vxlan: v.optional(v.strictObject({
    id: v.nullish(integer(0, 16_777_215, "A VXLAN id")),
    local: v.nullish(v.string()),
    remote: v.nullish(v.string()),
    port: v.nullish(integer(1, 65_535, "A port")),
    base: v.nullish(v.string()),
  })),
  bridge: v.optional(v.strictObject({
    vlan_filtering: v.nullish(v.boolean()),
    stp: v.nullish(v.boolean()),
    forward_delay: v.nullish(v.pipe(v.number(), v.minValue(0, FORWARD_DELAY), v.maxValue(21_474_836, FORWARD_DELAY))),
  })),
  ipv4: v.optional(v.strictObject(ipEntries)),
  ipv6: v.optional(v.strictObject({ ...ipEntries, autoconf: v.nullish(v.boolean()) })),
  ovs: v.optional(ovsSchema),
  controller: v.nullish(v.string()),
  properties: v.optional(v.record(v.string(), v.unknown())),
  observed: v.optional(v.unknown()),
});

export const routeSchema = v.strictObject({
  destination: v.string(),
  state,
  via: v.nullish(v.string()),
  dev: v.nullish(v.string()),
  metric: v.nullish(integer(0, 4_294_967_295, "A metric")),
  table: v.nullish(integer(1, 4_294_967_295, "A table")),
  observed: v.optional(v.unknown()),
});

export type DeclaredInterface = v.InferOutput<typeof interfaceSchema>;
export type DeclaredAddress = v.InferOutput<typeof addressSchema>;
export type DeclaredPort = v.InferOutput<typeof portSchema>;
export type DeclaredRoute = v.InferOutput<typeof routeSchema>;
