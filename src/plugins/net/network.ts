import { parseIp } from "../../core/ip-address.ts";
import { localOf, type Address } from "../../protocols/netlink/address.ts";
import { vlanRanges } from "../../protocols/netlink/bridge.ts";
import { AF_INET6, IFF, RTM_F, RTN, RTPROT, RT_SCOPE, RT_TABLE } from "../../protocols/netlink/constants.ts";
import type { Link } from "../../protocols/netlink/link.ts";
import type { Netlink } from "../../protocols/netlink/netlink.ts";
import { dumpAddresses, dumpLinks, dumpRoutes } from "../../protocols/netlink/reads.ts";
import type { Route } from "../../protocols/netlink/route.ts";
import { interfaceNameProblem } from "./interface-name.ts";
import { defaultDestination, routeName, type RouteKey } from "./route-name.ts";
import { isLinkLocal, isMulticast } from "./subnet.ts";
import type { PortVlan } from "./vlan-list.ts";

/** A link with a name that a document can say. */
export type NamedLink = Link & { readonly name: string };

/** What the kernel told of its links, addresses and routes, each in one dump. */
export class Network {
  readonly links: ReadonlyMap<string, NamedLink>;
  readonly #byIndex: ReadonlyMap<number, NamedLink>;
  readonly #addresses: ReadonlyMap<number, readonly Address[]>;
  readonly #vlans: ReadonlyMap<number, readonly PortVlan[]>;
  /** By name: those that are nobody's but the user's. Of two that the kernel keeps under one key the first counts. */
  readonly routes: ReadonlyMap<string, Route>;

  constructor({ links, addresses, routes, ports }: Dumps) {
    const named = links.flatMap((link) => (link.name === undefined || interfaceNameProblem(link.name) !== undefined ? [] : [{ ...link, name: link.name }]));
    this.links = new Map(named.map((link) => [link.name, link]));
    this.#byIndex = new Map(named.map((link) => [link.index, link]));
    this.#addresses = Map.groupBy(addresses, ({ index }) => index);
    this.#vlans = new Map(ports.map(({ index, bridge }) => [index, vlanRanges(bridge?.vlans ?? []).flatMap(vlansOfRange)]));
    const own = new Map<string, Route>();
    for (const route of routes.filter(isUsers)) {
      const name = routeName(keyOfRoute(route));
      if (!own.has(name)) own.set(name, route);
    }
    this.routes = own;
  }

  name(index: number | undefined): string | undefined {
    return index === undefined ? undefined : this.#byIndex.get(index)?.name;
  }

  /** A link's addresses but those that the kernel gives it by itself, in the kernel's order. */
  addresses({ index, flags }: Pick<Link, "index" | "flags">): readonly Address[] {
    return (this.#addresses.get(index) ?? []).filter((address) => {
      const bytes = parseIp(localOf(address) ?? "");
      const ofLoopback = (flags & IFF.LOOPBACK) !== 0 && address.scope === RT_SCOPE.HOST;
      return bytes !== undefined && !isLinkLocal(bytes) && !ofLoopback;
    });
  }

  /** The VLANs of a bridge's port. */
  vlans({ index }: Pick<Link, "index">): readonly PortVlan[] {
    return this.#vlans.get(index) ?? [];
  }

  ports(master: Pick<Link, "index">): NamedLink[] {
    return [...this.links.values()].filter((link) => link.master === master.index);
  }
}

interface Dumps {
  readonly links: readonly Link[];
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
  /** Bridge ports, with their VLANs. */
  readonly ports: readonly Link[];
}

/** Three dumps, and one more where a bridge filters VLANs. */
export async function readNetwork(netlink: Netlink): Promise<Network> {
  const [links, addresses, routes] = await Promise.all([netlink.send(dumpLinks()), netlink.send(dumpAddresses()), netlink.send(dumpRoutes())]);
  const filtering = links.some(({ linkInfo }) => linkInfo?.bridge?.vlanFiltering === 1);
  const ports = filtering ? await netlink.send(dumpLinks({ bridgeVlans: true })) : [];
  return new Network({ links, addresses, routes, ports });
}

export function keyOfRoute({ family, destination, destinationLength, priority, table, tableByte }: Route): RouteKey {
  const network = destination === undefined ? defaultDestination(family === AF_INET6 ? "ipv6" : "ipv4") : `${destination}/${destinationLength}`;
  return { destination: network, metric: priority ?? 0, table: table ?? tableByte };
}

/** Not what the kernel keeps by itself: local and broadcast routes, those of a link's own networks, those that routers advertised. */
function isUsers(route: Route): boolean {
  const { table, tableByte, protocol, type, flags, tos, sourceLength, destination } = route;
  const kernels: readonly number[] = [RTPROT.KERNEL, RTPROT.REDIRECT, RTPROT.RA];
  const own: readonly number[] = [RTN.LOCAL, RTN.BROADCAST, RTN.ANYCAST, RTN.MULTICAST];
  if ((table ?? tableByte) === RT_TABLE.LOCAL || kernels.includes(protocol) || own.includes(type) || (flags & RTM_F.CLONED) !== 0) return false;
  const bytes = destination === undefined ? undefined : parseIp(destination);
  return tos === 0 && sourceLength === 0 && (bytes === undefined || (!isMulticast(bytes) && !isLinkLocal(bytes)));
}

function vlansOfRange({ first, last, pvid = false, untagged = false }: ReturnType<typeof vlanRanges>[number]): PortVlan[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({ id: first + index, pvid, untagged }));
}
