import type { Host, Result } from "../harness/host.ts";
import { opDbus, STATE } from "../session.ts";

export type Section = Readonly<Record<string, unknown>>;

/** An uplink with a neighbour in another network namespace, two more links, addresses of both families, a gateway and a route. */
const NETWORK = `
  ip netns add outer
  ip link add up0 address 02:00:00:00:00:10 type veth peer name far0 netns outer
  ip link add e1 address 02:00:00:00:00:11 type veth peer name p1
  ip link add e2 address 02:00:00:00:00:12 type veth peer name p2
  for link in up0 e1 e2 p1 p2; do ip link set $link up; done
  ip address add 192.168.1.10/24 dev up0; ip address add 192.168.1.11/24 dev up0
  ip address add 2001:db8:1::10/64 dev up0 nodad
  ip -n outer address add 192.168.1.1/24 dev far0; ip -n outer address add 2001:db8:1::1/64 dev far0 nodad; ip -n outer link set far0 up
  ip route add default via 192.168.1.1; ip -6 route add default via 2001:db8:1::1
  ip route add 10.0.0.0/8 via 192.168.1.2 proto static`;

export async function network(host: Host): Promise<void> {
  await host.must(["sh", "-ec", NETWORK]);
}

/** Declares a net section and applies it, and expects an exit code. */
export async function applyNet(host: Host, section: Section, exit = 0, ...options: string[]): Promise<Result> {
  await declareNet(host, section);
  return await opDbus(host, exit, "apply", STATE, "--yes", ...options);
}

export async function declareNet(host: Host, section: Section): Promise<void> {
  await host.write(STATE, JSON.stringify({ version: 1, plugins: { net: section } }));
}

export type Said = Readonly<Record<string, unknown>>;

/** What `ip` says, as it says it. */
export async function ip(host: Host, ...argv: readonly string[]): Promise<Said[]> {
  return JSON.parse((await host.must(["ip", "-json", "-details", ...argv])).stdout || "[]") as Said[];
}

/** What `ip` says of one link. */
export async function linkSaid(host: Host, name: string): Promise<Said | undefined> {
  return (await ip(host, "link")).find(({ ifname }) => ifname === name);
}

/** The addresses of a link but its link-local one: "192.168.1.10/24", and whether it is secondary. */
export async function addressesSaid(host: Host, name: string): Promise<string[]> {
  const [link] = await ip(host, "address", "show", "dev", name);
  const infos = (link?.addr_info ?? []) as readonly { local: string; prefixlen: number; scope: string; secondary?: boolean }[];
  return infos.filter(({ scope }) => scope !== "link").map(({ local, prefixlen, secondary }) => `${local}/${prefixlen}${secondary === true ? " secondary" : ""}`);
}

/** The routes of the main table but those of the links' own networks: "default via 192.168.1.1 dev up0". */
export async function routesSaid(host: Host): Promise<string[]> {
  const routes = [...(await ip(host, "route")), ...(await ip(host, "-6", "route"))];
  return routes
    .filter(({ protocol }) => protocol !== "kernel")
    .map(({ dst, gateway, dev, metric }) => `${String(dst)}${gateway === undefined ? "" : ` via ${String(gateway)}`} dev ${String(dev)}${metric === undefined || metric === 1024 ? "" : ` metric ${String(metric)}`}`)
    .sort();
}

/** All that `ip` says of links, addresses and routes, but for what changes by itself: a link's own link-local address comes in the kernel's time. */
export async function everythingSaid(host: Host): Promise<string> {
  const [links, addresses, routes, routes6] = await Promise.all([ip(host, "link"), ip(host, "address"), ip(host, "route", "show", "table", "all"), ip(host, "-6", "route", "show", "table", "all")]);
  const isLinkLocal = (value: unknown) => typeof value === "object" && value !== null && "scope" in value && value.scope === "link" && "local" in value;
  const ofLinks = (value: unknown) => (Array.isArray(value) ? (value as unknown[]).filter((each) => !isLinkLocal(each)) : value);
  const lasting = (key: string, value: unknown): unknown => (key === "addr_info" ? ofLinks(value) : /timer|operstate|^flags$|^protocol$|^broadcast$|tentative|nodad|promiscuity|allmulti/.test(key) ? undefined : value);
  const own = (each: Said) => each.protocol !== "kernel";
  return JSON.stringify([links, addresses, routes.filter(own), routes6.filter(own)], lasting, 1);
}

export async function vsctl(host: Host, ...args: readonly string[]): Promise<string> {
  return (await host.must(["ovs-vsctl", "--timeout=20", ...args])).stdout.trim();
}

/** What somebody asked Open vSwitch for: no status and no identities. */
export async function configuration(host: Host): Promise<unknown[]> {
  const tables = { Bridge: "name,datapath_type,fail_mode,other_config,external_ids", Port: "name,tag,trunks,vlan_mode,other_config,external_ids", Interface: "name,type,options,mac,mtu_request", Controller: "target" };
  const found: unknown[] = [];
  for (const [table, columns] of Object.entries(tables)) {
    const { data } = JSON.parse(await vsctl(host, "--format=json", `--columns=${columns}`, "list", table)) as { data: unknown[][] };
    found.push(data.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
  }
  const bridges = (await vsctl(host, "list-br")).split("\n").filter((name) => name !== "");
  for (const bridge of bridges) found.push([bridge, await vsctl(host, "list-ports", bridge)]);
  return found;
}

/** The only datapath of Open vSwitch's that this kernel can. */
export const NETDEV = { ovs: { datapath_type: "netdev" } } as const;

/** Has something of each type and key. */
export const TWO_BRIDGES: Section = {
  interfaces: [
    { name: "ovs0", type: "ovs-bridge", ports: ["e1", "int0", "to1"], mac: "02:00:00:00:00:50", ovs: { datapath_type: "netdev", fail_mode: "secure", other_config: { "mac-aging-time": "60" }, external_ids: { owner: "net" } }, controller: "tcp:127.0.0.1:6653", ipv4: { address: [{ ip: "10.9.0.1", prefix: 24 }] } },
    { name: "e1", type: "ovs-port", ovs: { trunks: [30, 10, 20], tag: 5, vlan_mode: "native-untagged" } },
    { name: "int0", type: "ovs-internal", mtu: 1400, ovs: { tag: 7 }, ipv4: { address: [{ ip: "10.7.0.1", prefix: 24 }] } },
    { name: "to1", type: "ovs-patch", ovs: { peer: "to0" } },
    { name: "ovs1", type: "ovs-bridge", ports: ["to0"], ...NETDEV },
    { name: "to0", type: "ovs-patch", ovs: { peer: "to1" } },
  ],
  routes: [{ destination: "10.70.0.0/16", via: "10.7.0.2" }],
};
