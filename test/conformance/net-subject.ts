import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import type { StateDocument } from "../../src/core/document.ts";
import type { Json } from "../../src/core/json.ts";
import { diagnose } from "../../src/core/schema.ts";
import type { Host } from "../../src/engine/host.ts";
import { createNetPlugin } from "../../src/plugins/net/plugin.ts";
import { netSchema } from "../../src/plugins/net/schema.ts";
import { openNetlink } from "../../src/protocols/netlink/client.ts";
import { openLocalOvsdb } from "../../src/protocols/ovsdb/client.ts";
import { openStore } from "../../src/store/open.ts";
import { readActor } from "../../src/sys/actor.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { createConfigFile } from "../../src/sys/config-file.ts";
import { readHostIdentity } from "../../src/sys/host-identity.ts";
import { createLock } from "../../src/sys/lock.ts";
import { documentOf, type Fixture, type Subject } from "./fixture.ts";
import { UNGUARDED } from "./memory-guard.ts";

/*
 * The net plugin on the real kernel, in the network namespace that this runs in. To be run inside a throw-away host and nowhere else:
 * test/host/net/laws.test.ts does that.
 */

/** Three links with peers that are up, a bridge with a port, another without, addresses of both families, routes and a gateway. */
const FRESH = `
  for link in $(ls /sys/class/net | grep -v -x lo); do ip link delete $link 2>/dev/null; done
  ip route flush table 100; ip -6 route flush table 100
  ip link set lo up
  for n in 0 1 2; do
    ip link add e$n address 02:00:00:00:01:0$n type veth peer name p$n
    ip link set p$n up; ip link set e$n up
  done
  ip link add br0 address 02:00:00:00:02:00 type bridge; ip link set br0 up; ip link set e2 master br0
  ip link add br1 type bridge
  ip address add 10.0.0.1/24 dev e0; ip address add 10.0.0.2/24 dev e0; ip address add 2001:db8:0::1/64 dev e0 nodad
  ip address add 10.2.0.1/24 dev br0
  ip route add default via 10.0.0.254
  ip route add 10.100.0.0/16 via 10.0.0.253
  ip route add 10.101.0.0/16 via 10.2.0.253`;

/** A command of ip that somebody else gives. */
export type Edit = readonly string[];

export class NetWorld implements Fixture<Edit> {
  readonly #root: string;
  /** Connections to the kernel, and to Open vSwitch where it runs. */
  readonly #wires: { readonly counts: { readonly writes: number }; close(): void }[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  async open(): Promise<Host> {
    const netlink = openNetlink();
    this.#wires.push(netlink);
    const openVswitch = () => {
      const ovsdb = openLocalOvsdb();
      if (ovsdb !== undefined) this.#wires.push(ovsdb);
      return ovsdb;
    };
    const store = openStore({ root: this.#root, clock: systemClock, actor: readActor("cli"), host: readHostIdentity() });
    await store.prepare();
    const { audit, journal, ledger, lockPath, secrets } = store;
    const plugin = createNetPlugin({ netlink, configFiles: createConfigFile(), operator: { sessionAddresses: [] }, openVswitch });
    return { plugins: [plugin], lock: createLock(lockPath), audit, journal, ledger, secrets, clock: systemClock, actor: readActor("cli"), deadMan: UNGUARDED };
  }

  writes(): number {
    return this.#wires.reduce((sum, { counts }) => sum + counts.writes, 0);
  }

  async edit(command: Edit): Promise<void> {
    await run(["ip", ...command]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const wire of this.#wires) wire.close();
    await rm(this.#root, { recursive: true, force: true });
  }
}

async function make(): Promise<NetWorld> {
  await run(["sh", "-c", FRESH]);
  return new NetWorld(await mkdtemp(join(tmpdir(), "op-dbus-laws-")));
}

export async function run(argv: readonly string[]): Promise<void> {
  await Bun.spawn([...argv], { stdout: "ignore", stderr: "ignore" }).exited;
}

type Keys = Record<string, Json>;

const state = fc.constantFrom<Json>("present", "absent");
/** Each of its own numbers, so that two interfaces are rarely given the same. */
const addresses = (net: number) => fc.subarray<Keys>([
  { ip: `10.${net}.0.1`, prefix: 24 }, { ip: `10.${net}.0.2`, prefix: 24 }, { ip: `10.${net}.0.3`, prefix: 24, state: "absent" }, { ip: `10.${net}.1.1`, prefix: 32 },
  { ip: `10.${net}.0.9`, prefix: 24, vrrp: true },
]).chain((own) => fc.constantFrom(own, own, own, own, net === 0 ? own : [...own, { ip: "10.0.0.2", prefix: 24 }]));
const addresses6 = (net: number) => fc.subarray<Keys>([{ ip: `2001:db8:${net}::1`, prefix: 64 }, { ip: `2001:db8:${net}::2`, prefix: 64 }, { ip: `2001:db8:${net}::3`, prefix: 128, state: "absent" }]);

const optional = (keys: Record<string, fc.Arbitrary<Json>>) => fc.record<Keys>(keys as never, { requiredKeys: [] }) as fc.Arbitrary<Keys>;

const ipKeys = (net: number) => ({
  ipv4: optional({ address: addresses(net), gateway: fc.constantFrom<Json>(`10.${net}.0.254`, `10.${net}.0.253`, null), enabled: fc.constantFrom(true, true, true, false), dhcp: fc.constant(false) }).map((keys) => reachable(keys, net === 0)),
  ipv6: optional({ address: addresses6(net), gateway: fc.constantFrom<Json>(`2001:db8:${net}::fe`, null) }).map((keys) => reachable(keys, net === 0)),
});

/** Mostly without a gateway where there is no address beside it. */
function reachable({ gateway, ...keys }: Keys, already: boolean): Keys {
  const beside = already || JSON.stringify(keys.address ?? []).includes(".0.1") || JSON.stringify(keys.address ?? []).includes("::1");
  return gateway === undefined || (gateway !== null && !beside) ? keys : { ...keys, gateway };
}

const linkKeys = (net: number) => ({ up: fc.constantFrom(true, true, true, true, true, true, false), mtu: fc.constantFrom<Json>(1400, 1500, 9000, null), ...ipKeys(net) });

const named = (name: string, keys: Record<string, fc.Arbitrary<Json>>, fixed: Keys = {}) => optional(keys).map((some): Keys => ({ name, ...fixed, ...some }));
/** One that op-dbus makes, and may be asked to remove again. */
const made = (name: string, fixed: Keys, keys: Record<string, fc.Arbitrary<Json>>) => fc.oneof({ weight: 5, arbitrary: named(name, keys, fixed) }, { weight: 1, arbitrary: fc.constant<Keys>({ name, state: "absent" }) });

const ports = (...names: string[]) => fc.subarray(names).chain((some) => fc.tuple(...some.map((name) => fc.oneof({ weight: 4, arbitrary: fc.constant<Json>(name) }, { weight: 1, arbitrary: state.map((of): Json => ({ name, state: of })) }))));
const bridge = optional({ stp: fc.boolean(), forward_delay: fc.constantFrom(2, 4, 15) });

const interfaces: fc.Arbitrary<Keys>[] = [
  named("e0", { ...linkKeys(0), mac: fc.constantFrom<Json>("02:00:00:00:09:00", "02:00:00:00:01:00") }),
  named("e1", { ...linkKeys(1), type: fc.constant("veth"), mac: fc.constantFrom<Json>("02:00:00:00:09:01", null) }),
  named("e2", linkKeys(12)),
  named("br0", { ...linkKeys(2), ports: ports("e0", "e1", "e2"), ports_exclusive: fc.boolean(), bridge }),
  fc.oneof({ weight: 4, arbitrary: named("br1", { ...linkKeys(3), ports: ports("e1", "e2"), bridge }) }, { weight: 1, arbitrary: fc.constant<Keys>({ name: "br1", state: "absent" }) }),
  made("br9", { type: "bridge" }, { ...linkKeys(4), ports: ports("e0", "v9"), mac: fc.constant("02:00:00:00:09:09"), bridge }),
  made("v9", { type: "veth", veth: { peer: "v9p" } }, { ...linkKeys(5), mac: fc.constant("02:00:00:00:09:05") }),
  made("vx9", { type: "vxlan", vxlan: { id: 9, local: "10.0.0.1", remote: "10.0.0.9" } }, linkKeys(6)),
];

const routes = fc.subarray<Keys>([
  { destination: "10.100.0.0/16", via: "10.0.0.252" },
  { destination: "10.101.0.0/16", state: "absent" },
  { destination: "10.102.0.0/16", via: "10.1.0.253", metric: 50 },
  { destination: "10.103.0.0/16", dev: "br1" },
  { destination: "default", via: "10.0.0.251", metric: 100, table: 100 },
  { destination: "2001:db8:100::/48", via: "2001:db8:0::fd" },
  { destination: "2001:db8:101::/48", dev: "e1", metric: 7 },
]);

const documents: fc.Arbitrary<StateDocument> = fc
  .tuple(fc.subarray(interfaces, { minLength: 1, maxLength: 4 }).chain((some) => fc.tuple(...some)), fc.option(routes, { freq: 1, nil: undefined }))
  .map(([links, declared]): Json => ({ interfaces: links, ...(declared === undefined ? {} : { routes: declared }) }))
  .filter((section) => diagnose(netSchema, section, []).length === 0)
  .map((section) => documentOf({ net: section }));

const link = fc.constantFrom("e0", "e1", "e2", "br0", "br1");
const edits: fc.Arbitrary<Edit> = fc.oneof(
  link.map((name) => ["address", "add", "10.7.0.1/24", "dev", name]),
  link.map((name) => ["address", "add", "2001:db8:7::1/64", "dev", name, "nodad"]),
  fc.tuple(link, fc.constantFrom("up", "down")).map(([name, to]) => ["link", "set", name, to]),
  fc.constantFrom(["link", "set", "e1", "master", "br1"], ["link", "set", "e2", "nomaster"], ["link", "set", "e1", "mtu", "1300"], ["address", "del", "10.0.0.2/24", "dev", "e0"]),
  fc.constantFrom(["route", "add", "10.104.0.0/16", "via", "10.0.0.250"], ["route", "add", "blackhole", "10.105.0.0/16"], ["route", "add", "10.106.0.0/16", "nexthop", "via", "10.0.0.250", "nexthop", "via", "10.0.0.249"]),
  fc.constantFrom(["link", "add", "tap100i0", "type", "veth", "peer", "name", "tap100p"], ["link", "set", "tap100i0", "master", "br0"]),
);

export const netSubject: Subject<Edit> = {
  name: "net plugin, on a real kernel",
  make,
  documents,
  edits,
  oneWay: [],
  readmes: { net: join(import.meta.dir, "../../src/plugins/net/README.md") },
  // The same cases in every run; LAW_RUNS and LAW_SEED make others.
  runs: Number(process.env.LAW_RUNS ?? 10),
  seed: Number(process.env.LAW_SEED ?? 20_261_121),
  timeoutMs: 300_000,
};
