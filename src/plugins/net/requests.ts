import { ipText } from "../../core/ip-address.ts";
import { FOREVER, localOf } from "../../protocols/netlink/address.ts";
import { addAddress, deleteAddress, deleteRoute, replaceRoute, type AddressSettings, type RouteSettings } from "../../protocols/netlink/changes.ts";
import { AF_INET, AF_INET6, IFA_F } from "../../protocols/netlink/constants.ts";
import { createLink, deleteBridgeVlans, deleteLink, setBridgeVlans, setLink, type LinkSettings as KernelSettings } from "../../protocols/netlink/link-changes.ts";
import { isUp } from "../../protocols/netlink/link.ts";
import type { Request } from "../../protocols/netlink/netlink.ts";
import type { Route } from "../../protocols/netlink/route.ts";
import { BOND_MODES, HASH_POLICIES, LACP_RATES } from "./declared.ts";
import type { NamedLink, Network } from "./network.ts";
import { isDefaultDestination, routeName } from "./route-name.ts";
import type { LinkOperation, LinkSettings, Operation, RouteOperation } from "./steps.ts";
import { parseSubnet } from "./subnet.ts";
import { parseVlans, type PortVlan } from "./vlan-list.ts";

/** Who made a route or an address: a number that nobody else has in iproute2's rt_protos, the letter O. */
export const OP_DBUS_PROTOCOL = 79;
/** IANA's port for VXLAN (RFC 7348, 8). The kernel's own default is older. */
const VXLAN_PORT = 4789;
const HUNDREDTHS = 100;

/** What the messages before may have changed. */
export interface Current {
  /** The kernel's number of a link. */
  indexOf(name: string): Promise<number>;
  /** The VLANs of a bridge's port. */
  vlansOf(port: string): Promise<readonly PortVlan[]>;
}

/** The messages of an operation, to be sent in this order. */
export async function requestsFor(operation: Operation, network: Network, current: Current): Promise<Request<void>[]> {
  const indexOf = (name: string) => current.indexOf(name);
  switch (operation.do) {
    case "create":
      return [createLink(await newLink(operation, indexOf))];
    case "set":
      return [setLink({ name: operation.name }, { ...settingsOf(operation), ...(operation.up === undefined ? {} : { up: operation.up }) })];
    case "join":
      return joining(operation, await indexOf(operation.master));
    case "leave":
      return leaving(operation.port, operation.master, network);
    case "vlans":
      return vlanRequests(await indexOf(operation.port), parseVlans(operation.vlans ?? []), await current.vlansOf(operation.port));
    case "remove":
      return removing(operation.name, network);
    case "add address":
      return [addAddress(addressOf(await indexOf(operation.dev), operation.address, operation.moved))];
    case "remove address":
      return withoutAddress(await indexOf(operation.dev), operation.address, operation.keep ?? []);
    case "set route":
      return settingRoute(operation, network, operation.dev === undefined ? undefined : await indexOf(operation.dev));
    case "remove route":
      return [deleteRoute(routeOf(operation, operation.dev === undefined ? undefined : await indexOf(operation.dev)))];
  }
}

type Create = Extract<LinkOperation, { do: "create" }>;

async function newLink({ name, type, vlan, veth, vxlan, bridge: { vlan_filtering, ...bridge } = {}, ...settings }: Create, indexOf: Current["indexOf"]) {
  // A kernel that cannot filter VLANs does not take even the word that a bridge is not to.
  const { linkInfo, ...plain } = settingsOf({ ...settings, bridge: vlan_filtering === true ? { ...bridge, vlan_filtering } : bridge });
  const info = { ...linkInfo, kind: type };
  if (vlan !== undefined) return { name, ...plain, link: await indexOf(vlan.base), linkInfo: { ...info, vlan: { id: vlan.id } } };
  if (veth !== undefined) return { name, ...plain, linkInfo: { ...info, veth: { peer: { name: veth.peer } } } };
  if (vxlan === undefined) return { name, ...plain, linkInfo: info };
  const { id, local, remote, port, base } = vxlan;
  const ends = { ...endAt("local", local), ...endAt("remote", remote), ...(base == null ? {} : { link: await indexOf(base) }) };
  return { name, ...plain, linkInfo: { ...info, vxlan: { id: id ?? 0, port: port ?? VXLAN_PORT, ...ends } } };
}

function endAt(end: "local" | "remote", ip: string | null | undefined): Readonly<Record<string, string>> {
  return ip == null ? {} : { [ip.includes(":") ? `${end}6` : end]: ip };
}

function settingsOf({ mtu, mac, bridge, bond }: LinkSettings): KernelSettings {
  return {
    ...(mtu === undefined ? {} : { mtu }), ...(mac === undefined ? {} : { address: mac }),
    ...(bridge === undefined || Object.keys(bridge).length === 0 ? {} : {
      linkInfo: {
        kind: "bridge",
        bridge: {
          ...(bridge.vlan_filtering == null ? {} : { vlanFiltering: bridge.vlan_filtering ? 1 : 0 }),
          ...(bridge.stp == null ? {} : { stpState: bridge.stp ? 1 : 0 }),
          ...(bridge.forward_delay == null ? {} : { forwardDelay: Math.round(bridge.forward_delay * HUNDREDTHS) }),
        },
      },
    }),
    ...(bond === undefined ? {} : {
      linkInfo: {
        kind: "bond",
        bond: {
          ...(bond.mode == null ? {} : { mode: BOND_MODES.indexOf(bond.mode) }),
          ...(bond.miimon == null ? {} : { miimon: bond.miimon }),
          ...(bond.lacp_rate == null ? {} : { lacpRate: LACP_RATES.indexOf(bond.lacp_rate) }),
          ...(bond.xmit_hash_policy == null ? {} : { xmitHashPolicy: HASH_POLICIES.indexOf(bond.xmit_hash_policy) }),
        },
      },
    }),
  };
}

/**
 * What a bond takes away from a port that joins or leaves it, which goes down for that: its IPv6 addresses and the routes over it. The
 * kernel may not take them of a port; then they are lost, as the step tells.
 */
export function restoringFor(operation: Operation, network: Network): Request<void>[] {
  const [port, master] = operation.do === "join" || operation.do === "leave" ? [network.links.get(operation.port), network.links.get(operation.master)] : [];
  if (operation.do === "remove") {
    const link = network.links.get(operation.name);
    return link?.linkInfo?.kind === "bond" ? network.ports(link).flatMap((each) => restored(each, network)) : [];
  }
  const cycled = port !== undefined && isUp(port) && (operation.do === "join" ? operation.bond === true : master?.linkInfo?.kind === "bond");
  return cycled ? restored(port, network) : [];
}

function restored(link: NamedLink, network: Network): Request<void>[] {
  const addresses = network.addresses(link).filter(({ family }) => family === AF_INET6).map((address) => {
    const { prefixLength, protocol, cacheInfo: { preferred, valid } = { preferred: FOREVER, valid: FOREVER } } = address;
    const lifetimes = valid === FOREVER ? {} : { preferredSeconds: preferred, validSeconds: valid };
    return addAddress({ index: link.index, address: localOf(address) ?? "", prefixLength, flags: IFA_F.NODAD, ...lifetimes, ...(protocol === undefined ? {} : { protocol }) });
  });
  const routes = [...network.routes.values()].filter(({ outIndex }) => outIndex === link.index);
  return [...addresses, ...routes.map(({ protocol, scope, type, ...route }) => replaceRoute({ ...exactly({ protocol, scope, type, ...route }), protocol, scope, type }))];
}

/** A bond takes only a port that is down, and sets it up. */
function joining({ port, bond = false }: Extract<LinkOperation, { do: "join" }>, master: number): Request<void>[] {
  const join = setLink({ name: port }, { master });
  return bond ? [setLink({ name: port }, { up: false }), join] : [join];
}

/** A bond sets down what leaves it; a port that was up goes on being so. */
function leaving(port: string, master: string, network: Network): Request<void>[] {
  const link = network.links.get(port);
  const raised = network.links.get(master)?.linkInfo?.kind === "bond" && link !== undefined && isUp(link);
  return [setLink({ name: port }, { master: 0 }), ...(raised ? [setLink({ name: port }, { up: true })] : [])];
}

function removing(name: string, network: Network): Request<void>[] {
  const link = network.links.get(name);
  const ports = link?.linkInfo?.kind === "bond" ? network.ports(link) : [];
  return [...ports.flatMap((port) => leaving(port.name, name, network)), deleteLink({ name })];
}

function vlanRequests(index: number, goal: readonly PortVlan[], now: readonly PortVlan[]): Request<void>[] {
  const gone = now.filter(({ id }) => !goal.some((vlan) => vlan.id === id));
  const fresh = goal.filter((vlan) => !now.some(({ id, pvid, untagged }) => id === vlan.id && pvid === vlan.pvid && untagged === vlan.untagged));
  return [
    ...(gone.length === 0 ? [] : [deleteBridgeVlans(index, rangesOf(gone))]),
    ...(fresh.length === 0 ? [] : [setBridgeVlans(index, rangesOf(fresh))]),
  ];
}

/** The kernel takes no range that has the PVID. */
function rangesOf(vlans: readonly PortVlan[]) {
  const ranges: { first: number; last: number; pvid: boolean; untagged: boolean }[] = [];
  for (const { id, pvid, untagged } of vlans.toSorted((a, b) => a.id - b.id)) {
    const last = ranges.at(-1);
    if (last !== undefined && !pvid && !last.pvid && last.untagged === untagged && last.last === id - 1) last.last = id;
    else ranges.push({ first: id, last: id, pvid, untagged });
  }
  return ranges;
}

function addressOf(index: number, text: string, moved = false): AddressSettings {
  const { bytes, prefix, family } = subnetOf(text);
  const broadcast = family === "ipv4" && prefix < 31 ? { broadcast: ipText(bytes.map((byte, at) => byte | (0xff >> Math.max(0, Math.min(8, prefix - at * 8))))) } : {};
  // Nobody else has what this host had until now.
  const flags = moved && family === "ipv6" ? { flags: IFA_F.NODAD } : {};
  return { index, address: ipText(bytes), prefixLength: prefix, protocol: OP_DBUS_PROTOCOL, ...broadcast, ...flags };
}

/**
 * Without promote_secondaries the kernel takes the others of a network away with the first address. Meanwhile each is there as a network
 * of its own, so that the host goes on having it, and the link's routes stay.
 */
function withoutAddress(index: number, text: string, keep: readonly string[]): Request<void>[] {
  const alone = keep.map((other) => ({ ...addressOf(index, other), prefixLength: 32 }));
  const remove = (settings: AddressSettings) => deleteAddress({ index, address: settings.address, prefixLength: settings.prefixLength });
  return [
    ...alone.map(addAddress),
    remove(addressOf(index, text)),
    ...keep.map((other) => addAddress(addressOf(index, other))),
    ...alone.map(remove),
  ];
}

/** Of IPv6 the kernel replaces only a route that has a gateway by one that has one, and puts any other beside it. */
function settingRoute(operation: RouteOperation, network: Network, index: number | undefined): Request<void>[] {
  const old = network.routes.get(routeName(operation));
  const beside = old?.family === AF_INET6 && (old.gateway === undefined) !== (operation.via === undefined);
  // A route that somebody else made goes on being theirs.
  const protocol = old?.protocol ?? OP_DBUS_PROTOCOL;
  return [replaceRoute({ ...routeOf(operation, index), protocol }), ...(beside ? [deleteRoute(exactly(old))] : [])];
}

function exactly({ family, destination, destinationLength, gateway, outIndex, priority, table }: Route): RouteSettings {
  return {
    family, destinationLength,
    ...(destination === undefined ? {} : { destination }), ...(gateway === undefined ? {} : { gateway }),
    ...(outIndex === undefined ? {} : { outIndex }), ...(priority === undefined ? {} : { priority }), ...(table === undefined ? {} : { table }),
  };
}

function routeOf({ destination, metric, table, via }: RouteOperation, index: number | undefined): RouteSettings {
  const { bytes, prefix, family } = subnetOf(destination);
  return {
    family: family === "ipv6" ? AF_INET6 : AF_INET,
    ...(isDefaultDestination(destination) ? {} : { destination: ipText(bytes) }),
    destinationLength: prefix,
    table,
    ...(metric === 0 ? {} : { priority: metric }),
    ...(via === undefined ? {} : { gateway: via }),
    ...(index === undefined ? {} : { outIndex: index }),
  };
}

function subnetOf(text: string) {
  const subnet = parseSubnet(text);
  if (subnet === undefined) throw new TypeError(`no network: ${text}`);
  return subnet;
}
