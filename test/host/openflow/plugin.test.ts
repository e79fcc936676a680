import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { flowsOf, makeBridge, ofctl } from "./bridges.ts";

const NETWORK = { pristine: { variant: "network" }, timeoutMs: 120_000 } as const;
const SSH = { priority: 100, match: { tcp: true, tp_dst: 22 }, actions: ["NORMAL"] };
const ARP = { priority: 50, match: { arp: true }, actions: ["NORMAL"] };

/** A host with the bridge `mesh`, which has ports veth1 to veth4 and lets everything through. */
function meshTest(name: string, run: (host: Host) => Promise<void>): void {
  hostTest(name, async (host) => {
    await host.must(["systemctl", "start", "openvswitch-switch"]);
    await makeBridge(host, "mesh");
    await addFlow(host, "priority=0,actions=NORMAL");
    await run(host);
  }, NETWORK);
}

async function addFlow(host: Host, flow: string): Promise<void> {
  await host.must([...ofctl("add-flow"), "mesh", flow]);
}

/** op-dbus with a document of this section, whose exit is to be as expected. */
async function opDbus(host: Host, command: string, section: unknown, { exit = 0, flags = [] as readonly string[] } = {}) {
  await host.write("/root/state.json", JSON.stringify({ version: 1, plugins: { openflow: section } }));
  const result = await host.run(["op-dbus", command, "/root/state.json", ...(command === "apply" ? ["--yes"] : []), ...flags]);
  if (result.exit !== exit) throw new Error(`op-dbus ${command} ended with ${result.exit}:\n${result.stdout}\n${result.stderr}`);
  return result;
}

async function failMode(host: Host): Promise<string> {
  return (await host.must(["ovs-vsctl", "get", "bridge", "mesh", "fail_mode"])).stdout.trim();
}

const sorted = async (host: Host) => (await flowsOf(host, "mesh")).toSorted();

meshTest("default drop: only the flows listed, and the bridge stays closed when ovs-vswitchd restarts", async (host) => {
  const section = { bridge: "mesh", default_action: "drop", flows: [{ priority: 100, match: { in_port: 1, dl_dst: "02:00:00:00:00:01" }, actions: ["output:2"] }, SSH] };
  const { stdout } = await opDbus(host, "plan", section, { exit: 3 });
  expect(stdout).toContain("risk: high");
  expect(stdout).toContain("ssh over this bridge too");
  await opDbus(host, "apply", section);
  const flows = ["priority=100,in_port=1,dl_dst=02:00:00:00:00:01 actions=output:2", "priority=100,tcp,tp_dst=22 actions=NORMAL"];
  expect(await sorted(host)).toEqual(flows);
  expect(await failMode(host)).toBe("secure");
  await opDbus(host, "plan", section);
  // Open vSwitch keeps no flows: without fail_mode there would be one now that lets everything through.
  await host.must(["systemctl", "stop", "openvswitch-switch", "ovs-vswitchd"]);
  await host.must(["systemctl", "start", "openvswitch-switch", "ovs-vswitchd"]);
  expect(await sorted(host)).toEqual([]);
  await opDbus(host, "verify", section, { exit: 3 });
  await opDbus(host, "apply", section);
  expect(await sorted(host)).toEqual(flows);
  await host.must(["op-dbus", "rollback", "--yes"]);
  expect(await sorted(host)).toEqual([]);
  await host.must(["op-dbus", "rollback", "--yes", "--force"]);
  expect(await sorted(host)).toEqual(["priority=0 actions=NORMAL"]);
  expect(await failMode(host)).toBe("[]");
});

meshTest("flows are members: ours go when they are no longer listed, others' stay, unless declared absent or the list is exclusive", async (host) => {
  await addFlow(host, "table=1,priority=7,udp,actions=drop");
  const foreign = ["priority=0 actions=NORMAL", "table=1, priority=7,udp actions=drop"];
  await opDbus(host, "apply", { bridge: "mesh", flows: [SSH, ARP] });
  expect(await sorted(host)).toEqual([...foreign, "priority=100,tcp,tp_dst=22 actions=NORMAL", "priority=50,arp actions=NORMAL"].toSorted());
  await opDbus(host, "apply", { bridge: "mesh", flows: [ARP] });
  expect(await sorted(host)).toEqual([...foreign, "priority=50,arp actions=NORMAL"].toSorted());
  await opDbus(host, "apply", { bridge: "mesh", flows: [ARP, { table: 1, priority: 7, match: { udp: true }, state: "absent" }] });
  expect(await sorted(host)).toEqual(["priority=0 actions=NORMAL", "priority=50,arp actions=NORMAL"]);
  await opDbus(host, "apply", { bridge: "mesh", exclusive: true, flows: [SSH] });
  expect(await sorted(host)).toEqual(["priority=100,tcp,tp_dst=22 actions=NORMAL"]);
  expect(await failMode(host)).toBe("[]");
  for (let applies = 4; applies > 0; applies -= 1) await host.must(["op-dbus", "rollback", "--yes"]);
  expect(await sorted(host)).toEqual(foreign);
});

meshTest("what query prints is a document without a difference, with ports by name", async (host) => {
  for (const flow of ["in_port=veth1,actions=output:veth2", "table=2,priority=3,dl_vlan=5,tcp,tcp_flags=+syn-ack,cookie=0x9,actions=mod_vlan_vid:6,output:3", "table=2,actions=learn(table=3,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"]) await addFlow(host, flow);
  const { stdout } = await host.must(["op-dbus", "query", "--plugin", "openflow"]);
  const { plugins } = JSON.parse(stdout) as { plugins: { openflow: { bridges: { name: string; default_action: string; flows: { match: unknown; actions: string[] }[] }[] } } };
  const [mesh] = plugins.openflow.bridges;
  expect(mesh).toMatchObject({ name: "mesh", default_action: "normal" });
  expect(mesh?.flows.map(({ match, actions }) => ({ match, actions }))).toEqual([
    { match: { in_port: "veth1" }, actions: ["output:veth2"] },
    { match: {}, actions: [expect.stringMatching(/^raw:ffff/)] },
    { match: { tcp: true, dl_vlan: 5, tcp_flags: "+syn-ack" }, actions: ["set_field:4102->vlan_vid", "output:veth3"] },
  ]);
  await opDbus(host, "plan", plugins.openflow);
  await opDbus(host, "plan", { bridges: plugins.openflow.bridges.map((bridge) => ({ ...bridge, exclusive: true })) });
});

meshTest("others' temporary flows are left alone; an exclusive list takes them away, and one rollback puts them back", async (host) => {
  await addFlow(host, "table=3,priority=9,idle_timeout=600,actions=output:4");
  await opDbus(host, "apply", { bridge: "mesh", flows: [ARP] });
  expect(await sorted(host)).toContain("table=3, idle_timeout=600, priority=9 actions=output:4");
  await opDbus(host, "apply", { bridge: "mesh", exclusive: true, flows: [ARP] });
  expect(await sorted(host)).toEqual(["priority=50,arp actions=NORMAL"]);
  await host.must(["op-dbus", "rollback", "--yes"]);
  expect(await sorted(host)).toContain("table=3, idle_timeout=600, priority=9 actions=output:4");
});

meshTest("a port that has got another number makes a saved plan stale; a flow that Open vSwitch refuses leaves everything as it was", async (host) => {
  await opDbus(host, "plan", { bridge: "mesh", flows: [{ match: { in_port: "veth1" }, actions: ["NORMAL"] }] }, { exit: 3, flags: ["--out", "/root/plan"] });
  await host.must(["ovs-vsctl", "del-port", "mesh", "veth1", "--", "add-port", "mesh", "veth1", "--", "set", "interface", "veth1", "ofport_request=9"]);
  const stale = await host.run(["op-dbus", "apply", "/root/plan", "--yes"]);
  expect(stale.exit).toBe(6);
  expect(stale.stderr).toContain("ports.veth1");
  const refused = await opDbus(host, "apply", { bridge: "mesh", flows: [SSH, { match: { ip: true }, actions: ["group:77"] }] }, { exit: 4 });
  expect(refused.stderr).toContain("there is no such group");
  expect(await sorted(host)).toEqual(["priority=0 actions=NORMAL"]);
});

meshTest("others' flows are put back by a rollback, but for those of a port that is gone", async (host) => {
  await addFlow(host, "priority=7,in_port=veth4,actions=drop");
  await opDbus(host, "apply", { bridge: "mesh", exclusive: true, flows: [ARP] });
  await host.must(["ovs-vsctl", "del-port", "mesh", "veth4"]);
  const { stdout } = await host.must(["op-dbus", "rollback", "--yes"]);
  expect(stdout.replaceAll(/\s+/g, " ")).toContain("is not put back: There is no port 'veth4'");
  expect(await sorted(host)).toEqual(["priority=0 actions=NORMAL"]);
});

meshTest("2,000 flows are applied as one change, and then there is nothing to do", async (host) => {
  const flows = Array.from({ length: 2_000 }, (_, n) => ({ table: n % 3, priority: n + 1, match: { in_port: "veth1", tcp: true, nw_src: `10.${n >> 8}.${n & 255}.0/24` }, actions: ["mod_dl_dst:02:00:00:00:00:01", "output:veth2"] }));
  await opDbus(host, "apply", { bridge: "mesh", flows });
  expect((await flowsOf(host, "mesh")).length).toBe(2_001);
  await opDbus(host, "plan", { bridge: "mesh", flows });
});

hostTest("without Open vSwitch query has no bridges, and a document that names one says what is missing", async (host) => {
  const { stdout } = await host.must(["op-dbus", "query", "--plugin", "openflow"]);
  expect(JSON.parse(stdout)).toMatchObject({ plugins: { openflow: { bridges: [] } } });
  const missing = await opDbus(host, "plan", { bridge: "mesh", flows: [ARP] }, { exit: 8 });
  expect(missing.stderr).toContain("openvswitch-switch");
}, NETWORK);

meshTest("a bridge that is not there, and one that speaks other versions, are told", async (host) => {
  const absent = await opDbus(host, "plan", { bridge: "mush", flows: [ARP] }, { exit: 2 });
  expect(absent.stderr).toContain("There is no bridge 'mush'");
  await host.must(["ovs-vsctl", "set", "bridge", "mesh", "protocols=OpenFlow10"]);
  const other = await opDbus(host, "plan", { bridge: "mesh", flows: [ARP] }, { exit: 8 });
  expect(other.stderr).toContain("ovs-vsctl add bridge mesh protocols OpenFlow13 OpenFlow14");
  const { stdout } = await host.must(["op-dbus", "query", "--plugin", "openflow"]);
  expect(JSON.parse(stdout)).toMatchObject({ plugins: { openflow: { bridges: [{ name: "mesh", observed: { unavailable: expect.stringContaining("speaks only OpenFlow10") } }] } } });
});
