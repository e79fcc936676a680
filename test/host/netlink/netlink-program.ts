import { OpError } from "../../../src/core/errors.ts";
import { vlanRanges } from "../../../src/protocols/netlink/bridge.ts";
import * as changes from "../../../src/protocols/netlink/changes.ts";
import { openNetlink } from "../../../src/protocols/netlink/client.ts";
import { AF_BRIDGE, AF_INET, AF_INET6, BOND_MODE, BOND_XMIT_POLICY, DEVCONF, IN6_ADDR_GEN_MODE, IPV4_DEVCONF, RTN } from "../../../src/protocols/netlink/constants.ts";
import { netlinkErrorCode } from "../../../src/protocols/netlink/errors.ts";
import { createLink, deleteBridgeVlans, deleteLink, setBridgeVlans, setLink } from "../../../src/protocols/netlink/link-changes.ts";
import type { NetlinkEvent, Request } from "../../../src/protocols/netlink/netlink.ts";
import { dumpAddresses, dumpLinks, dumpNeighbours, dumpRoutes, dumpRules, getLink, getRoute } from "../../../src/protocols/netlink/reads.ts";

/*
 * Runs in a host: netlink.test.ts starts it with the name of a scenario, and reads what it prints, one JSON value.
 */

const { addAddress, addNeighbour, addRoute, addRule, appendRoute } = changes;
const { deleteAddress, deleteNeighbour, deleteRoute, deleteRule, replaceAddress, replaceNeighbour, replaceRoute } = changes;

/** linux/if_ether.h. */
const ETH_P_8021AD = 0x88a8;

const netlink = openNetlink();
const send = <T>(request: Request<T>): Promise<T> => netlink.send(request);
const together = (requests: readonly Request<void>[]): Promise<unknown> => Promise.all(requests.map(send));
const indexOf = async (name: string): Promise<number> => (await send(getLink({ name }))).index;

/** What the kernel says to a request that it refuses. */
async function refusalOf(request: Request<unknown>): Promise<unknown> {
  try {
    return { done: await send(request) };
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    return { kind: error.kind, message: error.message, code: netlinkErrorCode(error), ...(error.hint === undefined ? {} : { hint: error.hint }) };
  }
}

async function ip(...argv: string[]): Promise<void> {
  const child = Bun.spawn(["ip", ...argv], { stdout: "ignore", stderr: "inherit" });
  if ((await child.exited) !== 0) throw new Error(`ip ${argv.join(" ")} failed`);
}

const scenarios: Readonly<Record<string, () => Promise<unknown>>> = {
  /** All that can be set of links on this kernel. */
  async links() {
    await together([
      createLink({ name: "left", address: "02:00:00:00:00:01", mtu: 1400, linkInfo: { kind: "veth", veth: { peer: { name: "right", address: "02:00:00:00:00:02", mtu: 1400 } } } }),
      createLink({ name: "br0", address: "02:00:00:00:00:03", linkInfo: { kind: "bridge", bridge: { stpState: 1, forwardDelay: 2900, ageingTime: 1200, priority: 4096 } } }),
      createLink({ name: "vx0", linkInfo: { kind: "vxlan", vxlan: { id: 7, local: "10.0.0.1", remote: "10.0.0.2", port: 4790, ttl: 9 } } }),
      createLink({ name: "vx6", linkInfo: { kind: "vxlan", vxlan: { id: 8, local6: "fd00::1", remote6: "fd00::2", port: 4789 } } }),
      createLink({ name: "gone", linkInfo: { kind: "bridge" } }),
    ]);
    const [left, br0] = [await indexOf("left"), await indexOf("br0")];
    // Addresses that the kernel makes, and probes for, would come while the test reads.
    const none = { addressFamilies: { inet6: { addressGenerationMode: IN6_ADDR_GEN_MODE.NONE } } };
    await together(["left", "right", "br0"].map((name) => setLink({ name }, none)));
    await together([
      createLink({ name: "mv0", link: await indexOf("right"), linkInfo: { kind: "macvlan", macvlan: { mode: 4 } } }),
      setLink({ index: left }, { master: br0, up: true }),
      setLink({ name: "right" }, { up: true, alias: "the other end" }),
      setLink({ index: br0 }, { up: true, mtu: 1300 }),
      setLink({ name: "vx0" }, { address: "02:00:00:00:00:07" }),
      setLink({ name: "left" }, { linkInfo: { slaveKind: "bridge", bridgePort: { cost: 55, isolated: 1 } } }),
      deleteLink({ name: "gone" }),
    ]);
    await send(setLink({ index: await indexOf("vx6") }, { name: "vx-renamed" }));
    return null;
  },

  /** Addresses, routes, rules and neighbours on what `links` made. */
  async addresses() {
    const [br0, right] = [await indexOf("br0"), await indexOf("right")];
    await together([
      addAddress({ index: br0, address: "10.1.0.1", prefixLength: 24, broadcast: "10.1.0.255", protocol: 77 }),
      addAddress({ index: br0, address: "10.1.0.2", prefixLength: 32, peer: "10.1.9.1", priority: 50 }),
      addAddress({ index: br0, address: "10.1.0.3", prefixLength: 24, label: "br0:three" }),
      addAddress({ index: br0, address: "fd00::1", prefixLength: 64, validSeconds: 6000, preferredSeconds: 3000 }),
      addAddress({ index: right, address: "10.2.0.1", prefixLength: 24 }),
      addAddress({ index: right, address: "10.3.0.1", prefixLength: 24 }),
      replaceAddress({ index: right, address: "10.3.0.1", prefixLength: 24, validSeconds: 900, preferredSeconds: 800 }),
      deleteAddress({ index: right, address: "10.2.0.1", prefixLength: 24 }),
      addAddress({ index: right, address: "fd09::1", prefixLength: 64 }),
      deleteAddress({ index: right, address: "fd09::1", prefixLength: 64 }),
    ]);
    const ways = (gateways: readonly string[]) => gateways.map((gateway, hops) => ({ flags: 0, hops, index: br0, gateway }));
    await together([
      addRoute({ family: AF_INET, gateway: "10.1.0.254", priority: 100 }),
      replaceRoute({ family: AF_INET, gateway: "10.1.0.253", priority: 100, protocol: 77 }),
      addRoute({ family: AF_INET, destination: "10.20.0.0", destinationLength: 16, multipath: ways(["10.1.0.3", "10.1.0.4"]) }),
      addRoute({ family: AF_INET, destination: "10.30.0.0", destinationLength: 16, gateway: "10.1.0.5", preferredSource: "10.1.0.3", table: 1000, metrics: { mtu: 1300 } }),
      addRoute({ family: AF_INET, destination: "10.40.0.0", destinationLength: 16, via: { family: AF_INET6, address: "fd00::5" }, outIndex: br0 }),
      addRoute({ family: AF_INET, destination: "10.50.0.0", destinationLength: 16, type: RTN.UNREACHABLE }),
      addRoute({ family: AF_INET, destination: "10.60.0.0", destinationLength: 16, outIndex: br0 }),
      deleteRoute({ family: AF_INET, destination: "10.60.0.0", destinationLength: 16, outIndex: br0 }),
      addRoute({ family: AF_INET6, destination: "fd01::", destinationLength: 32, gateway: "fd00::2", priority: 50 }),
      addRoute({ family: AF_INET6, destination: "fd02::", destinationLength: 32, gateway: "fd00::2", priority: 51 }),
      appendRoute({ family: AF_INET6, destination: "fd02::", destinationLength: 32, gateway: "fd00::3", priority: 51 }),
    ]);
    await together([
      addRule({ family: AF_INET, source: "10.1.0.0", sourceLength: 24, table: 1000, priority: 77, mark: 5, mask: 0xff, protocol: 4 }),
      addRule({ family: AF_INET6, inInterface: "br0", table: 200, priority: 78, ipProtocol: 6, destinationPorts: { first: 80, last: 90 } }),
      addRule({ family: AF_INET, priority: 79, table: 5 }),
      deleteRule({ family: AF_INET, priority: 79, table: 5 }),
      addNeighbour({ family: AF_INET, index: br0, destination: "10.1.0.9", address: "02:00:00:00:00:99" }),
      replaceNeighbour({ family: AF_INET, index: br0, destination: "10.1.0.9", address: "02:00:00:00:00:09" }),
      addNeighbour({ family: AF_INET, index: br0, destination: "10.1.0.8", address: "02:00:00:00:00:08" }),
      deleteNeighbour({ family: AF_INET, index: br0, destination: "10.1.0.8" }),
      addNeighbour({ family: AF_INET6, index: br0, destination: "fd00::9", address: "02:00:00:00:00:0a" }),
    ]);
    return null;
  },

  /** All that can be read, as it is read. */
  async read() {
    const [links, addresses, routes, rules, neighbours] = await Promise.all([send(dumpLinks()), send(dumpAddresses()), send(dumpRoutes()), send(dumpRules()), send(dumpNeighbours())]);
    return { links, addresses, routes, rules, neighbours };
  },

  /** Kinds of links, and VLANs of bridges, for which a kernel needs modules that not each has. */
  async modules() {
    await together([
      createLink({ name: "dummy1", address: "02:00:00:00:00:01", mtu: 1400, linkInfo: { kind: "dummy" } }),
      createLink({ name: "dummy2", linkInfo: { kind: "dummy" } }),
      createLink({ name: "dummy3", up: true, linkInfo: { kind: "dummy" } }),
      createLink({ name: "bond1", linkInfo: { kind: "bond", bond: { mode: BOND_MODE["8023AD"], miimon: 100, xmitHashPolicy: BOND_XMIT_POLICY.LAYER34, lacpRate: 1 } } }),
      createLink({ name: "br1", up: true, linkInfo: { kind: "bridge", bridge: { vlanFiltering: 1, vlanDefaultPvid: 0 } } }),
    ]);
    const [dummy1, dummy2, bond1, br1] = [await indexOf("dummy1"), await indexOf("dummy2"), await indexOf("bond1"), await indexOf("br1")];
    await together([
      createLink({ name: "vlan6", link: br1, linkInfo: { kind: "vlan", vlan: { id: 6, protocol: ETH_P_8021AD } } }),
      setLink({ index: dummy1 }, { master: br1, up: true }),
      createLink({ name: "vlan5", link: dummy1, up: true, linkInfo: { kind: "vlan", vlan: { id: 5 } } }),
      setLink({ index: dummy2 }, { master: bond1 }),
      setBridgeVlans(dummy1, [{ first: 10, last: 10, pvid: true, untagged: true }, { first: 100, last: 199 }, { first: 300, last: 300 }]),
      deleteBridgeVlans(dummy1, [{ first: 150, last: 159 }]),
      setBridgeVlans(br1, [{ first: 10, last: 10, pvid: true, untagged: true }], { self: true }),
    ]);
    const bridges = await send(dumpLinks({ bridgeVlans: true }));
    return {
      vlans: Object.fromEntries(bridges.map(({ name = "", bridge }) => [name, vlanRanges(bridge?.vlans ?? [])])),
      links: await send(dumpLinks()),
      refusals: {
        vlanId: await refusalOf(createLink({ name: "x", link: dummy1, linkInfo: { kind: "vlan", vlan: { id: 4096 } } })),
        noVlanId: await refusalOf(createLink({ name: "x", link: dummy1, linkInfo: { kind: "vlan", vlan: {} } })),
        bondMode: await refusalOf(createLink({ name: "x", linkInfo: { kind: "bond", bond: { mode: 99 } } })),
        bondOfUp: await refusalOf(setLink({ name: "dummy3" }, { master: bond1 })),
        bridgeVlan: await refusalOf(setBridgeVlans(dummy1, [{ first: 4095, last: 4095 }])),
      },
    };
  },

  /** What a link says of its sysctls, by their names. */
  async configuration() {
    const { inet, inet6 } = (await send(getLink({ name: "lo" }))).addressFamilies ?? {};
    const ofInet = Object.entries(IPV4_DEVCONF).map(([name, number]) => [`ipv4 ${name.toLowerCase()}`, inet?.configuration?.[number - 1]]);
    const ofInet6 = Object.entries(DEVCONF).map(([name, number]) => [`ipv6 ${name.toLowerCase()}`, inet6?.configuration?.[number]]);
    return Object.fromEntries([...ofInet, ...ofInet6]);
  },

  /** What filters leave. */
  async filters() {
    const br0 = await indexOf("br0");
    return {
      veths: (await send(dumpLinks({ kind: "veth" }))).map(({ name }) => name),
      ports: (await send(dumpLinks({ master: br0 }))).map(({ name }) => name),
      asBridgesSee: (await send(dumpLinks({ family: AF_BRIDGE }))).map(({ name }) => name),
      ofBridge: [...new Set((await send(dumpAddresses({ index: br0 }))).map(({ index }) => index === br0))],
      ofTable: (await send(dumpRoutes({ family: AF_INET, table: 1000 }))).map(({ destination, table }) => [destination, table]),
      ofProtocol: (await send(dumpRoutes({ protocol: 77 }))).map(({ gateway }) => gateway),
      taken: (await send(getRoute({ destination: "10.20.1.1" }))).outIndex === br0,
      neighbours: (await send(dumpNeighbours({ family: AF_INET6, index: br0 }))).filter(({ state }) => state === 0x80).map(({ destination }) => destination),
    };
  },

  async refusals() {
    const br0 = await indexOf("br0");
    const bridge = { kind: "bridge" };
    const wrong: Record<string, Request<unknown>> = {
      exists: createLink({ name: "br0", linkInfo: bridge }),
      longName: createLink({ name: "a-name-much-too-long", linkInfo: bridge }),
      kind: createLink({ name: "x", linkInfo: { kind: "no-such-kind" } }),
      vlanId: createLink({ name: "x", linkInfo: { kind: "vxlan", vxlan: { id: 0x100_0000 } } }),
      bridgeOption: createLink({ name: "x", linkInfo: { kind: "bridge", bridge: { "#1": [Buffer.of(1)] } } }),
      noLink: setLink({ name: "none" }, { mtu: 1500 }),
      mtu: setLink({ name: "left" }, { mtu: 700_000 }),
      loop: setLink({ index: br0 }, { master: br0 }),
      vlans: setBridgeVlans(br0, [{ first: 5, last: 5 }], { self: true }),
      address: addAddress({ index: br0, address: "10.1.0.1", prefixLength: 24 }),
      noAddress: deleteAddress({ index: br0, address: "10.9.9.9", prefixLength: 24 }),
      prefix: addAddress({ index: br0, address: "10.1.0.77", prefixLength: 33 }),
      gateway: addRoute({ family: AF_INET, destination: "10.70.0.0", destinationLength: 16, gateway: "192.0.2.1" }),
      noRoute: deleteRoute({ family: AF_INET, destination: "10.70.0.0", destinationLength: 16 }),
      noTable: dumpRoutes({ family: AF_INET, table: 4242 }),
      rule: addRule({ family: AF_INET, source: "10.1.0.0", sourceLength: 24, table: 1000, priority: 77, mark: 5, mask: 0xff, protocol: 4 }),
    };
    const said: Record<string, unknown> = {};
    for (const [name, request] of Object.entries(wrong)) said[name] = await refusalOf(request);
    return said;
  },

  /** What is told of changes that another program makes. */
  async events() {
    const seen: string[] = [];
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const words = (event: NetlinkEvent): string => {
      switch (event.kind) {
        case "link":
          return `${event.change} link ${event.link.name}`;
        case "address":
          return `${event.change} address ${event.address.local ?? event.address.address}/${event.address.prefixLength}`;
        case "route":
          return `${event.change} route ${event.route.destination} table ${event.route.table}`;
        default:
          return event.kind;
      }
    };
    using _subscription = await netlink.subscribe(["link", "ipv4-address", "ipv6-address", "ipv4-route", "ipv6-route"], (event) => {
      seen.push(words(event));
      if (seen.at(-1) === "deleted link watched") resolve();
    });
    await ip("link", "add", "watched", "type", "bridge");
    await ip("link", "set", "watched", "up");
    await ip("address", "add", "10.77.0.1/24", "dev", "watched");
    await ip("address", "add", "fd77::1/64", "dev", "watched", "nodad");
    await ip("route", "add", "10.78.0.0/16", "via", "10.77.0.9");
    await ip("address", "delete", "10.77.0.1/24", "dev", "watched");
    await ip("link", "delete", "watched");
    await gone;
    return [...new Set(seen)];
  },

  /** More events than the socket holds, while nobody receives them. */
  async flood() {
    const kinds: string[] = [];
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    using _subscription = await netlink.subscribe(["link"], (event) => {
      kinds.push(event.kind);
      if (event.kind === "link" && event.change === "deleted" && event.link.name === "last") resolve();
    });
    const lines = Array.from({ length: 500 }, (_, number) => `link add flood${number} type bridge\n`);
    Bun.spawnSync(["ip", "-batch", "-"], { stdin: Buffer.from(lines.join("")) });
    const links = (await send(dumpLinks())).length;
    await ip("link", "add", "last", "type", "bridge");
    await ip("link", "delete", "last");
    await gone;
    return { lost: kinds.filter((kind) => kind === "lost").length, links };
  },

  /** Many at once, and all of them read while they change. */
  async many() {
    const LINKS = 50;
    const names = Array.from({ length: LINKS }, (_, number) => `many${number}`);
    await together(names.map((name) => createLink({ name, up: true, linkInfo: { kind: "bridge" } })));
    const indexes = new Map((await send(dumpLinks())).map(({ name, index }) => [name, index]));
    const addresses = names.flatMap((name, link) =>
      [100, 101, 102, 103].map((number) => addAddress({ index: indexes.get(name) ?? 0, address: `10.${number}.${link}.1`, prefixLength: 24 })),
    );
    const [, read] = await Promise.all([together(addresses), send(dumpAddresses({ family: AF_INET }))]);
    const way = { family: AF_INET, destinationLength: 24, outIndex: indexes.get("many0") ?? 0, table: 5000 };
    await together(Array.from({ length: 1000 }, (_, number) => addRoute({ ...way, destination: `172.${16 + (number >> 8)}.${number & 255}.0` })));
    const found = await send(dumpRoutes({ family: AF_INET, table: 5000 }));
    return { addresses: read.filter(({ label }) => label?.startsWith("many")).length, routes: found.length, counts: netlink.counts };
  },
};

const scenario = scenarios[process.argv[2] ?? ""];
if (scenario === undefined) throw new Error(`There is no scenario ${process.argv[2]}`);
console.log(JSON.stringify(await scenario(), (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
netlink.close();
