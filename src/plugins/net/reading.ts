import type { Json, JsonObject } from "../../core/json.ts";
import type { Reading, ResourceReading } from "../../core/plugin.ts";
import type { ConfigFile, Operator } from "../../core/ports.ts";
import { valueAt, type Resource, type Resources } from "../../core/resource.ts";
import { localOf, type Address } from "../../protocols/netlink/address.ts";
import { AF_INET6, BOND_MODE, BOND_XMIT_POLICY, DEVCONF, IFA_F, IFAPROT, IFF, IF_OPER, RTN } from "../../protocols/netlink/constants.ts";
import { isUp } from "../../protocols/netlink/link.ts";
import type { Netlink } from "../../protocols/netlink/netlink.ts";
import type { Vswitch } from "../../protocols/ovsdb/vswitch.ts";
import type { Route } from "../../protocols/netlink/route.ts";
import { BOND_MODES, HASH_POLICIES, LACP_RATES } from "./declared.ts";
import { keyOfRoute, readNetwork, type NamedLink, type Network } from "./network.ts";
import { readVswitchIn, withVswitch, type VswitchSource } from "./ovs/reading.ts";
import { isDefaultDestination, MAIN_TABLE, usualMetric } from "./route-name.ts";
import type { LinkFacts, LinkType } from "./state.ts";
import { FAMILIES, type Family } from "./subnet.ts";
import { vlansText } from "./vlan-list.ts";

export interface Sources extends VswitchSource {
  readonly netlink: Netlink;
  readonly configFiles: Pick<ConfigFile, "read" | "linkTarget">;
  readonly operator: Pick<Operator, "sessionAddresses">;
}

/** linux/if_arp.h. */
const ARPHRD_ETHER = 1;
/** linux/if_ether.h. */
const ETH_P_8021Q = 0x8100;
/** Whose address has been set for good (linux/netdevice.h, addr_assign_type). */
const NET_ADDR_SET = "3";
const HUNDREDTHS = 100;

/** Reads all links, addresses and routes. `scope` asks for what is not told unasked, and for what is not there. */
export async function readNet(scope: Resources | undefined, sources: Sources): Promise<Reading> {
  return readingOf(await readHost(scope, sources), scope, sources);
}

export interface HostNetwork {
  readonly network: Network;
  readonly vswitch: Vswitch | undefined;
}

/** The kernel, and Open vSwitch where there is one. */
export async function readHost(scope: Resources | undefined, sources: Sources): Promise<HostNetwork> {
  const vswitch = await readVswitchIn(scope, sources);
  return { network: await readNetwork(sources.netlink), vswitch };
}

export function readingOf({ network, vswitch }: HostNetwork, scope: Resources | undefined, sources: Sources): Reading {
  const gateways = gatewaysOf(network);
  const links = [...network.links.values()].map((link) => [link.name, readLink(link, { network, gateways, scope, sources })] as const);
  const routes = [...network.routes].flatMap(([name, route]) => (gateways.routes.has(route) ? [] : [[name, readRoute(route, network)] as const]));
  const { resources: found } = withVswitch({ resources: Object.fromEntries([...links, ...routes]) }, vswitch);
  const missing = Object.keys(scope ?? {}).filter((name) => !Object.hasOwn(found, name));
  return { resources: { ...Object.fromEntries(missing.map((name) => [name, { state: { state: "absent" } }])), ...found } };
}

interface Gateways {
  readonly routes: ReadonlySet<Route>;
  /** By interface and family. */
  readonly byLink: ReadonlyMap<string, string>;
}

/** The default routes that are shown as their interface's gateway: in the main table, with the metric of those that name none. */
function gatewaysOf(network: Network): Gateways {
  const plain = [...network.routes.values()].filter((route) => {
    const { destination, metric, table } = keyOfRoute(route);
    const usual = isDefaultDestination(destination) && metric === usualMetric(destination) && table === MAIN_TABLE;
    return usual && !isSpecial(route) && route.gateway !== undefined && network.name(route.outIndex) !== undefined;
  });
  const byLink = plain.map((route) => [`${network.name(route.outIndex)} ${route.family === AF_INET6 ? "ipv6" : "ipv4"}`, route.gateway ?? ""] as const);
  return { routes: new Set(plain), byLink: new Map(byLink) };
}

interface Around {
  readonly network: Network;
  readonly gateways: Gateways;
  readonly scope: Resources | undefined;
  readonly sources: Sources;
}

function readLink(link: NamedLink, around: Around): ResourceReading {
  const { network, scope, sources } = around;
  const wanted = scope !== undefined && Object.hasOwn(scope, link.name) ? scope[link.name] : undefined;
  const type = typeOf(link, network);
  const follows = followsMac(link, type, sources);
  const facts = factsOf(link, type, follows, around);
  const hidden = follows === true || link.linkInfo?.slaveKind === "bond";
  const state: Resource = {
    ...(type === undefined ? {} : { type }),
    up: isUp(link),
    ...(link.mtu === undefined ? {} : { mtu: link.mtu }),
    ...(hidden || link.address === undefined || (link.flags & IFF.LOOPBACK) !== 0 ? {} : { mac: link.address }),
    ...(type === undefined ? {} : makeupOf(link, type, network)),
    ...portsOf(link, type, network),
    ...Object.fromEntries(FAMILIES.flatMap((family) => ipOf(link, family, wanted, around))),
  };
  const passing = network.addresses(link).filter(isPassing).map(addressText);
  const sessions = network.addresses(link).flatMap((address) => sources.operator.sessionAddresses.filter((ip) => ip === localOf(address)));
  const advice = { ...(sessions.length === 0 ? {} : { sessions }), ...(passing.length === 0 ? {} : { passing }) };
  return {
    state,
    observed: { ...observedOf(link, hidden, passing, network), ...(facts.path === undefined ? {} : { path: facts.path }) },
    identity: link.permanentAddress === undefined ? `index ${link.index}` : `mac ${link.permanentAddress}`,
    ...(Object.keys(facts).length === 0 ? {} : { facts: facts as Json }),
    ...(Object.keys(advice).length === 0 ? {} : { advice }),
  };
}

/** The type that a document has for it; undefined for a link that it could not make again. */
function typeOf({ type, flags, linkInfo, linkNetworkNamespace, ...link }: NamedLink, network: Network): LinkType | undefined {
  const kind = linkInfo?.kind;
  if (kind === undefined) return type === ARPHRD_ETHER && (flags & IFF.LOOPBACK) === 0 ? "ethernet" : undefined;
  if (kind === "vlan") {
    const plain = linkInfo?.vlan?.protocol === ETH_P_8021Q && linkNetworkNamespace === undefined && network.name(link.link) !== undefined;
    return plain ? "vlan" : undefined;
  }
  if (kind === "vxlan") return linkInfo?.vxlan?.collectMetadata === 1 || linkNetworkNamespace !== undefined ? undefined : "vxlan";
  if (kind === "veth") return linkNetworkNamespace === undefined && network.name(link.link) !== undefined ? "veth" : undefined;
  return kind === "bridge" || kind === "bond" || kind === "dummy" ? kind : undefined;
}

function makeupOf({ linkInfo, link }: NamedLink, type: LinkType, network: Network): Resource {
  if (type === "vlan") return { vlan: { id: linkInfo?.vlan?.id ?? 0, base: network.name(link) ?? null } };
  if (type === "veth") return { veth: { peer: network.name(link) ?? null } };
  if (type === "bridge") {
    const { vlanFiltering = 0, stpState = 0, forwardDelay = 0 } = linkInfo?.bridge ?? {};
    return { bridge: { vlan_filtering: vlanFiltering === 1, stp: stpState !== 0, forward_delay: forwardDelay / HUNDREDTHS } };
  }
  if (type === "bond") {
    const { mode = BOND_MODE.ROUNDROBIN, miimon = 0, lacpRate, xmitHashPolicy = BOND_XMIT_POLICY.LAYER2 } = linkInfo?.bond ?? {};
    return {
      bond: {
        mode: BOND_MODES[mode] ?? null, miimon, xmit_hash_policy: HASH_POLICIES[xmitHashPolicy] ?? null,
        ...(lacpRate === undefined ? {} : { lacp_rate: LACP_RATES[lacpRate] ?? null }),
      },
    };
  }
  if (type !== "vxlan") return {};
  const { id = 0, local, local6, remote, remote6, port = 0, link: base } = linkInfo?.vxlan ?? {};
  const [from, to, by] = [local ?? local6, remote ?? remote6, network.name(base)];
  return { vxlan: { id, port, ...(from === undefined ? {} : { local: from }), ...(to === undefined ? {} : { remote: to }), ...(by === undefined ? {} : { base: by }) } };
}

function portsOf(link: NamedLink, type: LinkType | undefined, network: Network): Resource {
  if (type !== "bridge" && type !== "bond") return {};
  const filters = type === "bridge" && link.linkInfo?.bridge?.vlanFiltering === 1;
  const ports = network.ports(link).map((port) => [port.name, { state: "present", ...(filters ? { vlans: vlansText(network.vlans(port)) } : {}) }] as const);
  return ports.length === 0 ? {} : { ports: Object.fromEntries(ports.toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Addresses that end by themselves, and what only sysctls change, are told where somebody asks for them. */
function ipOf(link: NamedLink, family: Family, wanted: Resource | undefined, { network, gateways }: Around): [Family, JsonObject][] {
  const asked = (address: Address) => valueAt(wanted, [family, "address", addressText(address)]) !== undefined;
  const own = network.addresses(link).filter((address) => (address.family === AF_INET6) === (family === "ipv6") && isPlain(address) && (!isPassing(address) || asked(address)));
  const gateway = gateways.byLink.get(`${link.name} ${family}`);
  const { ipv6Off, autoconf } = switchesOf(link);
  const switches = family === "ipv4" ? {} : {
    ...(valueAt(wanted, [family, "enabled"]) === undefined ? {} : { enabled: !ipv6Off }),
    ...(valueAt(wanted, [family, "autoconf"]) === undefined || autoconf === undefined ? {} : { autoconf }),
  };
  const found: JsonObject = {
    ...switches,
    ...(own.length === 0 ? {} : { address: Object.fromEntries(own.map((address) => [addressText(address), "present"])) }),
    ...(gateway === undefined ? {} : { gateway }),
  };
  return Object.keys(found).length === 0 ? [] : [[family, found]];
}

function factsOf(link: NamedLink, type: LinkType | undefined, follows: boolean | undefined, { network, sources }: Around): LinkFacts {
  const secondary = network.addresses(link).filter((address) => address.family !== AF_INET6 && (flagsOf(address) & IFA_F.SECONDARY) !== 0).map(addressText);
  const path = type === "ethernet" ? devicePath(sources.configFiles.linkTarget(`/sys/class/net/${link.name}`)) : undefined;
  const { ipv6Off, autoconf, keepsIpv6 } = switchesOf(link);
  return {
    ...(type === undefined ? { kind: link.linkInfo?.kind ?? ((link.flags & IFF.LOOPBACK) !== 0 ? "loopback" : "unknown") } : {}),
    ...(link.permanentAddress === undefined ? {} : { permanentMac: link.permanentAddress }),
    ...(path === undefined ? {} : { path }),
    ...(follows === undefined ? {} : { followsMac: follows }),
    ...(secondary.length === 0 ? {} : { secondary }),
    ...(ipv6Off ? { ipv6Off } : {}), ...(keepsIpv6 ? { keepsIpv6 } : {}),
    ...(autoconf === undefined ? {} : { autoconf }),
  };
}

/** undefined for kinds of links that never follow another's address. */
function followsMac({ name }: NamedLink, type: LinkType | undefined, { configFiles }: Sources): boolean | undefined {
  if (type !== "bridge" && type !== "bond" && type !== "vlan") return undefined;
  return configFiles.read(`/sys/class/net/${name}/addr_assign_type`)?.trim() !== NET_ADDR_SET;
}

function switchesOf({ addressFamilies }: NamedLink): { readonly ipv6Off: boolean; readonly keepsIpv6: boolean; readonly autoconf: boolean | undefined } {
  const configuration = addressFamilies?.inet6?.configuration;
  // Without IPv6 on a link the kernel tells nothing of it.
  if (configuration === undefined) return { ipv6Off: true, keepsIpv6: false, autoconf: undefined };
  return { ipv6Off: configuration[DEVCONF.DISABLE_IPV6] === 1, keepsIpv6: (configuration[DEVCONF.KEEP_ADDR_ON_DOWN] ?? 0) > 0, autoconf: configuration[DEVCONF.AUTOCONF] === 1 };
}

/** "pci-0000:00:03.0", as udev's ID_PATH begins; undefined for what is no PCI device. */
function devicePath(target: string | undefined): string | undefined {
  const addresses = target?.match(/[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/g);
  return addresses == null ? undefined : `pci-${addresses.at(-1)}`;
}

function observedOf(link: NamedLink, hidden: boolean, passing: readonly string[], network: Network): JsonObject {
  const [master, kind] = [network.name(link.master), link.linkInfo?.kind];
  const operstate = Object.entries(IF_OPER).find(([, value]) => value === link.operstate)?.[0].toLowerCase();
  const elsewhere = network.addresses(link).filter((address) => !isPlain(address)).map((address) => `${localOf(address)} peer ${address.address}/${address.prefixLength}`);
  return {
    index: link.index,
    ...(kind === undefined ? {} : { kind }),
    ...(operstate === undefined ? {} : { operstate }),
    ...(link.carrier === undefined ? {} : { carrier: link.carrier === 1 }),
    ...(hidden && link.address !== undefined ? { mac: link.address } : {}),
    ...(link.permanentAddress === undefined ? {} : { permanent_mac: link.permanentAddress }),
    ...(master === undefined ? {} : { master }),
    ...(passing.length === 0 && elsewhere.length === 0 ? {} : { address: [...passing, ...elsewhere] }),
  };
}

function readRoute(route: Route, network: Network): ResourceReading {
  const [dev, special] = [network.name(route.outIndex), isSpecial(route)];
  const type = Object.entries(RTN).find(([, value]) => value === route.type)?.[0].toLowerCase();
  const nexthops = (route.multipath ?? []).map(({ index, gateway, hops }) => ({ dev: network.name(index) ?? null, via: gateway ?? null, weight: hops + 1 }));
  return {
    state: special ? {} : { ...(route.gateway === undefined ? {} : { via: route.gateway }), ...(dev === undefined ? {} : { dev }) },
    observed: {
      protocol: route.protocol,
      ...(route.type === RTN.UNICAST || type === undefined ? {} : { type }),
      ...(nexthops.length === 0 ? {} : { nexthops }),
      ...(route.preferredSource === undefined ? {} : { source: route.preferredSource }),
    },
    ...(special ? { facts: { special: [...new Set([dev, ...nexthops.map((each) => each.dev)].flatMap((each) => each ?? []))] } } : {}),
  };
}

/** More than a document can say, which setting the route would lose. */
function isSpecial({ type, multipath, nexthopId, via, encapsulationType }: Route): boolean {
  return type !== RTN.UNICAST || multipath !== undefined || nexthopId !== undefined || via !== undefined || encapsulationType !== undefined;
}

/** "192.168.1.10/24". */
function addressText(address: Address): string {
  return `${localOf(address)}/${address.prefixLength}`;
}

/** Without a peer, which a document cannot say. */
function isPlain({ local, address }: Address): boolean {
  return local === undefined || address === undefined || local === address;
}

/** It ends by itself, or when a router says so: DHCP's, a router advertisement's, a privacy address. */
function isPassing(address: Address): boolean {
  return (flagsOf(address) & IFA_F.PERMANENT) === 0 || address.protocol === IFAPROT.KERNEL_RA;
}

function flagsOf({ flags, flagsByte }: Address): number {
  return flags ?? flagsByte;
}
