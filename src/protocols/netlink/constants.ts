/*
 * Numbers by the kernel's own names, without the prefix that the object has. test/unit/netlink/constants.test.ts compares them with the
 * kernel's headers.
 */

/** sys/socket.h. */
export const [AF_UNSPEC, AF_INET, AF_BRIDGE, AF_INET6] = [0, 2, 7, 10] as const;

/** linux/rtnetlink.h: what messages are about. */
export const RTM = {
  ...{ NEWLINK: 16, DELLINK: 17, GETLINK: 18, SETLINK: 19 },
  ...{ NEWADDR: 20, DELADDR: 21, GETADDR: 22 },
  ...{ NEWROUTE: 24, DELROUTE: 25, GETROUTE: 26 },
  ...{ NEWNEIGH: 28, DELNEIGH: 29, GETNEIGH: 30 },
  ...{ NEWRULE: 32, DELRULE: 33, GETRULE: 34 },
} as const;

/** linux/rtnetlink.h: groups that events are told to. */
export const RTNLGRP = { LINK: 1, NEIGH: 3, IPV4_IFADDR: 5, IPV4_ROUTE: 7, IPV4_RULE: 8, IPV6_IFADDR: 9, IPV6_ROUTE: 11, IPV6_RULE: 19 } as const;

/** linux/rtnetlink.h: IFLA_EXT_MASK. */
export const RTEXT_FILTER = { VF: 1, BRVLAN: 2, BRVLAN_COMPRESSED: 4, SKIP_STATS: 8 } as const;

/** linux/if.h. */
export const IFF = {
  ...{ UP: 0x1, BROADCAST: 0x2, LOOPBACK: 0x8, POINTOPOINT: 0x10, RUNNING: 0x40, NOARP: 0x80, PROMISC: 0x100, ALLMULTI: 0x200 },
  ...{ MASTER: 0x400, SLAVE: 0x800, MULTICAST: 0x1000, LOWER_UP: 0x10000, DORMANT: 0x20000 },
} as const;

/** linux/if.h: RFC 2863's states. */
export const IF_OPER = { UNKNOWN: 0, NOTPRESENT: 1, DOWN: 2, LOWERLAYERDOWN: 3, TESTING: 4, DORMANT: 5, UP: 6 } as const;

/** linux/rtnetlink.h. */
export const RT_TABLE = { UNSPEC: 0, COMPAT: 252, DEFAULT: 253, MAIN: 254, LOCAL: 255 } as const;
export const RT_SCOPE = { UNIVERSE: 0, SITE: 200, LINK: 253, HOST: 254, NOWHERE: 255 } as const;
export const RTPROT = {
  ...{ UNSPEC: 0, REDIRECT: 1, KERNEL: 2, BOOT: 3, STATIC: 4, GATED: 8, RA: 9, MRT: 10, ZEBRA: 11, BIRD: 12, DNROUTED: 13, XORP: 14, NTK: 15, DHCP: 16 },
  ...{ MROUTED: 17, KEEPALIVED: 18, BABEL: 42, OPENR: 99, BGP: 186, ISIS: 187, OSPF: 188, RIP: 189, EIGRP: 192 },
} as const;
export const RTN = {
  ...{ UNSPEC: 0, UNICAST: 1, LOCAL: 2, BROADCAST: 3, ANYCAST: 4, MULTICAST: 5, BLACKHOLE: 6, UNREACHABLE: 7, PROHIBIT: 8, THROW: 9, NAT: 10, XRESOLVE: 11 },
} as const;
export const RTNH_F = { DEAD: 1, PERVASIVE: 2, ONLINK: 4, OFFLOAD: 8, LINKDOWN: 16, UNRESOLVED: 32, TRAP: 64 } as const;
export const RTM_F = { CLONED: 0x200, PREFIX: 0x800, LOOKUP_TABLE: 0x1000, FIB_MATCH: 0x2000 } as const;

/** linux/if_addr.h. */
export const IFA_F = {
  ...{ SECONDARY: 0x01, NODAD: 0x02, OPTIMISTIC: 0x04, DADFAILED: 0x08, HOMEADDRESS: 0x10, DEPRECATED: 0x20, TENTATIVE: 0x40, PERMANENT: 0x80 },
  ...{ MANAGETEMPADDR: 0x100, NOPREFIXROUTE: 0x200, MCAUTOJOIN: 0x400, STABLE_PRIVACY: 0x800 },
} as const;
export const IFAPROT = { UNSPEC: 0, KERNEL_LO: 1, KERNEL_RA: 2, KERNEL_LL: 3 } as const;

/** linux/neighbour.h. */
export const NUD = { INCOMPLETE: 0x01, REACHABLE: 0x02, STALE: 0x04, DELAY: 0x08, PROBE: 0x10, FAILED: 0x20, NOARP: 0x40, PERMANENT: 0x80, NONE: 0 } as const;
export const NTF = { USE: 0x01, SELF: 0x02, MASTER: 0x04, PROXY: 0x08, EXT_LEARNED: 0x10, OFFLOADED: 0x20, STICKY: 0x40, ROUTER: 0x80 } as const;

/** linux/fib_rules.h. */
export const FR_ACT = { UNSPEC: 0, TO_TBL: 1, GOTO: 2, NOP: 3, BLACKHOLE: 6, UNREACHABLE: 7, PROHIBIT: 8 } as const;
export const FIB_RULE = { PERMANENT: 0x1, INVERT: 0x2, UNRESOLVED: 0x4, IIF_DETACHED: 0x8, OIF_DETACHED: 0x10 } as const;

/** linux/if_bonding.h. */
export const BOND_MODE = { ROUNDROBIN: 0, ACTIVEBACKUP: 1, XOR: 2, BROADCAST: 3, "8023AD": 4, TLB: 5, ALB: 6 } as const;
export const BOND_XMIT_POLICY = { LAYER2: 0, LAYER34: 1, LAYER23: 2, ENCAP23: 3, ENCAP34: 4, VLAN_SRCMAC: 5 } as const;

/** linux/if_bridge.h. */
export const BRIDGE_VLAN_INFO = { MASTER: 0x01, PVID: 0x02, UNTAGGED: 0x04, RANGE_BEGIN: 0x08, RANGE_END: 0x10, BRENTRY: 0x20 } as const;
export const BRIDGE_FLAGS = { MASTER: 1, SELF: 2 } as const;
export const BR_STATE = { DISABLED: 0, LISTENING: 1, LEARNING: 2, FORWARDING: 3, BLOCKING: 4 } as const;

/** linux/if_link.h. */
export const MACVLAN_MODE = { PRIVATE: 1, VEPA: 2, BRIDGE: 4, PASSTHRU: 8, SOURCE: 16 } as const;
export const IN6_ADDR_GEN_MODE = { EUI64: 0, NONE: 1, STABLE_PRIVACY: 2, RANDOM: 3 } as const;

/** linux/ip.h. `inet.configuration` has each at one less. */
export const IPV4_DEVCONF = { FORWARDING: 1, RP_FILTER: 8, PROMOTE_SECONDARIES: 20, ACCEPT_LOCAL: 23 } as const;

/** linux/ipv6.h: where it is in `inet6.configuration`. */
export const DEVCONF = { FORWARDING: 0, HOPLIMIT: 1, MTU6: 2, ACCEPT_RA: 3, ACCEPT_REDIRECTS: 4, AUTOCONF: 5, DISABLE_IPV6: 26, ACCEPT_DAD: 27, KEEP_ADDR_ON_DOWN: 42 } as const;
