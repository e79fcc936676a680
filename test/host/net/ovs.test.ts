import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { expectLine, opDbus, opDbusJson, STATE } from "../session.ts";
import { addressesSaid, applyNet, configuration, declareNet, everythingSaid, ip, linkSaid, NETDEV, network, routesSaid, TWO_BRIDGES, vsctl } from "./session.ts";

const NETWORK_HOST = { pristine: { variant: "network" }, timeoutMs: 300_000 } as const;

/** A test on a host of its own with the usual network and Open vSwitch running, nothing in its database. */
function vswitchTest(name: string, run: (host: Host) => Promise<void>): void {
  hostTest(name, async (host) => {
    await network(host);
    await host.must(["systemctl", "start", "openvswitch-switch"]);
    await run(host);
  }, NETWORK_HOST);
}

/** How often somebody has asked ovs-vswitchd for something, as the database's own log has it. */
async function commits(host: Host): Promise<number> {
  const { stdout } = await host.must(["ovsdb-tool", "-mm", "show-log", "/etc/openvswitch/conf.db"]);
  return stdout.split(/^record /m).filter((record) => record.includes("next_cfg=")).length;
}

vswitchTest("two bridges, a device, an internal port and a pair of patch ports are one transaction, and taken back leave nothing", async (host) => {
  const [before, known, then] = [await everythingSaid(host), await configuration(host), await commits(host)];
  await applyNet(host, TWO_BRIDGES);
  expect(await commits(host)).toBe(then + 1);
  expect(await vsctl(host, "list-br")).toBe("ovs0\novs1");
  expect(await vsctl(host, "list-ports", "ovs0")).toBe("e1\nint0\nto1");
  expect(await vsctl(host, "list-ports", "ovs1")).toBe("to0");
  expect(await vsctl(host, "get", "Bridge", "ovs0", "datapath_type", "fail_mode", "other_config", "external_ids")).toBe('netdev\nsecure\n{hwaddr="02:00:00:00:00:50", mac-aging-time="60"}\n{owner=net}');
  expect(await vsctl(host, "get-controller", "ovs0")).toBe("tcp:127.0.0.1:6653");
  expect(await vsctl(host, "get", "Port", "e1", "tag", "trunks", "vlan_mode")).toBe("5\n[10, 20, 30]\nnative-untagged");
  expect(await vsctl(host, "get", "Interface", "to1", "type", "options")).toBe("patch\n{peer=to0}");
  expect(await linkSaid(host, "int0")).toMatchObject({ mtu: 1400, flags: expect.arrayContaining(["UP"]) });
  expect(await linkSaid(host, "ovs0")).toMatchObject({ address: "02:00:00:00:00:50", flags: expect.arrayContaining(["UP"]) });
  expect([await addressesSaid(host, "ovs0"), await addressesSaid(host, "int0")]).toEqual([["10.9.0.1/24"], ["10.7.0.1/24"]]);
  expect(await routesSaid(host)).toContain("10.70.0.0/16 via 10.7.0.2 dev int0");

  const entered = await commits(host);
  await opDbus(host, 0, "plan", STATE);
  await opDbus(host, 0, "apply", STATE, "--yes");
  expect(await commits(host)).toBe(entered);
  const queried = await opDbusJson<unknown>(host, 0, "query");
  await host.write("/root/queried.json", JSON.stringify(queried));
  await opDbus(host, 0, "plan", "/root/queried.json");

  await opDbus(host, 0, "rollback", "--yes");
  expect(await configuration(host)).toEqual(known);
  expect(await everythingSaid(host)).toBe(before);
});

vswitchTest("keys of maps are set and unset one by one, ports of others stay, and tags change in place", async (host) => {
  await vsctl(host, "add-br", "ovs0", "--", "set", "Bridge", "ovs0", "datapath_type=netdev", "external_ids:theirs=1", "other_config:forward-bpdu=true", "--", "add-port", "ovs0", "e1", "tag=5", "--", "add-port", "ovs0", "tap100i0", "--", "set", "Interface", "tap100i0", "type=internal");
  const known = await configuration(host);
  await applyNet(host, { interfaces: [{ name: "ovs0", ports: ["e2"], ovs: { external_ids: { ours: "2" }, other_config: { "forward-bpdu": null } } }, { name: "e1", ovs: { tag: 6 } }] });
  expect(await vsctl(host, "list-ports", "ovs0")).toBe("e1\ne2\ntap100i0");
  expect(await vsctl(host, "get", "Bridge", "ovs0", "external_ids", "other_config")).toBe('{ours="2", theirs="1"}\n{}');
  expect(await vsctl(host, "get", "Port", "e1", "tag")).toBe("6");
  await applyNet(host, { interfaces: [{ name: "ovs0", ports: [], ports_exclusive: true }] });
  expect(await vsctl(host, "list-ports", "ovs0")).toBe("tap100i0");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await vsctl(host, "get", "Port", "e1", "tag")).toBe("6");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await configuration(host)).toEqual(known);
  await applyNet(host, { interfaces: [{ name: "ovs0", state: "absent" }] }, 2);
  expect(await configuration(host)).toEqual(known);
});

vswitchTest("an uplink moves into a bridge with its addresses and routes, and out again", async (host) => {
  const [before, routes] = [await everythingSaid(host), await routesSaid(host)];
  await applyNet(host, {
    interfaces: [{ name: "ovs0", type: "ovs-bridge", ports: ["up0"], ...NETDEV, ipv4: { address: [{ ip: "192.168.1.10", prefix: 24 }, { ip: "192.168.1.11", prefix: 24 }] }, ipv6: { address: [{ ip: "2001:db8:1::10", prefix: 64 }] } }],
  });
  expect(await addressesSaid(host, "up0")).toEqual([]);
  expect(await addressesSaid(host, "ovs0")).toEqual(["192.168.1.10/24", "192.168.1.11/24 secondary", "2001:db8:1::10/64"]);
  expect(await linkSaid(host, "ovs0")).toMatchObject({ address: "02:00:00:00:00:10" });
  expect(await routesSaid(host)).toEqual(routes.map((route) => route.replace("dev up0", "dev ovs0")));
  await host.must(["ip", "netns", "exec", "outer", "ping", "-c", "1", "-W", "5", "192.168.1.10"]);
  await opDbus(host, 0, "rollback", "--yes");
  expect(await vsctl(host, "list-br")).toBe("");
  expect(await everythingSaid(host)).toBe(before);
  await host.must(["ip", "netns", "exec", "outer", "ping", "-c", "1", "-W", "5", "192.168.1.10"]);
});

vswitchTest("a port goes from a bridge of the kernel to one of Open vSwitch and on to another, and back", async (host) => {
  await host.must(["sh", "-ec", "ip link add br0 type bridge; ip link set br0 up; ip link set e1 master br0"]);
  const before = await everythingSaid(host);
  await applyNet(host, { interfaces: [{ name: "ovs0", type: "ovs-bridge", ports: ["e1"], ...NETDEV }, { name: "e1", ovs: { tag: 9 } }, { name: "ovs1", type: "ovs-bridge", ...NETDEV }] });
  expect(await vsctl(host, "port-to-br", "e1")).toBe("ovs0");
  expect((await linkSaid(host, "e1"))?.master).toBeUndefined();
  await applyNet(host, { interfaces: [{ name: "ovs1", ports: ["e1"] }] });
  expect([await vsctl(host, "port-to-br", "e1"), await vsctl(host, "get", "Port", "e1", "tag")]).toEqual(["ovs1", "9"]);
  await opDbus(host, 0, "rollback", "--yes");
  expect([await vsctl(host, "port-to-br", "e1"), await vsctl(host, "get", "Port", "e1", "tag")]).toEqual(["ovs0", "9"]);
  await opDbus(host, 0, "rollback", "--yes");
  expect(await everythingSaid(host)).toBe(before);
  expect((await linkSaid(host, "e1"))?.master).toBe("br0");
});

vswitchTest("a veth that is made is a port at once, and leaves no port behind when it goes", async (host) => {
  await applyNet(host, { interfaces: [{ name: "ovs0", type: "ovs-bridge", ports: ["v9"], ...NETDEV }, { name: "v9", type: "veth", veth: { peer: "v9p" }, ovs: { tag: 3 } }] });
  expect(await vsctl(host, "get", "Port", "v9", "tag")).toBe("3");
  await applyNet(host, { interfaces: [{ name: "v9p", state: "absent" }] });
  expect(await vsctl(host, "list-ports", "ovs0")).toBe("");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await vsctl(host, "get", "Port", "v9", "tag")).toBe("3");
  expect((await ip(host, "link")).map(({ ifname }) => ifname)).toContain("v9p");
});

hostTest("without Open vSwitch nothing is asked of it, and what is declared of it says how to start it", async (host) => {
  await network(host);
  await applyNet(host, { interfaces: [{ name: "e1", mtu: 1400 }] });
  await declareNet(host, { interfaces: [{ name: "ovs0", type: "ovs-bridge" }] });
  expectLine(await opDbus(host, 8, "plan", STATE), "'ovs0' is Open vSwitch's, which does not run on this host", "systemctl start openvswitch-switch");
}, NETWORK_HOST);

vswitchTest("when ovs-vswitchd does not come to it, the change fails and the database is as it was", async (host) => {
  const [known, before] = [await configuration(host), await everythingSaid(host)];
  const pid = (await host.must(["cat", "/run/openvswitch/ovs-vswitchd.pid"])).stdout.trim();
  await host.must(["kill", "-STOP", pid]);
  try {
    const result = await applyNet(host, { interfaces: [{ name: "ovs0", type: "ovs-bridge", ports: ["e1"], ...NETDEV }, { name: "e1", ovs: { tag: 4 } }] }, 4);
    expectLine(result, "ovs-vswitchd did not do the change within");
    expect(await configuration(host)).toEqual(known);
  } finally {
    await host.must(["kill", "-CONT", pid]);
  }
  await vsctl(host, "set", "Open_vSwitch", ".", "external_ids:awake=1");
  expect(await everythingSaid(host)).toBe(before);
});

vswitchTest("what Open vSwitch cannot make fails with its reason, and is taken back", async (host) => {
  const known = await configuration(host);
  // This kernel has no datapath of Open vSwitch's.
  const result = await applyNet(host, { interfaces: [{ name: "ovs0", type: "ovs-bridge", ovs: { datapath_type: "system" } }] }, 4);
  expectLine(result, "Open vSwitch could not make 'ovs0'");
  expect(await configuration(host)).toEqual(known);
});
