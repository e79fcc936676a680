import { expect } from "bun:test";
import type { VirtualHost } from "../harness/virtual-host.ts";
import { virtualHostTest } from "../harness/shared.ts";
import { opDbus, opDbusJson, STATE } from "../session.ts";
import { addressesSaid, applyNet, declareNet, everythingSaid, ip, linkSaid, type Said } from "./session.ts";

/*
 * What the kernel that containers share may lack: 802.1Q, bonds, dummies, bridges that filter VLANs. All in one boot of Debian's kernel.
 */

const virtualTest = virtualHostTest(async () => ({ name: "rowan" }));

/** Two links of a bond to be, with an address of each family on the first. */
async function fresh(host: VirtualHost): Promise<string> {
  await host.run(["sh", "-c", "for link in $(ls /sys/class/net | grep -v -x lo); do ip link delete $link; done; rmmod bonding"]);
  await host.must(["sh", "-ec", `
    for n in 1 2; do ip link add e$n address 02:00:00:00:00:1$n type veth peer name p$n; ip link set p$n up; ip link set e$n up; done
    ip address add 10.1.0.1/24 dev e1; ip address add 2001:db8:1::1/64 dev e1 nodad; ip route add 10.9.0.0/16 via 10.1.0.2`]);
  return said(host);
}

/** Without what the kernel numbers or counts anew. */
async function said(host: VirtualHost): Promise<string> {
  return (await everythingSaid(host)).replaceAll(/"(ifindex|link_index|min_links|carrier\w*)":.*\n/g, "");
}

async function bridgeVlans(host: VirtualHost, port: string): Promise<readonly Said[]> {
  const { stdout } = await host.must(["bridge", "-json", "-compressvlans", "vlan", "show", "dev", port]);
  const [link] = JSON.parse(stdout) as { vlans: readonly Said[] }[];
  return (link?.vlans ?? []).map(({ flags, ...vlan }) => (Array.isArray(flags) && flags.length > 0 ? { ...vlan, flags } : vlan));
}

/** What was declared is there, is what query prints, and a rollback leaves what was there before. */
async function thereAndBack(host: VirtualHost, before: string): Promise<void> {
  await opDbus(host, 0, "plan", STATE);
  await host.write("/root/queried.json", JSON.stringify(await opDbusJson(host, 0, "query", "--plugin", "net")));
  await opDbus(host, 0, "plan", "/root/queried.json");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await said(host)).toBe(before);
}

virtualTest("net: VLANs and a dummy, with an MTU that goes from the base up", async (host) => {
  const before = await fresh(host);
  await applyNet(host, {
    interfaces: [
      { name: "e1.5", type: "vlan", vlan: { id: 5, base: "e1" }, mtu: 4000, ipv4: { address: [{ ip: "10.5.0.1", prefix: 24 }] } },
      { name: "e1", mtu: 9000 },
      { name: "lo7", type: "dummy", mac: "02:00:00:00:07:07", ipv4: { address: [{ ip: "10.7.0.1", prefix: 32 }] } },
    ],
  });
  expect(await linkSaid(host, "e1.5")).toMatchObject({ link: "e1", mtu: 4000, linkinfo: { info_kind: "vlan", info_data: { id: 5, protocol: "802.1Q" } } });
  expect((await linkSaid(host, "e1.5"))?.flags).toContain("UP");
  expect(await linkSaid(host, "lo7")).toMatchObject({ address: "02:00:00:00:07:07", linkinfo: { info_kind: "dummy" } });
  expect([await addressesSaid(host, "e1.5"), await addressesSaid(host, "lo7")]).toEqual([["10.5.0.1/24"], ["10.7.0.1/32"]]);
  await thereAndBack(host, before);
}, { timeoutMs: 240_000 });

virtualTest("net: a bond takes its ports, which keep what they had, and gives them back", async (host) => {
  const before = await fresh(host);
  await applyNet(host, { interfaces: [{ name: "bond0", type: "bond", bond: { mode: "802.3ad", miimon: 100, lacp_rate: "fast", xmit_hash_policy: "layer3+4" }, ports: ["e1", "e2"] }] });
  expect(await linkSaid(host, "bond0")).toMatchObject({ linkinfo: { info_data: { mode: "802.3ad", miimon: 100, ad_lacp_rate: "fast", xmit_hash_policy: "layer3+4" } } });
  expect((await ip(host, "link", "show", "master", "bond0")).map(({ ifname }) => ifname).sort()).toEqual(["e1", "e2"]);
  expect(await addressesSaid(host, "e1")).toContain("10.1.0.1/24");
  await thereAndBack(host, before);
  await applyNet(host, { interfaces: [{ name: "bond0", type: "bond", bond: { mode: "active-backup" }, ports: ["e1"], ipv4: { address: [{ ip: "10.1.0.1", prefix: 24 }] }, ipv6: { address: [{ ip: "2001:db8:1::1", prefix: 64 }] } }] });
  expect([await addressesSaid(host, "e1"), await addressesSaid(host, "bond0")]).toEqual([[], ["10.1.0.1/24", "2001:db8:1::1/64"]]);
  await thereAndBack(host, before);
}, { timeoutMs: 240_000 });

virtualTest("net: a bridge that filters VLANs, and those of its ports", async (host) => {
  const before = await fresh(host);
  const declared = {
    interfaces: [{ name: "br0", type: "bridge", bridge: { vlan_filtering: true }, ports: [{ name: "e1", pvid: 10, vids: ["2-9", "20-29"], untagged: [10] }, { name: "e2", vids: [5] }] }],
  };
  await applyNet(host, declared);
  expect(await linkSaid(host, "br0")).toMatchObject({ linkinfo: { info_data: { vlan_filtering: 1 } } });
  expect(await bridgeVlans(host, "e1")).toEqual([{ vlan: 2, vlanEnd: 9 }, { vlan: 10, flags: ["PVID", "Egress Untagged"] }, { vlan: 20, vlanEnd: 29 }]);
  expect(await bridgeVlans(host, "e2")).toEqual([{ vlan: 5 }]);
  await applyNet(host, { interfaces: [{ name: "br0", ports: ["e1", { name: "e2", pvid: 7, untagged: [7], vids: [] }] }] });
  expect(await bridgeVlans(host, "e1")).toHaveLength(3);
  expect(await bridgeVlans(host, "e2")).toEqual([{ vlan: 7, flags: ["PVID", "Egress Untagged"] }]);
  await opDbus(host, 0, "rollback", "--yes");
  expect(await bridgeVlans(host, "e2")).toEqual([{ vlan: 5 }]);
  await declareNet(host, declared);
  await thereAndBack(host, before);
}, { timeoutMs: 240_000 });
