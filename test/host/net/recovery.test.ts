import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { opDbusJson, STATE } from "../session.ts";
import { declareNet, everythingSaid, network } from "./session.ts";

const NETWORK_HOST = { pristine: { variant: "network" }, timeoutMs: 600_000 } as const;

/** Has something of each step: links made and set, addresses, ports, routes, and what goes. */
const DESIRED = {
  interfaces: [
    { name: "vmbr0", type: "bridge", mac: "02:00:00:00:01:00", ports: ["up0"], ipv4: { address: [{ ip: "192.168.1.10", prefix: 24 }, { ip: "192.168.1.11", prefix: 24 }] }, ipv6: { address: [{ ip: "2001:db8:1::10", prefix: 64 }] } },
    { name: "e1", mtu: 1400, mac: "02:00:00:00:01:01", ipv4: { address: [{ ip: "10.5.0.1", prefix: 24 }] } },
    { name: "e2", up: false },
  ],
  routes: [{ destination: "10.50.0.0/16", via: "10.5.0.2" }, { destination: "10.0.0.0/8", state: "absent" }],
};

/** What is at an instant is before the next of these system calls. */
const CALLS = ["sendto", "fdatasync"];

/** Without what the kernel numbers anew. */
async function said(host: Host): Promise<string> {
  return (await everythingSaid(host)).replaceAll(/"(ifindex|link_index|bridge_id|root_id|id|no|designated_port)":.*\n/g, "");
}

for (const call of CALLS) {
  hostTest(`net: killed before each ${call} of an apply, the host ends as it was or as declared`, async (host) => {
    await network(host);
    await declareNet(host, DESIRED);
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
      // Recovery comes first; then the document is refused as rejected where it was taken back, and applied where nothing had begun.
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
