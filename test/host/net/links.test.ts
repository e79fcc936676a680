import { expect } from "bun:test";
import { hostTest } from "../harness/shared.ts";
import { expectLine, opDbus, opDbusJson, STATE } from "../session.ts";
import { addressesSaid, applyNet, everythingSaid, ip, linkSaid, network, routesSaid } from "./session.ts";

const NETWORK_HOST = { pristine: { variant: "network" } } as const;

hostTest("net: a bridge with ports, a veth pair and a VXLAN are made as declared, and a rollback leaves what was there", async (host) => {
  await network(host);
  const before = await everythingSaid(host);
  await applyNet(host, {
    interfaces: [
      { name: "br0", type: "bridge", mtu: 1400, mac: "02:00:00:00:01:00", bridge: { stp: true, forward_delay: 4 }, ports: ["e1", "left"], ipv4: { address: [{ ip: "10.5.0.1", prefix: 24 }] } },
      { name: "left", type: "veth", veth: { peer: "right" }, mac: "02:00:00:00:01:01" },
      { name: "right", type: "veth", veth: { peer: "left" }, mtu: 1400, ipv6: { address: [{ ip: "2001:DB8:5::1", prefix: 64 }] } },
      { name: "vx5", type: "vxlan", vxlan: { id: 5, local: "192.168.1.10", remote: "192.168.1.20", base: "up0" }, up: false },
      { name: "vx6", type: "vxlan", vxlan: { id: 6, local: "2001:db8:1::10", port: 8472 } },
    ],
    routes: [{ destination: "10.50.0.0/16", via: "10.5.0.2", metric: 7 }, { destination: "2001:db8:50::/48", dev: "right" }],
  });
  expect(await linkSaid(host, "br0")).toMatchObject({ mtu: 1400, address: "02:00:00:00:01:00", linkinfo: { info_kind: "bridge", info_data: { stp_state: 1, forward_delay: 400 } } });
  expect((await linkSaid(host, "br0"))?.flags).toContain("UP");
  expect((await ip(host, "link", "show", "master", "br0")).map(({ ifname }) => ifname).sort()).toEqual(["e1", "left"]);
  expect(await linkSaid(host, "left")).toMatchObject({ link: "right", address: "02:00:00:00:01:01" });
  expect(await linkSaid(host, "right")).toMatchObject({ link: "left", mtu: 1400 });
  expect(await linkSaid(host, "vx5")).toMatchObject({ linkinfo: { info_data: { id: 5, local: "192.168.1.10", remote: "192.168.1.20", link: "up0", port: 4789 } } });
  expect((await linkSaid(host, "vx5"))?.flags).not.toContain("UP");
  expect(await linkSaid(host, "vx6")).toMatchObject({ linkinfo: { info_data: { id: 6, local6: "2001:db8:1::10", port: 8472 } } });
  expect([await addressesSaid(host, "br0"), await addressesSaid(host, "right")]).toEqual([["10.5.0.1/24"], ["2001:db8:5::1/64"]]);
  expect(await routesSaid(host)).toContain("10.50.0.0/16 via 10.5.0.2 dev br0 metric 7");
  expect(await ip(host, "route", "show", "proto", "79")).toHaveLength(1);
  await opDbus(host, 0, "plan", STATE);
  await opDbus(host, 0, "rollback", "--yes");
  expect(await everythingSaid(host)).toBe(before);
}, NETWORK_HOST);

hostTest("net: what is not named stays, links, keys and members", async (host) => {
  await network(host);
  await host.must(["sh", "-ec", "ip link add br0 type bridge; ip link set e1 master br0; ip link set e1 mtu 1450; ip address add 10.9.0.1/24 dev e2; ip link add tap100i0 type veth peer name guest; ip link set tap100i0 master br0"]);
  const before = await everythingSaid(host);
  await applyNet(host, { interfaces: [{ name: "e2", mtu: 1400 }] });
  expect(await linkSaid(host, "e2")).toMatchObject({ mtu: 1400 });
  await host.must(["ip", "link", "set", "e2", "mtu", "1500"]);
  expect(await everythingSaid(host)).toBe(before);

  await applyNet(host, { interfaces: [{ name: "br0", ports: ["e2"] }, { name: "up0", ipv4: { address: [{ ip: "192.168.7.1", prefix: 24 }] } }] });
  expect((await ip(host, "link", "show", "master", "br0")).map(({ ifname }) => ifname).sort()).toEqual(["e1", "e2", "tap100i0"]);
  expect(await addressesSaid(host, "up0")).toEqual(["192.168.1.10/24", "192.168.7.1/24", "192.168.1.11/24 secondary", "2001:db8:1::10/64"]);

  const again = await applyNet(host, { interfaces: [{ name: "br0", ports: [], ports_exclusive: true }, { name: "up0", ipv4: { address: [] } }] });
  expect((await ip(host, "link", "show", "master", "br0")).map(({ ifname }) => ifname)).toEqual(["tap100i0"]);
  expect(await addressesSaid(host, "up0")).toEqual(["192.168.1.10/24", "192.168.1.11/24 secondary", "2001:db8:1::10/64"]);
  expect(again.stdout).toContain("no longer declared\n    e2 mtu: 1400 (--prune returns it to 1500)\n\n");
}, NETWORK_HOST);

hostTest("net: query prints a document that is the host, and applying it changes nothing", async (host) => {
  await network(host);
  await host.must(["sh", "-ec", `
    ip link add br0 type bridge; ip link set br0 up; ip link set e1 master br0
    ip tuntap add dev tun0 mode tun
    ip route add blackhole 10.66.0.0/16; ip route add 10.67.0.0/16 nexthop via 192.168.1.3 nexthop via 192.168.1.4
    ip route add default via 192.168.1.5 metric 50; ip route add 10.68.0.0/16 via 192.168.1.6 table 7`]);
  const before = await everythingSaid(host);
  const queried = await opDbusJson<{ plugins: { net: { interfaces: { name: string }[] } } }>(host, 0, "query", "--plugin", "net");
  expect(queried.plugins.net.interfaces.map(({ name }) => name)).toEqual(expect.arrayContaining(["lo", "up0", "e1", "br0", "tun0"]));
  await host.write(STATE, JSON.stringify(queried));
  await opDbus(host, 0, "plan", STATE);
  await opDbus(host, 0, "apply", STATE, "--yes");
  expect(await everythingSaid(host)).toBe(before);
}, NETWORK_HOST);

hostTest("net: the first of several addresses is replaced; the others and the routes stay", async (host) => {
  await network(host);
  await applyNet(host, { interfaces: [{ name: "up0", ipv4: { address: [{ ip: "192.168.1.12", prefix: 24 }, { ip: "192.168.1.10", prefix: 24, state: "absent" }] } }] });
  expect((await addressesSaid(host, "up0")).slice(0, 2)).toEqual(["192.168.1.11/24", "192.168.1.12/24 secondary"]);
  expect(await routesSaid(host)).toEqual(expect.arrayContaining(["default via 192.168.1.1 dev up0", "10.0.0.0/8 via 192.168.1.2 dev up0"]));
  await opDbus(host, 0, "rollback", "--yes");
  expect((await addressesSaid(host, "up0")).map((text) => text.split(" ")[0]).sort()).toEqual(["192.168.1.10/24", "192.168.1.11/24", "2001:db8:1::10/64"]);
}, NETWORK_HOST);

hostTest("net: a document that is wrong, or that this host cannot be brought to, touches nothing and says where", async (host) => {
  await network(host);
  const before = await everythingSaid(host);
  const wrong = await applyNet(host, { interfaces: [{ name: "up0", mtu: 1400, ipv4: { address: [{ ip: "192.168.1.300", prefix: 24 }] } }] }, 2);
  expectLine(wrong, `'net.interfaces.0.ipv4.address.0.ip': "192.168.1.300" is no IP address`);
  const impossible = await applyNet(host, { interfaces: [{ name: "up0", mtu: 1400 }, { name: "br7", type: "bridge", ports: ["eth77"] }, { name: "e1", ipv4: { gateway: "172.16.0.1" } }, { name: "e2", ipv4: { dhcp: true } }] }, 2);
  expectLine(impossible, "There is no interface 'eth77' on this host", "172.16.0.1 cannot be reached: 'e1' has no address of a network with it", "op-dbus does not hand interfaces to a DHCP client yet");
  expect(await everythingSaid(host)).toBe(before);
}, NETWORK_HOST);

hostTest("net: what the kernel refuses in the middle takes everything back, and says what it was", async (host) => {
  await network(host);
  const before = await everythingSaid(host);
  const failed = await applyNet(host, {
    interfaces: [
      { name: "e1", mtu: 1400, ipv4: { address: [{ ip: "10.5.0.1", prefix: 24 }] } },
      { name: "vx5", type: "vxlan", vxlan: { id: 5 } },
      { name: "vx6", type: "vxlan", vxlan: { id: 5 } },
    ],
  }, 4);
  expectLine(failed, "Could not create link vx6", "EEXIST", "Everything was taken back");
  expect(await everythingSaid(host)).toBe(before);
  const late = await applyNet(host, { interfaces: [{ name: "br0", type: "bridge" }, { name: "e1", mtu: 70_000 }, { name: "e2", mac: "02:00:00:00:09:09" }] }, 4);
  expectLine(late, "Could not set link e1: mtu greater than device maximum (EINVAL)", "Everything was taken back");
  expect(await everythingSaid(host)).toBe(before);
}, NETWORK_HOST);
