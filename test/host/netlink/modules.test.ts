import { join } from "node:path";
import { expect } from "bun:test";
import type { VlanRange } from "../../../src/protocols/netlink/bridge.ts";
import type { Link } from "../../../src/protocols/netlink/link.ts";
import { compiled } from "../harness/compiled.ts";
import { virtualHostTest } from "../harness/shared.ts";

/*
 * What needs a kernel with Debian's modules: VLANs, bonds, dummies, and bridges that filter VLANs.
 */

const PROGRAM = "/usr/local/bin/netlink-program";

interface Found {
  readonly vlans: Readonly<Record<string, readonly VlanRange[]>>;
  readonly links: readonly Link[];
  readonly refusals: unknown;
}

/** A link as `ip -json -details` says it. */
interface Told {
  readonly ifname: string;
  readonly link?: string;
  readonly master?: string;
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: object };
}

/** A link's VLANs as `bridge -json -compressvlans vlan` says them. */
interface ToldVlans {
  readonly ifname: string;
  readonly vlans: readonly { readonly vlan: number; readonly vlanEnd?: number; readonly flags?: readonly string[] }[];
}

const virtualTest = virtualHostTest(async () => ({
  name: "netlink",
  files: [{ source: await compiled(join(import.meta.dir, "netlink-program.ts")), path: PROGRAM }],
}));

virtualTest("VLANs, bonds, dummies and VLANs of bridges are made as they were asked for, and read as `ip` and `bridge` read them", async (host) => {
  const { vlans, links, refusals } = JSON.parse((await host.must([PROGRAM, "modules"])).stdout) as Found;
  const told = JSON.parse((await host.must(["ip", "-json", "-details", "link"])).stdout) as Told[];
  const named = Object.fromEntries(told.map((link) => [link.ifname, link]));
  const ours = Object.fromEntries(links.map((link) => [link.name, link.linkInfo]));

  expect([named["vlan5"]?.linkinfo, named["vlan6"]?.linkinfo]).toEqual([
    { info_kind: "vlan", info_data: { protocol: "802.1Q", id: 5, flags: ["REORDER_HDR"] } },
    { info_kind: "vlan", info_data: { protocol: "802.1ad", id: 6, flags: ["REORDER_HDR"] } },
  ]);
  expect([ours["vlan5"]?.vlan, ours["vlan6"]?.vlan]).toMatchObject([{ id: 5, protocol: 0x8100 }, { id: 6, protocol: 0x88a8 }]);
  expect([named["vlan5"]?.link, named["vlan6"]?.link, named["dummy1"]?.master, named["dummy2"]?.master]).toEqual(["dummy1", "br1", "br1", "bond1"]);

  expect(named["bond1"]?.linkinfo?.info_data).toMatchObject({ mode: "802.3ad", miimon: 100, xmit_hash_policy: "layer3+4", ad_lacp_rate: "fast", min_links: 0 });
  expect(ours["bond1"]?.bond).toMatchObject({ mode: 4, miimon: 100, xmitHashPolicy: 1, lacpRate: 1, minimumLinks: 0 });
  expect(named["dummy2"]?.linkinfo).toMatchObject({ info_kind: "dummy", info_slave_kind: "bond", info_slave_data: { perm_hwaddr: ours["dummy2"]?.bondPort?.permanentAddress } });
  expect(named["dummy1"]).toMatchObject({ mtu: 1400, address: "02:00:00:00:00:01", linkinfo: { info_kind: "dummy", info_slave_kind: "bridge" } });
  expect(named["br1"]?.linkinfo?.info_data).toMatchObject({ vlan_filtering: 1, vlan_default_pvid: 0 });

  const bridges = JSON.parse((await host.must(["bridge", "-json", "-compressvlans", "vlan"])).stdout) as ToldVlans[];
  const ranges = bridges.map(({ ifname, vlans: each }) => [
    ifname,
    each.map(({ vlan, vlanEnd = vlan, flags = [] }) => ({
      ...{ first: vlan, last: vlanEnd },
      ...(flags.includes("PVID") ? { pvid: true } : {}),
      ...(flags.includes("Egress Untagged") ? { untagged: true } : {}),
    })),
  ]);
  expect(Object.fromEntries(ranges)).toEqual(vlans);
  expect(vlans).toEqual({
    br1: [{ first: 10, last: 10, pvid: true, untagged: true }],
    dummy1: [{ first: 10, last: 10, pvid: true, untagged: true }, { first: 100, last: 149 }, { first: 160, last: 199 }, { first: 300, last: 300 }],
  });

  const failed = (message: string, code: string) => ({ kind: "failed", message: `Could not ${message}`, code });
  expect(refusals).toEqual({
    vlanId: failed("create link x: 8021q: Invalid VLAN id (ERANGE)", "ERANGE"),
    noVlanId: failed("create link x: 8021q: VLAN id not specified (EINVAL)", "EINVAL"),
    bondMode: failed("create link x: invalid option value (EINVAL), at linkInfo.bond.mode (IFLA_BOND_MODE)", "EINVAL"),
    bondOfUp: failed("set link dummy3: Device can not be enslaved while up (EPERM)", "EPERM"),
    bridgeVlan: failed("set the VLANs of link 2: bridge: Vlan id is invalid (EINVAL)", "EINVAL"),
  });
});
