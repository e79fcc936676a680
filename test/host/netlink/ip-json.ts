import { FOREVER, type Address } from "../../../src/protocols/netlink/address.ts";
import { AF_INET, AF_INET6, IFA_F, RT_SCOPE, RT_TABLE, RTN } from "../../../src/protocols/netlink/constants.ts";
import type { Link } from "../../../src/protocols/netlink/link.ts";
import type { Neighbour } from "../../../src/protocols/netlink/neighbour.ts";
import type { Route } from "../../../src/protocols/netlink/route.ts";
import type { Rule } from "../../../src/protocols/netlink/rule.ts";

/*
 * What was read, as `ip -json -Numeric` says it: its keys, left out where it leaves them out. Times that run are left out on both sides.
 */

export type Names = ReadonlyMap<number, string>;
type Said = Readonly<Record<string, unknown>>;

const STATES = ["UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"];
const MACVLAN_MODES: Readonly<Record<number, string>> = { 1: "private", 2: "vepa", 4: "bridge" };
const FAMILIES: Readonly<Record<number, string>> = { [AF_INET]: "inet", [AF_INET6]: "inet6" };

export function linkSaid(link: Link, names: Names): Said {
  const { bridge, vxlan, macvlan, bridgePort, kind, slaveKind } = link.linkInfo ?? {};
  return withoutUndefined({
    ...{ ifindex: link.index, ifname: link.name, mtu: link.mtu, qdisc: link.queueingDiscipline, operstate: STATES[link.operstate ?? 0], txqlen: link.transmitQueueLength },
    ...{ address: link.address, broadcast: link.broadcast, promiscuity: link.promiscuity, min_mtu: link.minimumMtu, max_mtu: link.maximumMtu, ifalias: link.alias },
    ...{ num_tx_queues: link.transmitQueues, num_rx_queues: link.receiveQueues, group: String(link.group), master: names.get(link.master ?? 0), link: names.get(link.link ?? 0) },
    ...{ kind, slaveKind },
    bridge: bridge && {
      ...{ forward_delay: bridge.forwardDelay, hello_time: bridge.helloTime, max_age: bridge.maximumAge, ageing_time: bridge.ageingTime, stp_state: bridge.stpState },
      ...{ priority: bridge.priority, vlan_filtering: bridge.vlanFiltering, group_addr: bridge.groupAddress, mcast_snooping: bridge.multicastSnooping, root_port: bridge.rootPort },
    },
    vxlan: vxlan && withoutUndefined({
      ...{ id: vxlan.id, remote: vxlan.remote, local: vxlan.local, remote6: vxlan.remote6, local6: vxlan.local6, port: vxlan.port, ttl: vxlan.ttl, ageing: vxlan.ageing },
      ...{ port_range: vxlan.sourcePorts, learning: vxlan.learning === 1 },
    }),
    macvlan: macvlan && { mode: MACVLAN_MODES[macvlan.mode ?? 0] },
    bridgePort: bridgePort && {
      ...{ priority: bridgePort.priority, cost: bridgePort.cost, hairpin: bridgePort.hairpin === 1, learning: bridgePort.learning === 1, isolated: bridgePort.isolated === 1 },
      ...{ flood: bridgePort.unicastFlood === 1, mcast_flood: bridgePort.multicastFlood === 1, bcast_flood: bridgePort.broadcastFlood === 1 },
    },
  });
}

/** Of what ip says of a link the same parts, data of its kind under the kind's name. */
export function linkTold(link: Said, ours: Said): Said {
  const { info_kind, info_data, info_slave_kind, info_slave_data } = (link["linkinfo"] ?? {}) as Readonly<Record<string, Said | string | undefined>>;
  const all: Said = { ...link, kind: info_kind, slaveKind: info_slave_kind, [String(info_kind)]: info_data, bridgePort: info_slave_data };
  return like(all, ours);
}

/** The parts of `all` that `wanted` has. */
function like(all: Said, wanted: Said): Said {
  return Object.fromEntries(
    Object.entries(wanted).map(([key, value]) => [key, isRecord(value) && isRecord(all[key]) ? like(all[key], value) : all[key]]),
  );
}

function isRecord(value: unknown): value is Said {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function addressSaid(address: Address): Said {
  const { local, label, broadcast, priority, flags = 0, cacheInfo } = address;
  return withoutUndefined({
    ...{ family: FAMILIES[address.family], local: local ?? address.address, address: local === undefined || local === address.address ? undefined : address.address },
    ...{ prefixlen: address.prefixLength, broadcast, scope: String(address.scope), label, metric: priority, secondary: (flags & IFA_F.SECONDARY) !== 0 ? true : undefined },
    noprefixroute: (flags & IFA_F.NOPREFIXROUTE) !== 0 ? true : undefined,
    dynamic: cacheInfo?.valid === FOREVER ? undefined : true,
  });
}

const RUNNING = ["valid_life_time", "preferred_life_time", "tentative", "expires"];

/** Without what runs or settles while it is read. */
export function settled(said: Said): Said {
  return Object.fromEntries(Object.entries(said).filter(([key]) => !RUNNING.includes(key)));
}

const withPrefix = (address: string | undefined, length: number, family: number): string =>
  address === undefined ? "default" : length === (family === AF_INET ? 32 : 128) ? address : `${address}/${length}`;

export function routeSaid(route: Route, names: Names): Said {
  const { table = 0, via, multipath, metrics } = route;
  const flags = (bits: number) => ((bits & 16) !== 0 ? ["linkdown"] : []);
  return withoutUndefined({
    type: route.type === RTN.UNICAST ? undefined : String(route.type),
    dst: withPrefix(route.destination, route.destinationLength, route.family),
    gateway: route.gateway,
    via: via && { family: FAMILIES[via.family], host: via.address },
    dev: names.get(route.outIndex ?? 0),
    table: table === RT_TABLE.MAIN ? undefined : String(table),
    protocol: String(route.protocol),
    scope: route.scope === RT_SCOPE.UNIVERSE ? undefined : String(route.scope),
    prefsrc: route.preferredSource,
    metric: route.priority,
    flags: flags(route.flags),
    metrics: metrics && [{ mtu: metrics.mtu }],
    pref: route.preference === 0 ? "medium" : undefined,
    nexthops: multipath?.map((way) => ({ gateway: way.gateway, dev: names.get(way.index), weight: way.hops + 1, flags: flags(way.flags) })),
  });
}

export function ruleSaid(rule: Rule): Said {
  const hexadecimal = (value: number | undefined) => (value === undefined ? undefined : `0x${value.toString(16)}`);
  return withoutUndefined({
    ...{ priority: rule.priority ?? 0, src: rule.source ?? "all", srclen: rule.source === undefined ? undefined : rule.sourceLength, iif: rule.inInterface },
    ...{ fwmark: hexadecimal(rule.mark), fwmask: hexadecimal(rule.mask), table: String(rule.table), protocol: rule.protocol === 4 ? "4" : undefined },
    ...{ ipproto: rule.ipProtocol === undefined ? undefined : `ipproto-${rule.ipProtocol}`, dport_start: rule.destinationPorts?.first, dport_end: rule.destinationPorts?.last },
  });
}

export function neighbourSaid(neighbour: Neighbour, names: Names): Said {
  return { dst: neighbour.destination, dev: names.get(neighbour.index), lladdr: neighbour.address, state: ["PERMANENT"] };
}

function withoutUndefined(said: Said): Said {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}
