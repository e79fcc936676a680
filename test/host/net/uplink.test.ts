import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { expectLine, opDbus } from "../session.ts";
import { addressesSaid, applyNet, everythingSaid, ip, linkSaid, network, routesSaid } from "./session.ts";

const NETWORK_HOST = { pristine: { variant: "network" } } as const;

const BRIDGE = {
  name: "vmbr0", type: "bridge", ports: ["up0"],
  ipv4: { address: [{ ip: "192.168.1.10", prefix: 24 }, { ip: "192.168.1.11", prefix: 24 }] },
  ipv6: { address: [{ ip: "2001:db8:1::10", prefix: 64 }] },
};
const INTO_BRIDGE = { interfaces: [BRIDGE] };

/** Asks the host from outside, twenty times a second, while `work` runs; how many it asked and how many times it was answered. */
async function pinged(host: Host, work: () => Promise<void>): Promise<{ readonly asked: number; readonly answered: number }> {
  const ping = host.spawn(["ip", "netns", "exec", "outer", "ping", "-i", "0.05", "-W", "1", "192.168.1.10"]);
  await host.waitUntil(async () => ping.stdout.includes("icmp_seq=1 "), { what: "the first answer" });
  await work();
  await ping.kill("SIGINT");
  await ping.ended();
  const [, asked, answered] = /(\d+) packets transmitted, (\d+) received/.exec(ping.stdout) ?? [];
  return { asked: Number(asked), answered: Number(answered) };
}

hostTest("net: an uplink moves into a bridge with its addresses, routes and hardware address, and out again, and goes on answering", async (host) => {
  await network(host);
  const before = await everythingSaid(host);
  const { asked, answered } = await pinged(host, async () => {
    await applyNet(host, INTO_BRIDGE);
    expect((await linkSaid(host, "vmbr0"))?.address).toBe("02:00:00:00:00:10");
    expect((await linkSaid(host, "up0"))?.master).toBe("vmbr0");
    expect([await addressesSaid(host, "up0"), await addressesSaid(host, "vmbr0")]).toEqual([[], ["192.168.1.10/24", "192.168.1.11/24 secondary", "2001:db8:1::10/64"]]);
    expect(await routesSaid(host)).toEqual(["10.0.0.0/8 via 192.168.1.2 dev vmbr0", "default via 192.168.1.1 dev vmbr0", "default via 2001:db8:1::1 dev vmbr0"]);
    await host.must(["ping", "-c", "1", "-W", "5", "192.168.1.1"]);
    await host.must(["ping", "-c", "1", "-W", "5", "2001:db8:1::1"]);
    await opDbus(host, 0, "rollback", "--yes");
  });
  expect(await everythingSaid(host)).toBe(before);
  // What is under way at the moment of the change may be lost; a path that is down for a second would lose twenty.
  expect(asked - answered).toBeLessThan(10);
  expect(answered).toBeGreaterThan(5);
}, NETWORK_HOST);

hostTest("net: routes that are declared along with an uplink's move lead over the bridge, new ones and those that were there", async (host) => {
  await network(host);
  const before = await everythingSaid(host);
  const routes = [{ destination: "10.0.0.0/8", via: "192.168.1.2" }, { destination: "172.16.0.0/12", via: "192.168.1.3", metric: 100 }];
  await applyNet(host, { ...INTO_BRIDGE, routes });
  const said = await routesSaid(host);
  expect(said).toContain("10.0.0.0/8 via 192.168.1.2 dev vmbr0");
  expect(said).toContain("172.16.0.0/12 via 192.168.1.3 dev vmbr0 metric 100");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await everythingSaid(host)).toBe(before);
}, NETWORK_HOST);

hostTest("net: what would cut off the operator is refused without --force: sessions are known by their sockets", async (host) => {
  await network(host);
  const before = await everythingSaid(host);
  const listener = host.spawn(["ip", "netns", "exec", "outer", "systemd-socket-activate", "-l", "192.168.1.1:7777", "--accept", "--inetd", "cat"]);
  await host.waitUntil(async () => (await host.run(["bash", "-c", "exec 3<>/dev/tcp/192.168.1.1/7777"])).exit === 0, { what: "the listener" });
  /** Runs op-dbus below a process that holds a connection from 192.168.1.10, as sshd would. */
  const inSession = (command: string) => host.run(["bash", "-c", `exec 3<>/dev/tcp/192.168.1.1/7777; op-dbus ${command}; exit $?`]);
  for (const [section, said] of [
    [{ interfaces: [{ name: "up0", up: false }] }, "take down up0: your session came in by 192.168.1.10, over up0. It needs --force"],
    [{ interfaces: [{ name: "br0", type: "bridge", ports: ["up0"] }] }, "join br0: your session came in by 192.168.1.10, which the bridge is not given. It needs --force"],
    [{ interfaces: [{ name: "up0", ipv4: { enabled: false } }] }, "remove up0: your session came in by 192.168.1.10. It needs --force"],
  ] as const) {
    await host.write("/root/state.json", JSON.stringify({ version: 1, plugins: { net: section } }));
    const refused = await inSession("apply /root/state.json --yes");
    expect(refused.exit).toBe(6);
    expectLine(refused, said);
  }
  expect(await everythingSaid(host)).toBe(before);
  await host.write("/root/state.json", JSON.stringify({ version: 1, plugins: { net: INTO_BRIDGE } }));
  expect((await inSession("apply /root/state.json --yes")).exit).toBe(0);
  expect((await ip(host, "link", "show", "master", "vmbr0")).map(({ ifname }) => ifname)).toEqual(["up0"]);
  expect((await inSession("rollback --yes")).exit).toBe(0);
  expect(await everythingSaid(host)).toBe(before);
  await listener.kill("SIGTERM");
  await listener.ended();
}, NETWORK_HOST);
