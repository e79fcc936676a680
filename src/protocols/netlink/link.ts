import { attribute, AttributeTable, repeated, type AttributesOf } from "./attribute.ts";
import { BRIDGE_PORT, BRIDGE_SPECIFIC } from "./bridge.ts";
import { AF_BRIDGE, IFF } from "./constants.ts";
import { mac, s32, s32s, string, struct, u16, u32, u8, type ValueOf } from "./form.ts";
import { LINK_INFO } from "./link-info.ts";
import { Payload } from "./payload.ts";

/*
 * Links: linux/rtnetlink.h, struct ifinfomsg; linux/if_link.h, IFLA_*.
 */

export const LINK_HEADER = struct({ family: u8, unused: u8, type: u16, index: s32, flags: u32, change: u32 });

const ALTERNATIVE_NAMES = new AttributeTable({ names: repeated(53, "IFLA_ALT_IFNAME", string) });

const INET = new AttributeTable({ configuration: attribute(1, "IFLA_INET_CONF", s32s) });

const INET6 = new AttributeTable({
  flags: attribute(1, "IFLA_INET6_FLAGS", u32),
  configuration: attribute(2, "IFLA_INET6_CONF", s32s),
  addressGenerationMode: attribute(8, "IFLA_INET6_ADDR_GEN_MODE", u8),
});

const ADDRESS_FAMILIES = new AttributeTable({ inet: attribute(2, "AF_INET", INET), inet6: attribute(10, "AF_INET6", INET6) });

const ATTRIBUTES = {
  address: attribute(1, "IFLA_ADDRESS", mac),
  broadcast: attribute(2, "IFLA_BROADCAST", mac),
  name: attribute(3, "IFLA_IFNAME", string),
  mtu: attribute(4, "IFLA_MTU", u32),
  /** The link below, by index. */
  link: attribute(5, "IFLA_LINK", u32),
  queueingDiscipline: attribute(6, "IFLA_QDISC", string),
  /** The bridge or bond that it is a port of, by index; 0 takes it out. */
  master: attribute(10, "IFLA_MASTER", u32),
  bridgePort: attribute(12, "IFLA_PROTINFO", BRIDGE_PORT, { when: ["family", AF_BRIDGE], flagged: true }),
  transmitQueueLength: attribute(13, "IFLA_TXQLEN", u32),
  operstate: attribute(16, "IFLA_OPERSTATE", u8),
  linkMode: attribute(17, "IFLA_LINKMODE", u8),
  linkInfo: attribute(18, "IFLA_LINKINFO", LINK_INFO),
  networkNamespacePid: attribute(19, "IFLA_NET_NS_PID", u32),
  alias: attribute(20, "IFLA_IFALIAS", string),
  bridge: attribute(26, "IFLA_AF_SPEC", BRIDGE_SPECIFIC, { when: ["family", AF_BRIDGE] }),
  addressFamilies: attribute(26, "IFLA_AF_SPEC", ADDRESS_FAMILIES),
  group: attribute(27, "IFLA_GROUP", u32),
  networkNamespaceFd: attribute(28, "IFLA_NET_NS_FD", u32),
  extensionMask: attribute(29, "IFLA_EXT_MASK", u32),
  promiscuity: attribute(30, "IFLA_PROMISCUITY", u32),
  transmitQueues: attribute(31, "IFLA_NUM_TX_QUEUES", u32),
  receiveQueues: attribute(32, "IFLA_NUM_RX_QUEUES", u32),
  carrier: attribute(33, "IFLA_CARRIER", u8),
  carrierChanges: attribute(35, "IFLA_CARRIER_CHANGES", u32),
  /** The namespace of the link below, as this one numbers it; missing for its own. */
  linkNetworkNamespace: attribute(37, "IFLA_LINK_NETNSID", s32),
  physicalPortName: attribute(38, "IFLA_PHYS_PORT_NAME", string),
  protocolDown: attribute(39, "IFLA_PROTO_DOWN", u8),
  minimumMtu: attribute(50, "IFLA_MIN_MTU", u32),
  maximumMtu: attribute(51, "IFLA_MAX_MTU", u32),
  alternatives: attribute(52, "IFLA_PROP_LIST", ALTERNATIVE_NAMES, { flagged: true }),
  permanentAddress: attribute(54, "IFLA_PERM_ADDRESS", mac),
  parentDevice: attribute(56, "IFLA_PARENT_DEV_NAME", string),
  parentBus: attribute(57, "IFLA_PARENT_DEV_BUS_NAME", string),
};

export const LINK = new Payload(LINK_HEADER, new AttributeTable(ATTRIBUTES));

type Header = ValueOf<typeof LINK_HEADER>;

/** What can be said of a link beside its header. */
export type LinkAttributes = AttributesOf<typeof ATTRIBUTES>;

/** A link as RTM_NEWLINK has it; with family AF_BRIDGE a bridge or its port as the bridge sees it. */
export type Link = Header & LinkAttributes;

/** Whether it is set up, which it can be without a carrier. */
export function isUp({ flags }: Pick<Link, "flags">): boolean {
  return (flags & IFF.UP) !== 0;
}
