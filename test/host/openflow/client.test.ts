import { expect } from "bun:test";
import { bridgeTest, flowsOf, flowsProgram, makeBridge, ofctl } from "./bridges.ts";

bridgeTest("changes are one bundle: all of them, or none and the flow that is wrong is named", async (host) => {
  await makeBridge(host, "mesh");
  await flowsProgram(host, ["add", "mesh"], ["priority=1,tcp,actions=output:1", "priority=2,udp,actions=output:2"]);
  const before = await flowsOf(host, "mesh");
  expect(before.toSorted()).toEqual(["priority=1,tcp actions=output:1", "priority=2,udp actions=output:2"]);
  // The bridge sees what is wrong with the first as it is put into the bundle, with the second when it commits.
  expect(await flowsProgram(host, ["add", "mesh"], ["priority=3,actions=drop", "table=9,priority=4,ip,actions=goto_table:3"])).toMatchObject({
    kind: "failed",
    message: "Bridge 'mesh': add table=9, priority=4,ip actions=goto_table:3: goto_table must go to a later table (OFPBIC_BAD_TABLE_ID)",
  });
  expect(await flowsProgram(host, ["add", "mesh"], ["priority=3,actions=drop", "priority=4,ip,actions=group:77", "priority=5,actions=drop"])).toMatchObject({
    kind: "failed",
    message: "Bridge 'mesh': add priority=4,ip actions=group:77: there is no such group (OFPBAC_BAD_OUT_GROUP)",
  });
  expect(await flowsOf(host, "mesh")).toEqual(before);
  await flowsProgram(host, ["remove", "mesh"], ["priority=1,tcp,actions=drop", "priority=9,tcp,actions=drop"]);
  expect(await flowsOf(host, "mesh")).toEqual(["priority=2,udp actions=output:2"]);
});

bridgeTest("2,000 flows go in one bundle, and come back in parts", async (host) => {
  await makeBridge(host, "mesh");
  const flows = Array.from({ length: 2_000 }, (_, n) => `table=${n % 4},priority=${n + 1},tcp,in_port=1,nw_src=10.${n >> 8}.${n & 255}.0/24,tp_dst=80,actions=mod_dl_dst:02:00:00:00:00:01,output:2`);
  expect(await flowsProgram(host, ["add", "mesh"], flows)).toMatchObject({ writes: 2_002 });
  const theirs = await flowsOf(host, "mesh");
  expect(theirs.length).toBe(2_000);
  expect(((await flowsProgram(host, ["dump", "mesh"])) as string[]).toSorted()).toEqual(theirs.toSorted());
});

bridgeTest("OpenFlow 1.4 is spoken where it is allowed, 1.3 where not, and any other version is refused with what to do", async (host) => {
  await makeBridge(host, "mesh");
  const allow = (versions: string) => host.must(["ovs-vsctl", "set", "bridge", "mesh", `protocols=${versions}`]);
  const flow = ["priority=7,tcp,tp_dst=80,importance=3,actions=output:1"];
  await allow("OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15");
  expect(await flowsProgram(host, ["add", "mesh"], flow)).toHaveProperty("writes");
  expect(await flowsProgram(host, ["dump", "mesh"])).toEqual(["importance=3, priority=7,tcp,tp_dst=80 actions=output:1"]);
  await allow("OpenFlow13");
  expect(await flowsProgram(host, ["dump", "mesh"])).toEqual(["priority=7,tcp,tp_dst=80 actions=output:1"]);
  expect(await flowsProgram(host, ["add", "mesh"], ["priority=8,udp,actions=output:veth2"])).toHaveProperty("writes");
  expect((await flowsProgram(host, ["dump", "mesh", "names"]) as string[]).toSorted()).toEqual(["priority=7,tcp,tp_dst=80 actions=output:veth1", "priority=8,udp actions=output:veth2"]);
  expect(await flowsProgram(host, ["add", "mesh"], ["priority=9,actions=drop", "priority=4,ip,actions=group:77"])).toMatchObject({ kind: "failed", message: expect.stringContaining("group:77: there is no such group") });
  expect(await flowsProgram(host, ["add", "mesh"], flow)).toMatchObject({ kind: "unavailable", message: "Bridge 'mesh' speaks OpenFlow13, which has no importance of flows" });
  expect(((await flowsProgram(host, ["dump", "mesh"])) as string[]).length).toBe(2);
  await allow("OpenFlow10,OpenFlow15");
  expect(await flowsProgram(host, ["dump", "mesh"])).toMatchObject({
    kind: "unavailable",
    message: "Bridge 'mesh' speaks only OpenFlow10, OpenFlow15; op-dbus speaks OpenFlow14 and OpenFlow13",
    hint: "Allow it with 'ovs-vsctl add bridge mesh protocols OpenFlow13 OpenFlow14'",
  });
  await host.must(["ovs-vsctl", "add", "bridge", "mesh", "protocols", "OpenFlow13", "OpenFlow14"]);
  expect(await flowsProgram(host, ["dump", "mesh"])).toHaveLength(2);
});

bridgeTest("bridges and ports are what ovs-vsctl says there is; without Open vSwitch there are none", async (host) => {
  await makeBridge(host, "mesh");
  await makeBridge(host, "other", "o-");
  expect(await flowsProgram(host, ["bridges"])).toEqual(["mesh", "other"]);
  const ports = (await flowsProgram(host, ["ports", "mesh"])) as { port: number; name: string }[];
  expect(ports.toSorted((a, b) => a.port - b.port)).toEqual([...[1, 2, 3, 4].map((port) => ({ port, name: `veth${port}` })), { port: 0xffff_fffe, name: "mesh" }]);
  const { stdout } = await host.must(["ovs-vsctl", "get", "bridge", "mesh", "datapath_id"]);
  expect(await flowsProgram(host, ["features", "mesh"])).toMatchObject({ datapathId: JSON.parse(stdout) });
  expect(await flowsProgram(host, ["dump", "nosuch"])).toMatchObject({ kind: "unavailable", message: "Bridge 'nosuch': /run/openvswitch/nosuch.mgmt is not there" });
  await host.must(["systemctl", "stop", "openvswitch-switch", "ovs-vswitchd"]);
  expect(await flowsProgram(host, ["dump", "mesh"])).toMatchObject({ kind: "unavailable" });
});

bridgeTest("a bridge that dies meanwhile is told, and nothing hangs", async (host) => {
  await makeBridge(host, "mesh");
  await host.must([...ofctl("add-flow"), "mesh", "actions=drop"]);
  await host.must(["systemctl", "kill", "--signal=STOP", "ovs-vswitchd"]);
  expect(await flowsProgram(host, ["dump", "mesh"])).toMatchObject({ kind: "unavailable", message: "Bridge 'mesh': /run/openvswitch/mesh.mgmt did not answer within 10 s" });
});
