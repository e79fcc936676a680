import { mkdirSync, writeFileSync } from "node:fs";
import { messageOf } from "../../../src/core/errors.ts";
import { addAddress, addNeighbour, addRoute, addRule, appendRoute } from "../../../src/protocols/netlink/changes.ts";
import { openNetlink } from "../../../src/protocols/netlink/client.ts";
import { AF_BRIDGE, AF_INET, AF_INET6, FR_ACT, NTF, NUD, RTN } from "../../../src/protocols/netlink/constants.ts";
import { createLink, setBridgeVlans, setLink, type LinkSettings } from "../../../src/protocols/netlink/link-changes.ts";
import { encodeMessage, messagesIn, NLM_F, NLMSG_DONE, NLMSG_ERROR } from "../../../src/protocols/netlink/message.ts";
import type { Request } from "../../../src/protocols/netlink/netlink.ts";
import { dumpAddresses, dumpLinks, dumpNeighbours, dumpRoutes, dumpRules, getLink, getRoute, isDump } from "../../../src/protocols/netlink/reads.ts";
import { NetlinkSocket } from "../../../src/sys/native/netlink-socket.ts";

/*
 * Made the .bin files of the folders beside it: run as root in a network namespace that goes with it, or in a throw-away host, it makes
 * links, addresses, routes, rules and neighbours, and writes what the kernel says of them into the folder given, a message a file. What
 * this kernel has no module for is left out. `unshare --net bun test/golden/netlink/capture.ts FOLDER` made linux-6.18; compiled, in the
 * virtual host with Debian's kernel, it made debian-6.1.
 */

const folder = process.argv[2] ?? ".";
const netlink = openNetlink();
const NETLINK_ROUTE = 0;
const HEADER_BYTES = 16;
const indexes: Record<string, number> = {};

async function tried(request: Request<void>): Promise<boolean> {
  try {
    await netlink.send(request);
    return true;
  } catch (error) {
    console.error(messageOf(error));
    return false;
  }
}

async function made(name: string, kind: string, settings: LinkSettings): Promise<void> {
  if (!(await tried(createLink({ name, ...settings, linkInfo: { kind, ...settings.linkInfo } })))) return;
  indexes[name] = (await netlink.send(getLink({ name }))).index;
}

const index = (name: string): number => indexes[name] ?? 0;

/** The whole messages that answer a request, as they came. */
function answerTo(request: Request<unknown>): { readonly type: number; readonly bytes: Buffer }[] {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  for (const name of ["EXT_ACK", "CAP_ACK", "GET_STRICT_CHK"] as const) socket.switch(name, true);
  const flags = request.flags | NLM_F.REQUEST | (isDump(request) ? 0 : NLM_F.ACK);
  socket.send(encodeMessage({ type: request.type, flags, sequence: 1, port: socket.port, payload: request.payload }));
  const found: { type: number; bytes: Buffer }[] = [];
  for (let piece = socket.receive(); piece !== undefined; piece = socket.receive()) {
    for (const { type, payload } of messagesIn(piece)) {
      found.push({ type, bytes: Buffer.from(payload.buffer, payload.byteOffset - HEADER_BYTES, HEADER_BYTES + payload.length) });
    }
  }
  return found;
}

/** Writes each message of a dump under a name for it. */
function keep<T>(request: Request<readonly T[]>, nameOf: (value: T, number: number) => string): void {
  const values = answerTo(request).filter(({ type }) => type !== NLMSG_DONE);
  values.forEach(({ bytes }, number) => {
    const [value] = request.answer(messagesIn(bytes));
    if (value !== undefined) writeFileSync(`${folder}/${nameOf(value, number)}.bin`, bytes);
  });
}

function keepRefusal(name: string, request: Request<unknown>): void {
  const refusal = answerTo(request).find(({ type }) => type === NLMSG_ERROR);
  if (refusal !== undefined) writeFileSync(`${folder}/refusal-${name}.bin`, refusal.bytes);
}

mkdirSync(folder, { recursive: true });
await tried(setLink({ name: "lo" }, { up: true }));
indexes["lo"] = 1;
await made("left", "veth", { address: "02:00:00:00:00:01", linkInfo: { veth: { peer: { name: "right", address: "02:00:00:00:00:02" } } } });
await tried(setLink({ name: "right" }, { up: true, alias: "the other end" }));
await made("br0", "bridge", { address: "02:00:00:00:00:03", mtu: 1400, up: true, linkInfo: { bridge: { stpState: 0, forwardDelay: 400, vlanFiltering: 1 } } });
if (index("br0") === 0) await made("br0", "bridge", { address: "02:00:00:00:00:03", mtu: 1400, up: true, linkInfo: { bridge: { stpState: 0, forwardDelay: 400 } } });
await tried(setLink({ index: index("left") }, { master: index("br0"), up: true }));
await made("vxlan4", "vxlan", { linkInfo: { vxlan: { id: 7, local: "10.0.0.1", remote: "10.0.0.2", port: 4789, ttl: 9 } } });
await made("vxlan6", "vxlan", { linkInfo: { vxlan: { id: 8, local6: "fd00::1", remote6: "fd00::2", port: 4789 } } });
await made("macvlan0", "macvlan", { link: index("br0"), address: "02:00:00:00:00:04", linkInfo: { macvlan: { mode: 4 } } });
// A tap is made by an ioctl, which `ip` does.
Bun.spawnSync(["ip", "tuntap", "add", "dev", "tap0", "mode", "tap", "user", "0"], { stderr: "inherit" });
await made("dummy0", "dummy", { address: "02:00:00:00:00:05" });
await made("vlan5", "vlan", { link: index("br0"), linkInfo: { vlan: { id: 5, protocol: 0x8100 } } });
await made("bond0", "bond", { address: "02:00:00:00:00:06", linkInfo: { bond: { mode: 1, miimon: 100, failOverMac: 0 } } });
if (index("bond0") !== 0) await tried(setLink({ index: index("dummy0") }, { master: index("bond0") }));
await tried(setBridgeVlans(index("left"), [{ first: 10, last: 10, pvid: true, untagged: true }, { first: 100, last: 199 }]));
await tried(setBridgeVlans(index("br0"), [{ first: 10, last: 10 }], { self: true }));

await tried(addAddress({ index: index("br0"), address: "10.1.0.1", prefixLength: 24, broadcast: "10.1.0.255", label: "br0:one", protocol: 77 }));
await tried(addAddress({ index: index("br0"), address: "10.1.0.2", prefixLength: 32, peer: "10.1.9.1", priority: 50 }));
await tried(addAddress({ index: index("br0"), address: "fd00::1", prefixLength: 64, validSeconds: 600, preferredSeconds: 300 }));
const ways = (gateways: readonly string[]) => gateways.map((gateway, hops) => ({ flags: 0, hops, index: index("br0"), gateway }));
await tried(addRoute({ family: AF_INET, gateway: "10.1.0.254", priority: 100 }));
await tried(addRoute({ family: AF_INET, destination: "10.20.0.0", destinationLength: 16, multipath: ways(["10.1.0.3", "10.1.0.4"]) }));
await tried(addRoute({ family: AF_INET, destination: "10.30.0.0", destinationLength: 16, gateway: "10.1.0.5", preferredSource: "10.1.0.1", table: 1000, metrics: { mtu: 1300, lock: 4, congestionControl: "cubic" } }));
await tried(addRoute({ family: AF_INET, destination: "10.40.0.0", destinationLength: 16, via: { family: AF_INET6, address: "fd00::5" }, outIndex: index("br0") }));
await tried(addRoute({ family: AF_INET, destination: "10.50.0.0", destinationLength: 16, type: RTN.UNREACHABLE }));
await tried(addRoute({ family: AF_INET6, destination: "fd01::", destinationLength: 32, gateway: "fd00::2", priority: 50 }));
await tried(addRoute({ family: AF_INET6, destination: "fd02::", destinationLength: 32, gateway: "fd00::2", priority: 51 }));
await tried(appendRoute({ family: AF_INET6, destination: "fd02::", destinationLength: 32, gateway: "fd00::3", priority: 51 }));
await tried(addRule({ family: AF_INET, source: "10.1.0.0", sourceLength: 24, table: 1000, priority: 77, mark: 5, mask: 0xff, protocol: 4 }));
await tried(addRule({ family: AF_INET6, inInterface: "br0", action: FR_ACT.BLACKHOLE, priority: 78, ipProtocol: 6, destinationPorts: { first: 80, last: 90 }, uidRange: { first: 0, last: 99 } }));
await tried(addNeighbour({ family: AF_INET, index: index("br0"), destination: "10.1.0.9", address: "02:00:00:00:00:09" }));
await tried(addNeighbour({ family: AF_BRIDGE, index: index("left"), address: "02:00:00:00:00:0a", flags: NTF.MASTER, state: NUD.NOARP }));

keep(dumpLinks(), ({ name }) => `link-${name}`);
keep(dumpLinks({ bridgeVlans: true }), ({ name }) => `bridge-${name}`);
keep(dumpAddresses(), ({ family, local, address, prefixLength }) => `address-${family}-${(local ?? address)?.replaceAll(":", "-")}-${prefixLength}`);
keep(dumpRoutes(), ({ family, type, table, destination = "default", destinationLength: bits }) => `route-${family}-${table}-${type}-${destination.replaceAll(":", "-")}-${bits}`);
keep(dumpRules(), ({ family, priority = 0 }) => `rule-${family}-${priority}`);
keep(dumpNeighbours({ family: AF_INET }), ({ destination }) => `neighbour-${destination}`);
keep(dumpNeighbours({ family: AF_BRIDGE }), ({ address = "", index: link, vlan }) => `forwarding-${link}-${address.replaceAll(":", "-")}-${vlan ?? "any"}`);
keepRefusal("name-too-long", createLink({ name: "a-name-much-too-long", linkInfo: { kind: "bridge" } }));
keepRefusal("vxlan-id", createLink({ name: "v", linkInfo: { kind: "vxlan", vxlan: { id: 0x100_0000 } } }));
keepRefusal("no-kind", createLink({ name: "n", linkInfo: { kind: "no-such-kind" } }));
keepRefusal("mtu", setLink({ name: "left" }, { mtu: 700_000 }));
keepRefusal("no-link", getLink({ name: "none" }));
keepRefusal("gateway", addRoute({ family: AF_INET, gateway: "192.0.2.1" }));
keepRefusal("neighbour-without-address", addNeighbour({ family: AF_INET, index: index("br0"), destination: "10.1.0.10" }));
writeFileSync(`${folder}/answer-route.bin`, answerTo(getRoute({ destination: "10.20.3.4" }))[0]?.bytes ?? "");
writeFileSync(`${folder}/done.bin`, answerTo(dumpRules()).find(({ type }) => type === NLMSG_DONE)?.bytes ?? "");
netlink.close();
