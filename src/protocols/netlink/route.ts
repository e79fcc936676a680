import { attribute, AttributeTable, type AttributesOf } from "./attribute.ts";
import { RT_TABLE } from "./constants.ts";
import { ip, s32, string, struct, u16, u32, u8, type Form, type ValueOf } from "./form.ts";
import { Payload } from "./payload.ts";
import { aligned, type Writer } from "./writer.ts";

/*
 * Routes: linux/rtnetlink.h, struct rtmsg, RTA_*, RTAX_*, struct rtnexthop.
 */

const HEADER = struct({ family: u8, destinationLength: u8, sourceLength: u8, tos: u8, tableByte: u8, protocol: u8, scope: u8, type: u8, flags: u32 });

const METRICS = new AttributeTable({
  lock: attribute(1, "RTAX_LOCK", u32),
  mtu: attribute(2, "RTAX_MTU", u32),
  window: attribute(3, "RTAX_WINDOW", u32),
  rtt: attribute(4, "RTAX_RTT", u32),
  advertisedMss: attribute(8, "RTAX_ADVMSS", u32),
  hopLimit: attribute(10, "RTAX_HOPLIMIT", u32),
  initialWindow: attribute(11, "RTAX_INITCWND", u32),
  features: attribute(12, "RTAX_FEATURES", u32),
  minimumRto: attribute(13, "RTAX_RTO_MIN", u32),
  initialReceiveWindow: attribute(14, "RTAX_INITRWND", u32),
  quickAck: attribute(15, "RTAX_QUICKACK", u32),
  congestionControl: attribute(16, "RTAX_CC_ALGO", string),
});

/** A gateway of another family than the route: struct rtvia. */
export interface Via {
  readonly family: number;
  readonly address: string;
}

const VIA: Form<Via> = {
  decode(bytes, start, end) {
    const address = end - start < 2 ? undefined : ip.decode(bytes, start + 2, end);
    return address === undefined ? undefined : { family: bytes.readUInt16LE(start), address };
  },
  encode({ family, address }, writer) {
    writer.u16(family);
    ip.encode(address, writer);
  },
};

const GATEWAYS = {
  gateway: attribute(5, "RTA_GATEWAY", ip),
  flow: attribute(11, "RTA_FLOW", u32),
  via: attribute(18, "RTA_VIA", VIA),
  encapsulationType: attribute(21, "RTA_ENCAP_TYPE", u16),
};

const NEXTHOP_ATTRIBUTES = new AttributeTable(GATEWAYS);
const NEXTHOP_BYTES = 8;

/** One way of several: flags are RTNH_F_*, `hops` is its weight less one, `index` the link's. */
export type Nexthop = { readonly flags: number; readonly hops: number; readonly index: number } & AttributesOf<typeof GATEWAYS>;

const NEXTHOP_HEADER_NAMES: ReadonlySet<string> = new Set(["flags", "hops", "index"]);

const NEXTHOPS: Form<readonly Nexthop[]> = {
  decode(bytes, start, end) {
    const nexthops: Nexthop[] = [];
    for (let at = start; at < end; ) {
      const length = end - at < NEXTHOP_BYTES ? 0 : bytes.readUInt16LE(at);
      if (length < NEXTHOP_BYTES || at + length > end) return undefined;
      const header = { flags: bytes.readUInt8(at + 2), hops: bytes.readUInt8(at + 3), index: bytes.readInt32LE(at + 4) };
      nexthops.push({ ...header, ...NEXTHOP_ATTRIBUTES.decode(bytes, at + NEXTHOP_BYTES, at + length) });
      at += aligned(length);
    }
    return nexthops;
  },
  encode(nexthops, writer) {
    for (const nexthop of nexthops) encodeNexthop(nexthop, writer);
  },
};

function encodeNexthop(nexthop: Nexthop, writer: Writer): void {
  const at = writer.length;
  writer.u16(0);
  writer.u8(nexthop.flags);
  writer.u8(nexthop.hops);
  writer.s32(nexthop.index);
  NEXTHOP_ATTRIBUTES.encode(nexthop, writer, NEXTHOP_HEADER_NAMES);
  writer.u16At(at, writer.length - at);
}

const ATTRIBUTES = {
  destination: attribute(1, "RTA_DST", ip),
  source: attribute(2, "RTA_SRC", ip),
  inIndex: attribute(3, "RTA_IIF", u32),
  outIndex: attribute(4, "RTA_OIF", u32),
  ...GATEWAYS,
  /** What is called the metric: of two routes to the same destination the lower one counts. */
  priority: attribute(6, "RTA_PRIORITY", u32),
  preferredSource: attribute(7, "RTA_PREFSRC", ip),
  metrics: attribute(8, "RTA_METRICS", METRICS),
  multipath: attribute(9, "RTA_MULTIPATH", NEXTHOPS),
  cacheInfo: attribute(12, "RTA_CACHEINFO", struct({ references: u32, lastUse: u32, expires: s32, error: u32, used: u32, id: u32, timestamp: u32, age: u32 })),
  table: attribute(15, "RTA_TABLE", u32),
  mark: attribute(16, "RTA_MARK", u32),
  /** ICMPV6_ROUTER_PREF_*: 0 medium, 1 high, 3 low. */
  preference: attribute(20, "RTA_PREF", u8),
  expires: attribute(23, "RTA_EXPIRES", u32),
  ttlPropagate: attribute(26, "RTA_TTL_PROPAGATE", u8),
  nexthopId: attribute(30, "RTA_NH_ID", u32),
};

export const ROUTE = new Payload(HEADER, new AttributeTable(ATTRIBUTES));

/** What can be said of a route beside its header. */
export type RouteAttributes = AttributesOf<typeof ATTRIBUTES>;

/** A route as RTM_NEWROUTE has it. `tableByte` is the table where it is below 256. */
export type Route = ValueOf<typeof HEADER> & RouteAttributes;

/** `tableByte` for a table: rtmsg has one byte for it, and RTA_TABLE all of it. */
export function tableByteOf(table: number): number {
  return table < 256 ? table : RT_TABLE.COMPAT;
}
