import { attribute, AttributeTable, type AttributesOf } from "./attribute.ts";
import { be16, ip, mac, s32, struct, u16, u32, u8, type ValueOf } from "./form.ts";
import { Payload } from "./payload.ts";

/*
 * Neighbours, and with family AF_BRIDGE a bridge's forwarding database: linux/neighbour.h, struct ndmsg, NDA_*.
 */

const HEADER = struct({ family: u8, unused1: u8, unused2: u16, index: s32, state: u16, flags: u8, type: u8 });

const ATTRIBUTES = {
  destination: attribute(1, "NDA_DST", ip),
  /** The hardware address. */
  address: attribute(2, "NDA_LLADDR", mac),
  /** Ages in hundredths of a second. */
  cacheInfo: attribute(3, "NDA_CACHEINFO", struct({ confirmed: u32, used: u32, updated: u32, references: u32 })),
  probes: attribute(4, "NDA_PROBES", u32),
  vlan: attribute(5, "NDA_VLAN", u16),
  port: attribute(6, "NDA_PORT", be16),
  vni: attribute(7, "NDA_VNI", u32),
  outIndex: attribute(8, "NDA_IFINDEX", u32),
  master: attribute(9, "NDA_MASTER", u32),
  sourceVni: attribute(11, "NDA_SRC_VNI", u32),
  protocol: attribute(12, "NDA_PROTOCOL", u8),
  nexthopId: attribute(13, "NDA_NH_ID", u32),
  extendedFlags: attribute(15, "NDA_FLAGS_EXT", u32),
};

export const NEIGHBOUR = new Payload(HEADER, new AttributeTable(ATTRIBUTES));

/** What can be said of a neighbour beside its header. */
export type NeighbourAttributes = AttributesOf<typeof ATTRIBUTES>;

/** A neighbour as RTM_NEWNEIGH has it. */
export type Neighbour = ValueOf<typeof HEADER> & NeighbourAttributes;
