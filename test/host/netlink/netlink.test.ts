import { join } from "node:path";
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Address } from "../../../src/protocols/netlink/address.ts";
import { AF_INET, AF_INET6, NUD } from "../../../src/protocols/netlink/constants.ts";
import type { Link } from "../../../src/protocols/netlink/link.ts";
import type { Neighbour } from "../../../src/protocols/netlink/neighbour.ts";
import type { Route } from "../../../src/protocols/netlink/route.ts";
import type { Rule } from "../../../src/protocols/netlink/rule.ts";
import { compiled } from "../harness/compiled.ts";
import { Host } from "../harness/host.ts";
import { addressSaid, linkSaid, linkTold, neighbourSaid, routeSaid, ruleSaid, settled } from "./ip-json.ts";

setDefaultTimeout(300_000);

const PROGRAM = "/usr/local/bin/netlink-program";

interface Read {
  readonly links: readonly Link[];
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  readonly neighbours: readonly Neighbour[];
}

let program: Promise<string> | undefined;

/** A host of its own for each test: what it has of a network is what the test made. */
async function networkHost(): Promise<Host> {
  program ??= compiled(join(import.meta.dir, "netlink-program.ts"));
  const source = await program;
  const host = await Host.boot({ name: "network", variant: "network" });
  await host.put(source, PROGRAM, 0o755);
  return host;
}

/** What a scenario of netlink-program.ts prints there. */
async function found<T = unknown>(host: Host, scenario: string): Promise<T> {
  return JSON.parse((await host.must([PROGRAM, scenario])).stdout) as T;
}

async function ip(host: Host, ...argv: readonly string[]): Promise<Record<string, unknown>[]> {
  return JSON.parse((await host.must(["ip", "-json", "-Numeric", ...argv])).stdout || "[]") as Record<string, unknown>[];
}

test("links, addresses, routes, rules and neighbours are made as they were asked for, and read as `ip` reads them", async () => {
  await using host = await networkHost();
  await found(host, "links");
  await found(host, "addresses");
  const { links, addresses, routes, rules, neighbours } = await found<Read>(host, "read");
  const names = new Map(links.map(({ index, name = "" }) => [index, name]));

  const linksSaid = links.map((link) => linkSaid(link, names));
  const linksTold = await ip(host, "-details", "link");
  expect(linksTold.map((link, index) => linkTold(link, linksSaid[index] ?? {}))).toEqual(linksSaid);
  expect(linksSaid.map(({ ifname, kind, mtu, address, master, link }) => [ifname, kind, mtu, address, master, link]).slice(1)).toEqual([
    ["right", "veth", 1400, "02:00:00:00:00:02", undefined, "left"],
    ["left", "veth", 1400, "02:00:00:00:00:01", "br0", "right"],
    ["br0", "bridge", 1300, "02:00:00:00:00:03", undefined, undefined],
    ["vx0", "vxlan", 1500, "02:00:00:00:00:07", undefined, undefined],
    ["vx-renamed", "vxlan", 1500, expect.any(String), undefined, undefined],
    ["mv0", "macvlan", 1400, expect.any(String), undefined, "right"],
  ]);
  expect(linksTold.filter(({ flags }) => (flags as string[]).includes("UP")).map(({ ifname }) => ifname)).toEqual(["lo", "right", "left", "br0"]);

  const addressesTold = (await ip(host, "address")).flatMap(({ addr_info }) => (addr_info as Record<string, unknown>[]).map(settled));
  const byLink = [...addresses].sort((a, b) => a.index - b.index || a.family - b.family);
  expect(byLink.map(addressSaid)).toEqual(addressesTold);
  expect(addresses.find(({ local }) => local === "10.1.0.1")).toMatchObject({ protocol: 77, broadcast: "10.1.0.255" });
  expect(addresses.filter(({ index }) => names.get(index) === "right").map(({ local, prefixLength }) => [local, prefixLength])).toEqual([["10.3.0.1", 24]]);

  for (const [family, flag] of [[AF_INET, "-4"], [AF_INET6, "-6"]] as const) {
    const routesTold = (await ip(host, flag, "route", "show", "table", "all")).map(settled);
    expect(routes.filter((route) => route.family === family).map((route) => routeSaid(route, names))).toEqual(routesTold);
    expect(rules.filter((rule) => rule.family === family).map(ruleSaid)).toEqual(await ip(host, flag, "rule"));
    const permanent = neighbours.filter((each) => each.family === family && each.state === NUD.PERMANENT);
    expect(permanent.map((each) => neighbourSaid(each, names))).toEqual(await ip(host, flag, "neighbour", "show", "nud", "permanent"));
    expect(permanent.length).toBe(1);
  }
  const destinations = routes.filter(({ table }) => table !== 255).map(({ destination = "default", gateway, protocol }) => [destination, gateway, protocol]);
  expect(destinations).toContainEqual(["default", "10.1.0.253", 77]);
  expect(destinations).not.toContainEqual(["default", "10.1.0.254", 4]);
  expect(destinations.map(([destination]) => destination)).toEqual(expect.arrayContaining(["10.20.0.0", "10.30.0.0", "10.40.0.0", "10.50.0.0", "fd01::", "fd02::"]));
  expect(destinations.map(([destination]) => destination)).not.toContain("10.60.0.0");
  expect(rules.map(({ priority }) => priority)).not.toContain(79);

  expect(await found(host, "filters")).toEqual({
    veths: ["right", "left"],
    ports: ["left"],
    asBridgesSee: ["left"],
    ofBridge: [true],
    ofTable: [["10.30.0.0", 1000]],
    ofProtocol: ["10.1.0.253"],
    taken: true,
    neighbours: ["fd00::9"],
  });
});

test("a refusal has the kernel's words, errno's name, and the attribute where the kernel says which", async () => {
  await using host = await networkHost();
  await found(host, "links");
  await found(host, "addresses");
  const failed = (message: string, code: string) => ({ kind: "failed", message: `Could not ${message}`, code });
  expect(await found(host, "refusals")).toEqual({
    exists: failed("create link br0: File exists (EEXIST)", "EEXIST"),
    longName: failed("create link a-name-much-too-long: Attribute failed policy validation (ERANGE), at name (IFLA_IFNAME)", "ERANGE"),
    kind: {
      ...{ kind: "unavailable", message: "Could not create link x: Unknown device type (EOPNOTSUPP)", code: "EOPNOTSUPP" },
      hint: "The kernel has no links of kind 'no-such-kind': its module is not installed, or may not be loaded here",
    },
    vlanId: failed("create link x: VXLAN ID must be lower than 16777216 (ERANGE), at linkInfo.vxlan.id (IFLA_VXLAN_ID)", "ERANGE"),
    bridgeOption: failed("create link x: Attribute failed policy validation (ERANGE), at linkInfo.bridge.forwardDelay (IFLA_BR_FORWARD_DELAY)", "ERANGE"),
    noLink: failed("set link none: No such device (ENODEV)", "ENODEV"),
    mtu: failed("set link left: mtu greater than device maximum (EINVAL)", "EINVAL"),
    loop: failed("set link 4: Can not enslave a bridge to a bridge (ELOOP)", "ELOOP"),
    vlans: { kind: "unavailable", message: "Could not set the VLANs of link 4: Operation not supported (EOPNOTSUPP)", code: "EOPNOTSUPP" },
    address: failed("add address 10.1.0.1/24 to link 4: ipv4: Address already assigned (EEXIST)", "EEXIST"),
    noAddress: failed("delete address 10.9.9.9/24 from link 4: ipv4: Address not found (EADDRNOTAVAIL)", "EADDRNOTAVAIL"),
    prefix: failed("add address 10.1.0.77/33 to link 4: ipv4: Invalid prefix length (EINVAL)", "EINVAL"),
    gateway: failed("add route 10.70.0.0/16: Nexthop has invalid gateway (ENETUNREACH)", "ENETUNREACH"),
    noRoute: failed("delete route 10.70.0.0/16: No such process (ESRCH)", "ESRCH"),
    noTable: failed("read the routes: ipv4: FIB table does not exist (ENOENT)", "ENOENT"),
    rule: failed("add rule 77: File exists (EEXIST)", "EEXIST"),
  });
  const unprivileged = await host.run(["setpriv", "--reuid=65534", "--clear-groups", PROGRAM, "links"]);
  expect([unprivileged.exit, unprivileged.stderr]).toEqual([1, expect.stringContaining("Could not create link left: Operation not permitted (EPERM)")]);
});

test("events tell what another program changes", async () => {
  await using host = await networkHost();
  const seen = await found<string[]>(host, "events");
  expect(seen).toEqual(
    expect.arrayContaining([
      "new link watched",
      "new address 10.77.0.1/24",
      "new route 10.77.0.0 table 254",
      "new address fd77::1/64",
      "new route 10.78.0.0 table 254",
      "deleted address 10.77.0.1/24",
      "deleted address fd77::1/64",
      "deleted link watched",
    ]),
  );
  expect(seen.indexOf("new address 10.77.0.1/24")).toBeLessThan(seen.indexOf("deleted address 10.77.0.1/24"));
  expect(seen).not.toContain("lost");
});

test("events that were lost are told as lost, later ones come, and answers are not touched by it", async () => {
  await using host = await networkHost();
  expect(await found(host, "flood")).toEqual({ lost: 1, links: 501 });
});

test("a link tells its sysctls", async () => {
  await using host = await networkHost();
  const set = {
    ...{ "ipv4 forwarding": 0, "ipv4 rp_filter": 2, "ipv4 promote_secondaries": 1, "ipv4 accept_local": 1 },
    ...{ "ipv6 autoconf": 0, "ipv6 accept_ra": 2, "ipv6 disable_ipv6": 1, "ipv6 accept_dad": 2, "ipv6 keep_addr_on_down": 1 },
  };
  const file = (name: string) => `/proc/sys/net/${name.replace(" ", "/conf/lo/").replace("hoplimit", "hop_limit").replace("mtu6", "mtu")}`;
  for (const [name, value] of Object.entries(set)) await host.must(["sh", "-c", `echo ${value} > ${file(name)}`]);
  const said = await found<Record<string, number>>(host, "configuration");
  expect(Object.keys(said).length).toBe(13);
  const told = await Promise.all(Object.keys(said).map(async (name) => [name, Number(await host.read(file(name)))]));
  expect(said).toEqual(Object.fromEntries(told) as Record<string, number>);
  expect(said).toMatchObject(set);
});

test("250 links and addresses and 1000 routes made together are all there, and none of the acknowledgements is lost", async () => {
  await using host = await networkHost();
  expect(await found(host, "many")).toEqual({ addresses: 200, routes: 1000, counts: { reads: 3, writes: 1250 } });
  expect((await ip(host, "-4", "route", "show", "table", "5000")).length).toBe(1000);
  expect((await ip(host, "-4", "address")).flatMap(({ addr_info }) => addr_info).length).toBe(201);
});
