import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import type { StateDocument } from "../../src/core/document.ts";
import type { Json } from "../../src/core/json.ts";
import { diagnose } from "../../src/core/schema.ts";
import { netSchema } from "../../src/plugins/net/schema.ts";
import { documentOf, type Subject } from "./fixture.ts";
import { netSubject, NetWorld, run, type Edit } from "./net-subject.ts";

/*
 * The net plugin on the real Open vSwitch, with the userspace datapath, which needs nothing of the kernel but tun. To be run inside a
 * throw-away host and nowhere else: test/host/net/ovs-laws.test.ts does that.
 */

/** Somebody else's bridge with a device and an internal port, a bridge of the kernel with a device, and a device that is free. */
const FRESH = `
  for bridge in $(ovs-vsctl list-br); do ovs-vsctl del-br $bridge; done
  for link in $(ls /sys/class/net | grep -v -x -e lo -e ovs-netdev); do ip link del $link 2>/dev/null; done
  ip link set lo up
  for n in 0 1 2; do
    ip link add e$n address 02:00:00:00:01:0$n type veth peer name p$n
    ip link set p$n up; ip link set e$n up
  done
  ip link add br0 type bridge; ip link set br0 up; ip link set e2 master br0
  ip address add 10.0.0.1/24 dev e0; ip route add default via 10.0.0.254
  ovs-vsctl add-br ovs0 -- set Bridge ovs0 datapath_type=netdev external_ids:theirs=1 other_config:mac-aging-time=60 \
    -- add-port ovs0 e1 tag=5 -- add-port ovs0 int0 -- set Interface int0 type=internal
  ip link set ovs0 up; ip address add 10.2.0.1/24 dev ovs0`;

class VswitchWorld extends NetWorld {
  override async edit(command: Edit): Promise<void> {
    await run(command);
  }
}

async function make(): Promise<NetWorld> {
  await run(["sh", "-c", FRESH]);
  return new VswitchWorld(await mkdtemp(join(tmpdir(), "op-dbus-laws-")));
}

type Keys = Record<string, Json>;

const optional = (keys: Record<string, fc.Arbitrary<Json>>) => fc.record<Keys>(keys as never, { requiredKeys: [] }) as fc.Arbitrary<Keys>;
const named = (name: string, keys: Record<string, fc.Arbitrary<Json>>, fixed: Keys = {}) => optional(keys).map((some): Keys => ({ name, ...fixed, ...some }));
const mostly = (some: fc.Arbitrary<Keys>, name: string) => fc.oneof({ weight: 5, arbitrary: some }, { weight: 1, arbitrary: fc.constant<Keys>({ name, state: "absent" }) });

const ipv4 = (net: number) => fc.subarray<Keys>([{ ip: `10.${net}.0.1`, prefix: 24 }, { ip: `10.${net}.0.2`, prefix: 24 }]).map((address): Json => ({ address }));
const up = fc.constantFrom(true, true, true, false);
const ports = (...names: string[]) => fc.subarray(names).chain((some) => fc.tuple(...some.map((name) => fc.constantFrom<Json>(name, name, name, { name, state: "absent" }))));
const maps = { other_config: optional({ "mac-aging-time": fc.constantFrom<Json>("30", "60", null), "forward-bpdu": fc.constantFrom<Json>("true", null) }), external_ids: optional({ theirs: fc.constantFrom<Json>("1", "2", null), ours: fc.constant<Json>("yes") }) };
const bridge = (fixed: Keys = {}) => optional({ fail_mode: fc.constantFrom<Json>("secure", "standalone", null), ...maps }).map((some): Json => ({ ...fixed, ...some }));
const vlans = fc.oneof(
  fc.constantFrom<Keys>({}, { tag: null }, { tag: 7 }, { tag: 5, vlan_mode: "access" }, { trunks: [30, 10] }, { tag: 9, trunks: [10], vlan_mode: "native-untagged" }, { tag: null, trunks: null, vlan_mode: null }),
  optional({ external_ids: optional({ ours: fc.constantFrom<Json>("port", null) }) }),
);
const controller = fc.constantFrom<Json>("tcp:127.0.0.1:6653", "ptcp:0:127.0.0.1", null);

const interfaces: fc.Arbitrary<Keys>[] = [
  mostly(named("ovs0", { ports: ports("e0", "e1", "e2", "int0"), ports_exclusive: fc.boolean(), ovs: bridge(), controller, mac: fc.constantFrom<Json>("02:00:00:00:05:00", null), mtu: fc.constantFrom<Json>(1400, null), up, ipv4: ipv4(2) }), "ovs0"),
  mostly(named("ovs1", { ports: ports("e0", "e1", "e2", "int1", "to9"), controller, mac: fc.constant<Json>("02:00:00:00:05:01"), up, ipv4: ipv4(0) }, { type: "ovs-bridge", ovs: { datapath_type: "netdev", fail_mode: "secure" } }), "ovs1"),
  named("br0", { ports: ports("e1", "e2") }),
  named("e0", { ovs: vlans, ipv4: ipv4(0), mtu: fc.constantFrom<Json>(1400, 1500) }),
  named("e1", { ovs: vlans, type: fc.constantFrom<Json>("ovs-port", "veth") }),
  named("e2", { ovs: vlans }),
  mostly(named("int0", { ovs: vlans, up, mtu: fc.constantFrom<Json>(1300, null), ipv4: ipv4(3) }), "int0"),
  mostly(named("int1", { ovs: vlans, up, mac: fc.constantFrom<Json>("02:00:00:00:05:11"), ipv4: ipv4(4) }, { type: "ovs-internal" }), "int1"),
];
/** Two bridges of op-dbus's own with all that they can have, joined by patch ports. */
const joined: Keys[] = [
  { name: "ovs1", type: "ovs-bridge", ports: ["e0", "int1", "to9"], ovs: { datapath_type: "netdev" }, ipv4: { address: [{ ip: "10.0.0.1", prefix: 24 }] } },
  { name: "ovs9", type: "ovs-bridge", ports: ["to1"], ovs: { datapath_type: "netdev" } },
  { name: "int1", type: "ovs-internal", ovs: { tag: 3 } },
  { name: "to9", type: "ovs-patch", ovs: { peer: "to1" } },
  { name: "to1", type: "ovs-patch", ovs: { peer: "to9" } },
];

/** What is said of a port stands beside the bridge that it is in: --prune takes away a bridge that is declared no more. */
function areInside({ interfaces: links }: { readonly interfaces: readonly Keys[] }): boolean {
  const inside = links.flatMap(({ ports: some }) => (Array.isArray(some) ? some : [])).filter((port) => typeof port === "string");
  return links.every(({ name, ovs, state: is }) => (name !== "int1" && (ovs === undefined || (name !== "e0" && name !== "e2"))) || is === "absent" || inside.includes(String(name)));
}

const documents: fc.Arbitrary<StateDocument> = fc
  .oneof({ weight: 6, arbitrary: fc.subarray(interfaces, { minLength: 1, maxLength: 5 }).chain((some) => fc.tuple(...some)) }, { weight: 1, arbitrary: fc.constant(joined) })
  .map((links) => ({ interfaces: links }))
  .filter((section) => diagnose(netSchema, section, []).length === 0 && areInside(section))
  .map((section) => documentOf({ net: section }));

const edits: fc.Arbitrary<Edit> = fc.constantFrom(
  ["ovs-vsctl", "set", "Bridge", "ovs0", "external_ids:later=1"], ["ovs-vsctl", "--may-exist", "add-port", "ovs0", "e0", "tag=12"], ["ovs-vsctl", "set", "Port", "e1", "tag=6"],
  ["ovs-vsctl", "set-fail-mode", "ovs0", "secure"], ["ovs-vsctl", "set-controller", "ovs0", "tcp:127.0.0.1:6699"], ["ovs-vsctl", "--may-exist", "add-port", "ovs0", "tap100i0", "--", "set", "Interface", "tap100i0", "type=internal"],
  ["ip", "address", "add", "10.8.0.1/24", "dev", "ovs0"], ["ip", "link", "set", "int0", "up"], ["ip", "route", "add", "10.108.0.0/16", "via", "10.2.0.9"],
);

export const netOvsSubject: Subject<Edit> = {
  ...netSubject,
  name: "net plugin, on the real Open vSwitch",
  make,
  documents,
  edits,
};
