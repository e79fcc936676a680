import { attribute, AttributeTable, type AttributesOf } from "./attribute.ts";
import { BRIDGE, BRIDGE_PORT } from "./bridge.ts";
import { be16, ipv4, ipv6, mac, present, string, struct, u16, u32, u8 } from "./form.ts";
import { Payload } from "./payload.ts";

/*
 * What a link has of its kind: linux/if_link.h, IFLA_INFO_*. The data of each kind has a key of its own; that of a kind which is not here
 * is kept as bytes.
 */

const VLAN = new AttributeTable({
  id: attribute(1, "IFLA_VLAN_ID", u16),
  flags: attribute(2, "IFLA_VLAN_FLAGS", struct({ flags: u32, mask: u32 })),
  /** ETH_P_8021Q or ETH_P_8021AD. */
  protocol: attribute(5, "IFLA_VLAN_PROTOCOL", be16),
});

/** A struct ifinfomsg of zeros: set up with the flags there, the second link would be opened before it has a first one, and refused (ENOTCONN). */
const NO_HEADER = struct({ unusedType: u32, unusedIndex: u32, unusedFlags: u32, unusedChange: u32 });

const PEER = new Payload(
  NO_HEADER,
  new AttributeTable({ address: attribute(1, "IFLA_ADDRESS", mac), name: attribute(3, "IFLA_IFNAME", string), mtu: attribute(4, "IFLA_MTU", u32) }),
);

/** linux/veth.h. The kernel takes it and never tells it: the peer is the link's `link`. */
const VETH = new AttributeTable({ peer: attribute(1, "VETH_INFO_PEER", PEER) });

const VXLAN = new AttributeTable({
  id: attribute(1, "IFLA_VXLAN_ID", u32),
  remote: attribute(2, "IFLA_VXLAN_GROUP", ipv4),
  /** The link that it sends by, by index. */
  link: attribute(3, "IFLA_VXLAN_LINK", u32),
  local: attribute(4, "IFLA_VXLAN_LOCAL", ipv4),
  ttl: attribute(5, "IFLA_VXLAN_TTL", u8),
  tos: attribute(6, "IFLA_VXLAN_TOS", u8),
  learning: attribute(7, "IFLA_VXLAN_LEARNING", u8),
  ageing: attribute(8, "IFLA_VXLAN_AGEING", u32),
  limit: attribute(9, "IFLA_VXLAN_LIMIT", u32),
  sourcePorts: attribute(10, "IFLA_VXLAN_PORT_RANGE", struct({ low: be16, high: be16 })),
  proxy: attribute(11, "IFLA_VXLAN_PROXY", u8),
  port: attribute(15, "IFLA_VXLAN_PORT", be16),
  remote6: attribute(16, "IFLA_VXLAN_GROUP6", ipv6),
  local6: attribute(17, "IFLA_VXLAN_LOCAL6", ipv6),
  checksum: attribute(18, "IFLA_VXLAN_UDP_CSUM", u8),
  groupPolicy: attribute(23, "IFLA_VXLAN_GBP", present),
  collectMetadata: attribute(25, "IFLA_VXLAN_COLLECT_METADATA", u8),
  dontFragment: attribute(29, "IFLA_VXLAN_DF", u8),
});

const BOND = new AttributeTable({
  mode: attribute(1, "IFLA_BOND_MODE", u8),
  activePort: attribute(2, "IFLA_BOND_ACTIVE_SLAVE", u32),
  miimon: attribute(3, "IFLA_BOND_MIIMON", u32),
  upDelay: attribute(4, "IFLA_BOND_UPDELAY", u32),
  downDelay: attribute(5, "IFLA_BOND_DOWNDELAY", u32),
  useCarrier: attribute(6, "IFLA_BOND_USE_CARRIER", u8),
  arpInterval: attribute(7, "IFLA_BOND_ARP_INTERVAL", u32),
  arpValidate: attribute(9, "IFLA_BOND_ARP_VALIDATE", u32),
  arpAllTargets: attribute(10, "IFLA_BOND_ARP_ALL_TARGETS", u32),
  primary: attribute(11, "IFLA_BOND_PRIMARY", u32),
  primaryReselect: attribute(12, "IFLA_BOND_PRIMARY_RESELECT", u8),
  failOverMac: attribute(13, "IFLA_BOND_FAIL_OVER_MAC", u8),
  xmitHashPolicy: attribute(14, "IFLA_BOND_XMIT_HASH_POLICY", u8),
  resendIgmp: attribute(15, "IFLA_BOND_RESEND_IGMP", u32),
  peerNotifications: attribute(16, "IFLA_BOND_NUM_PEER_NOTIF", u8),
  allPortsActive: attribute(17, "IFLA_BOND_ALL_SLAVES_ACTIVE", u8),
  minimumLinks: attribute(18, "IFLA_BOND_MIN_LINKS", u32),
  learningInterval: attribute(19, "IFLA_BOND_LP_INTERVAL", u32),
  packetsPerPort: attribute(20, "IFLA_BOND_PACKETS_PER_SLAVE", u32),
  lacpRate: attribute(21, "IFLA_BOND_AD_LACP_RATE", u8),
  adSelect: attribute(22, "IFLA_BOND_AD_SELECT", u8),
  tlbDynamic: attribute(27, "IFLA_BOND_TLB_DYNAMIC_LB", u8),
});

const BOND_PORT = new AttributeTable({
  state: attribute(1, "IFLA_BOND_SLAVE_STATE", u8),
  miiStatus: attribute(2, "IFLA_BOND_SLAVE_MII_STATUS", u8),
  linkFailures: attribute(3, "IFLA_BOND_SLAVE_LINK_FAILURE_COUNT", u32),
  permanentAddress: attribute(4, "IFLA_BOND_SLAVE_PERM_HWADDR", mac),
  queueId: attribute(5, "IFLA_BOND_SLAVE_QUEUE_ID", u16),
});

const MACVLAN = new AttributeTable({ mode: attribute(1, "IFLA_MACVLAN_MODE", u32), flags: attribute(2, "IFLA_MACVLAN_FLAGS", u16) });

const TUN = new AttributeTable({
  owner: attribute(1, "IFLA_TUN_OWNER", u32),
  group: attribute(2, "IFLA_TUN_GROUP", u32),
  type: attribute(3, "IFLA_TUN_TYPE", u8),
  packetInformation: attribute(4, "IFLA_TUN_PI", u8),
  vnetHeader: attribute(5, "IFLA_TUN_VNET_HDR", u8),
  persist: attribute(6, "IFLA_TUN_PERSIST", u8),
  multiQueue: attribute(7, "IFLA_TUN_MULTI_QUEUE", u8),
});

const DATA = "IFLA_INFO_DATA";
const PORT_DATA = "IFLA_INFO_SLAVE_DATA";

const ATTRIBUTES = {
  kind: attribute(1, "IFLA_INFO_KIND", string),
  bridge: attribute(2, DATA, BRIDGE, { when: ["kind", "bridge"] }),
  vlan: attribute(2, DATA, VLAN, { when: ["kind", "vlan"] }),
  veth: attribute(2, DATA, VETH, { when: ["kind", "veth"] }),
  vxlan: attribute(2, DATA, VXLAN, { when: ["kind", "vxlan"] }),
  bond: attribute(2, DATA, BOND, { when: ["kind", "bond"] }),
  macvlan: attribute(2, DATA, MACVLAN, { when: ["kind", "macvlan"] }),
  tun: attribute(2, DATA, TUN, { when: ["kind", "tun"] }),
  slaveKind: attribute(4, "IFLA_INFO_SLAVE_KIND", string),
  bridgePort: attribute(5, PORT_DATA, BRIDGE_PORT, { when: ["slaveKind", "bridge"] }),
  bondPort: attribute(5, PORT_DATA, BOND_PORT, { when: ["slaveKind", "bond"] }),
};

/** `kind` comes before its data, `slaveKind` before its own, also in what is written. */
export const LINK_INFO = new AttributeTable(ATTRIBUTES);
export type LinkInfo = AttributesOf<typeof ATTRIBUTES>;
