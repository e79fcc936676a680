import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { opDbusJson, STATE } from "../session.ts";
import { addressesSaid, configuration, declareNet, linkSaid, network, TWO_BRIDGES } from "./session.ts";

const NETWORK_HOST = { pristine: { variant: "network" }, timeoutMs: 600_000 } as const;

/** What is at an instant is before the next of these system calls: messages to the kernel and to the database, and what is on the disk. */
const CALLS = ["sendto", "fdatasync"];

async function said(host: Host): Promise<string> {
  const names = ["ovs0", "ovs1", "int0", "e1"];
  const links = await Promise.all(names.map(async (name) => {
    const { mtu, flags } = (await linkSaid(host, name)) ?? {};
    return mtu === undefined ? [name] : [name, (flags as string[]).includes("UP"), name === "int0" ? mtu : undefined, await addressesSaid(host, name)];
  }));
  return JSON.stringify([await configuration(host), links]);
}

for (const call of CALLS) {
  hostTest(`net: killed before each ${call} of a change of Open vSwitch, the host ends as it was or as declared`, async (host) => {
    await network(host);
    await host.must(["systemctl", "start", "openvswitch-switch"]);
    await declareNet(host, TWO_BRIDGES);
    const before = await said(host);
    expect((await host.run(["op-dbus", "apply", STATE, "--yes"])).exit).toBe(0);
    const desired = await said(host);
    const back = async () => {
      expect((await host.run(["op-dbus", "rollback", "--yes"])).exit).toBe(0);
      await host.must(["rm", "-rf", "/var/lib/op-dbus"]);
    };
    await back();
    expect(await said(host)).toBe(before);
    const ends = { before: 0, desired: 0 };
    for (let nth = 1; ; nth += 1) {
      const inject = [`--trace=${call}`, `--inject=${call}:signal=KILL:when=${nth}`];
      const killed = await host.run(["strace", "-f", "-qqq", "-o", "/dev/null", ...inject, "op-dbus", "apply", STATE, "--yes"]);
      if (killed.exit === 0) break;
      expect({ nth, exit: killed.exit }).toEqual({ nth, exit: 137 });
      const next = await host.run(["op-dbus", "apply", STATE, "--yes"]);
      expect({ nth, exit: next.exit, state: await said(host) }).toEqual({ nth, exit: next.exit, state: next.exit === 6 ? before : desired });
      expect({ nth, exit: next.exit }).toEqual({ nth, exit: next.exit === 6 ? 6 : 0 });
      expect(await opDbusJson<{ interrupted: unknown }>(host, 0, "status")).toMatchObject({ interrupted: null });
      ends[next.exit === 6 ? "before" : "desired"] += 1;
      if (next.exit === 0) await back();
      else await host.must(["rm", "-rf", "/var/lib/op-dbus"]);
      expect({ nth, state: await said(host) }).toEqual({ nth, state: before });
    }
    console.log(`  killed before each ${call}: ${ends.before} times back in the before-state, ${ends.desired} times in the desired state`);
    expect(ends.before).toBeGreaterThan(5);
    expect(ends.before + ends.desired).toBeGreaterThan(10);
  }, NETWORK_HOST);
}
