import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { killBeforeEach } from "./killing.ts";
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
  hostTest(`net: killed before ${call}s of an apply, the host ends as it was or as declared`, async (host) => {
    await network(host);
    await declareNet(host, DESIRED);
    await killBeforeEach(call, host, () => said(host));
  }, NETWORK_HOST);
}
