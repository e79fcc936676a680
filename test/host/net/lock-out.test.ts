import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { expectLine, opDbus, opDbusJson, STATE } from "../session.ts";

const INSIDE = "192.0.2.1";
const FAR = "198.51.100.1";
const WITHIN = "6s";

/** Each cuts the host off from a neighbour who comes by a route over `inner`. */
const SCENARIOS = {
  "a wrong gateway": [{ name: "inner", ipv4: { gateway: "192.0.2.9" } }],
  "the uplink down": [{ name: "inner", up: false }],
  "its address absent": [{ name: "inner", ipv4: { address: [{ ip: INSIDE, prefix: 24, state: "absent" }] } }],
  "the uplink in a bridge that is down": [{ name: "br0", type: "bridge", ports: ["inner"], up: false }],
  "an MTU too small for the path": [{ name: "inner", mtu: 68 }],
};

async function withFarNeighbour(host: Host): Promise<void> {
  await host.must(["sh", "-ec", `
    ip netns add outside
    ip link add inner type veth peer name outer netns outside
    ip addr add ${INSIDE}/24 brd + dev inner
    ip link set inner up
    ip -n outside addr add 192.0.2.2/24 dev outer
    ip -n outside addr add ${FAR}/32 dev lo
    ip -n outside link set outer up
    ip -n outside link set lo up
    ip route add default via 192.0.2.2
    ssh-keygen -q -t ed25519 -N '' -f /root/key
    install -D -m 600 /root/key.pub /root/.ssh/authorized_keys
    systemctl start ssh.service`]);
}

function ssh(command: string, timeoutS = 30): string[] {
  const options = ["-i", "/root/key", "-b", FAR, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", `ConnectTimeout=${timeoutS}`];
  return ["timeout", "--foreground", String(timeoutS), "ip", "netns", "exec", "outside", "ssh", ...options, `root@${INSIDE}`, command];
}

/** What carries the session; a route that the kernel took away comes back as op-dbus's. */
async function picture(host: Host): Promise<string> {
  return (await host.must(["sh", "-c", "ip -4 address show dev inner; ip -4 route; ip -br link"])).stdout.replaceAll(" proto 79", "");
}

hostTest("confirm-within: whoever cuts himself off gets back in, with a real ssh session through the changed path", async (host) => {
  await withFarNeighbour(host);
  expect((await host.run(ssh("true"))).exit).toBe(0);
  const before = await picture(host);
  for (const [what, interfaces] of Object.entries(SCENARIOS)) {
    await host.write(STATE, JSON.stringify({ version: 1, plugins: { net: { interfaces } } }));
    const session = host.spawn(ssh(`op-dbus apply ${STATE} --yes --force --confirm-within ${WITHIN}`, 60));
    await host.waitUntil(async () => (await opDbusJson<{ waiting: unknown }>(host, 0, "status")).waiting, { what: `${what} to wait` });
    const cut = await host.run(ssh("op-dbus confirm", 2));
    expect([what, cut.exit === 0]).toEqual([what, false]);
    await host.waitUntil(async () => (await host.run(["test", "-e", "/var/lib/op-dbus/@state/journal.jsonl"])).exit !== 0, { what: `${what} to be taken back`, timeoutMs: 30_000 });
    expect([what, (await host.run(ssh("true"))).exit]).toEqual([what, 0]);
    expect([what, await picture(host)]).toEqual([what, before]);
    await session.kill("SIGKILL");
    await session.ended();
    await host.waitUntil(async () => (await host.run(["pidof", "op-dbus"])).exit !== 0, { what: "op-dbus to be gone" });
    expectLine(await opDbus(host, 6, "apply", STATE, "--yes"), "This document was rejected", "it was not confirmed within 6 s");
    expectLine(await opDbus(host, 0, "audit", "list", "--kind", "revert", "--limit", "0"), "it was not confirmed within 6 s");
  }
}, { pristine: { variant: "network" }, timeoutMs: 240_000 });
