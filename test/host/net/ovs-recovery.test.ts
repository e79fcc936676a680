import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { killBeforeEach } from "./killing.ts";
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
  hostTest(`net: killed before ${call}s of a change of Open vSwitch, the host ends as it was or as declared`, async (host) => {
    await network(host);
    await host.must(["systemctl", "start", "openvswitch-switch"]);
    await declareNet(host, TWO_BRIDGES);
    await killBeforeEach(call, host, () => said(host));
  }, NETWORK_HOST);
}
