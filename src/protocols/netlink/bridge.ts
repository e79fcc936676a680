import { attribute, AttributeTable, repeated } from "./attribute.ts";
import { BRIDGE_VLAN_INFO } from "./constants.ts";
import { be16, mac, struct, u16, u32, u64, u8, type ValueOf } from "./form.ts";

/*
 * Bridges and their ports: linux/if_link.h, IFLA_BR_* and IFLA_BRPORT_*; linux/if_bridge.h, IFLA_BRIDGE_*. Times are in hundredths of a
 * second (USER_HZ).
 */

export const BRIDGE = new AttributeTable({
  forwardDelay: attribute(1, "IFLA_BR_FORWARD_DELAY", u32),
  helloTime: attribute(2, "IFLA_BR_HELLO_TIME", u32),
  maximumAge: attribute(3, "IFLA_BR_MAX_AGE", u32),
  ageingTime: attribute(4, "IFLA_BR_AGEING_TIME", u32),
  stpState: attribute(5, "IFLA_BR_STP_STATE", u32),
  priority: attribute(6, "IFLA_BR_PRIORITY", u16),
  vlanFiltering: attribute(7, "IFLA_BR_VLAN_FILTERING", u8),
  vlanProtocol: attribute(8, "IFLA_BR_VLAN_PROTOCOL", be16),
  groupForwardMask: attribute(9, "IFLA_BR_GROUP_FWD_MASK", u16),
  /** Two bytes of priority and a hardware address. */
  rootId: attribute(10, "IFLA_BR_ROOT_ID", mac),
  bridgeId: attribute(11, "IFLA_BR_BRIDGE_ID", mac),
  rootPort: attribute(12, "IFLA_BR_ROOT_PORT", u16),
  rootPathCost: attribute(13, "IFLA_BR_ROOT_PATH_COST", u32),
  topologyChange: attribute(14, "IFLA_BR_TOPOLOGY_CHANGE", u8),
  topologyChangeDetected: attribute(15, "IFLA_BR_TOPOLOGY_CHANGE_DETECTED", u8),
  helloTimer: attribute(16, "IFLA_BR_HELLO_TIMER", u64),
  gcTimer: attribute(19, "IFLA_BR_GC_TIMER", u64),
  groupAddress: attribute(20, "IFLA_BR_GROUP_ADDR", mac),
  multicastRouter: attribute(22, "IFLA_BR_MCAST_ROUTER", u8),
  multicastSnooping: attribute(23, "IFLA_BR_MCAST_SNOOPING", u8),
  multicastQuerier: attribute(25, "IFLA_BR_MCAST_QUERIER", u8),
  vlanDefaultPvid: attribute(39, "IFLA_BR_VLAN_DEFAULT_PVID", u16),
  vlanStatistics: attribute(41, "IFLA_BR_VLAN_STATS_ENABLED", u8),
  options: attribute(46, "IFLA_BR_MULTI_BOOLOPT", struct({ values: u32, mask: u32 })),
});

export const BRIDGE_PORT = new AttributeTable({
  state: attribute(1, "IFLA_BRPORT_STATE", u8),
  priority: attribute(2, "IFLA_BRPORT_PRIORITY", u16),
  cost: attribute(3, "IFLA_BRPORT_COST", u32),
  hairpin: attribute(4, "IFLA_BRPORT_MODE", u8),
  guard: attribute(5, "IFLA_BRPORT_GUARD", u8),
  protect: attribute(6, "IFLA_BRPORT_PROTECT", u8),
  fastLeave: attribute(7, "IFLA_BRPORT_FAST_LEAVE", u8),
  learning: attribute(8, "IFLA_BRPORT_LEARNING", u8),
  unicastFlood: attribute(9, "IFLA_BRPORT_UNICAST_FLOOD", u8),
  multicastFlood: attribute(27, "IFLA_BRPORT_MCAST_FLOOD", u8),
  broadcastFlood: attribute(30, "IFLA_BRPORT_BCAST_FLOOD", u8),
  neighbourSuppression: attribute(32, "IFLA_BRPORT_NEIGH_SUPPRESS", u8),
  isolated: attribute(33, "IFLA_BRPORT_ISOLATED", u8),
});

const VLAN_INFO = struct({ flags: u16, id: u16 });

/** One VLAN of a bridge or port, or an end of a range of them: struct bridge_vlan_info, flags BRIDGE_VLAN_INFO_*. */
export type VlanInfo = ValueOf<typeof VLAN_INFO>;

export const BRIDGE_SPECIFIC = new AttributeTable({
  flags: attribute(0, "IFLA_BRIDGE_FLAGS", u16),
  mode: attribute(1, "IFLA_BRIDGE_MODE", u16),
  vlans: repeated(2, "IFLA_BRIDGE_VLAN_INFO", VLAN_INFO),
});

/** VLANs first to last, which are alike. */
export interface VlanRange {
  readonly first: number;
  readonly last: number;
  /** What comes in without a tag belongs to it. */
  readonly pvid?: boolean;
  /** What goes out has no tag. */
  readonly untagged?: boolean;
}

/** The kernel's list as ranges. A beginning without its end, and an end without its beginning, is a range of one. */
export function vlanRanges(vlans: readonly VlanInfo[]): VlanRange[] {
  const ranges: VlanRange[] = [];
  let begun = false;
  for (const { flags, id } of vlans) {
    const before = begun && (flags & BRIDGE_VLAN_INFO.RANGE_END) !== 0 ? ranges.pop() : undefined;
    const [pvid, untagged] = [(flags & BRIDGE_VLAN_INFO.PVID) !== 0, (flags & BRIDGE_VLAN_INFO.UNTAGGED) !== 0];
    ranges.push({ first: before?.first ?? id, last: id, ...(pvid ? { pvid } : {}), ...(untagged ? { untagged } : {}) });
    begun = (flags & BRIDGE_VLAN_INFO.RANGE_BEGIN) !== 0;
  }
  return ranges;
}

/** The kernel's list for ranges. */
export function vlanInfos(ranges: readonly VlanRange[]): VlanInfo[] {
  return ranges.flatMap(({ first, last, pvid, untagged }) => {
    const flags = (pvid === true ? BRIDGE_VLAN_INFO.PVID : 0) | (untagged === true ? BRIDGE_VLAN_INFO.UNTAGGED : 0);
    if (first === last) return [{ flags, id: first }];
    return [{ flags: flags | BRIDGE_VLAN_INFO.RANGE_BEGIN, id: first }, { flags: flags | BRIDGE_VLAN_INFO.RANGE_END, id: last }];
  });
}
