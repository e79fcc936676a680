import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { flowsOf, makeBridge, ofctl } from "./bridges.ts";

const DOCUMENT = { version: 1, plugins: { openflow: { bridge: "mesh", default_action: "drop", flows: [{ priority: 100, match: { tcp: true, tp_dst: 22 }, actions: ["NORMAL"] }] } } };
const BEFORE = ["[]", "priority=0 actions=NORMAL", "table=1, priority=7,udp actions=drop"];
const DESIRED = ["secure", "priority=100,tcp,tp_dst=22 actions=NORMAL"];

async function atBefore(host: Host): Promise<void> {
  await host.must(["sh", "-c", "rm -rf /var/lib/op-dbus; ovs-vsctl clear bridge mesh fail_mode"]);
  await host.must([...ofctl("del-flows"), "mesh"]);
  await host.must([...ofctl("add-flows"), "mesh", "-"], { input: "priority=0,actions=NORMAL\ntable=1,priority=7,udp,actions=drop\n" });
}

async function stateOf(host: Host): Promise<string[]> {
  const { stdout } = await host.must(["ovs-vsctl", "get", "bridge", "mesh", "fail_mode"]);
  return [stdout.trim(), ...(await flowsOf(host, "mesh")).toSorted()];
}

/** Messages to Open vSwitch leave by sendto; fdatasync comes before and after each step. */
for (const call of ["sendto", "fdatasync"]) {
  hostTest(`recovery: killed before each ${call} of an apply that empties the tables, the flows are as they were or as declared`, async (host) => {
    await host.must(["systemctl", "start", "openvswitch-switch"]);
    await makeBridge(host, "mesh");
    await host.write("/root/state.json", JSON.stringify(DOCUMENT));
    const ends = { before: 0, desired: 0, emptied: 0 };
    for (let nth = 1; ; nth += 1) {
      await atBefore(host);
      const inject = [`--trace=${call}`, `--inject=${call}:signal=KILL:when=${nth}`];
      const killed = await host.run(["strace", "-f", "-qqq", "-o", "/dev/null", ...inject, "op-dbus", "apply", "/root/state.json", "--yes"]);
      if (killed.exit === 0) break;
      const between = await stateOf(host);
      if (between.length === 1) ends.emptied += 1;
      const next = await host.run(["op-dbus", "apply", "/root/state.json", "--yes"]);
      const state = await stateOf(host);
      // Refused once recovery has taken it back, and else done, now or before.
      expect({ nth, between, exit: next.exit, state }).toEqual({ nth, between, exit: next.exit === 6 ? 6 : 0, state: next.exit === 6 ? BEFORE : DESIRED });
      ends[next.exit === 6 ? "before" : "desired"] += 1;
    }
    console.log(`  killed before each ${call}: ${ends.before} times back in the before-state, ${ends.desired} times in the desired state; ${ends.emptied} times with the tables empty in between`);
    expect(ends.before + ends.desired).toBeGreaterThan(4);
    if (call === "sendto") expect(ends.emptied).toBeGreaterThan(0);
  }, { pristine: { variant: "network" }, timeoutMs: 600_000 });
}
