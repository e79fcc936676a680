import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../../src/core/json.ts";
import { diagnose } from "../../../src/core/schema.ts";
import { netSchema } from "../../../src/plugins/net/schema.ts";

const GOLDEN = join(import.meta.dir, "../../golden/net");

/** What is said of a section, each with the place of the key that it is about. */
function problems(section: Json): string[] {
  return diagnose(netSchema, section, ["plugins", "net"]).map(({ path, message, hint }) => `${path.slice(2).join(".")}: ${message}${hint === undefined ? "" : ` (${hint})`}`);
}

const eth0 = (keys: { [key: string]: Json }): Json => ({ interfaces: [{ name: "eth0", ...keys }] });
const address = (ip: string, prefix: Json, family = "ipv4"): Json => eth0({ [family]: { address: [{ ip, prefix }] } });
const gateway = (ip: string, keys: { [key: string]: Json } = {}): Json => eth0({ ipv4: { gateway: ip, ...keys } });
const route = (keys: { [key: string]: Json }): Json => ({ routes: [keys] });

describe("netSchema refuses, naming the key and the reason", () => {
  const cases: [what: string, section: Json, said: string][] = [
    ["an unknown key", eth0({ adress: [] }), "interfaces.0.adress: Unknown key 'net.interfaces.0.adress' (Allowed: name, "],
    ["an unknown type", eth0({ type: "brige" }), `interfaces.0.type: 'net.interfaces.0.type' is "brige", allowed is `],
    ["a name too long", { interfaces: [{ name: "interface-number" }] }, "interfaces.0.name: 'net.interfaces.0.name': The name of an interface has at most 15 bytes; 'interface-number' has 16"],
    ["a name with a slash", { interfaces: [{ name: "eth/0" }] }, `interfaces.0.name: 'net.interfaces.0.name': The name of an interface cannot hold "/"`],
    ["a name with a blank", { interfaces: [{ name: "eth 0" }] }, `interfaces.0.name: 'net.interfaces.0.name': The name of an interface cannot hold " "`],
    ["no name", { interfaces: [{ name: ".." }] }, `interfaces.0.name: 'net.interfaces.0.name': ".." cannot be the name of an interface`],
    ["a name that every object has", { interfaces: [{ name: "__proto__" }] }, "interfaces.0.name: 'net.interfaces.0.name': '__proto__' cannot be a key"],
    ["an interface twice", { interfaces: [{ name: "eth0" }, { name: "eth0" }] }, "interfaces.1.name: 'net.interfaces.1.name': 'eth0' is there twice"],
    ["keys of an absent one", eth0({ state: "absent", mtu: 1500 }), "interfaces.0.mtu: 'net.interfaces.0.mtu': An interface that is to be absent has no other keys"],
    ["an MTU", eth0({ mtu: 42 }), "interfaces.0.mtu: 'net.interfaces.0.mtu': An MTU is from 68 to 2147483647"],
    ["a hardware address", eth0({ mac: "02:00:00:00:00" }), `interfaces.0.mac: 'net.interfaces.0.mac': "02:00:00:00:00" is no hardware address`],
    ["a hardware address of a group", eth0({ mac: "01:00:5e:00:00:01" }), "interfaces.0.mac: 'net.interfaces.0.mac': 01:00:5e:00:00:01 is an address of a group"],
    ["a hardware address of zeros", eth0({ mac: "00:00:00:00:00:00" }), "interfaces.0.mac: 'net.interfaces.0.mac': An interface cannot have the hardware address of zeros"],
    ["an address", address("192.168.1.256", 24), `interfaces.0.ipv4.address.0.ip: 'net.interfaces.0.ipv4.address.0.ip': "192.168.1.256" is no IP address`],
    ["an address that some read as octal", address("192.168.01.1", 24), `interfaces.0.ipv4.address.0.ip: 'net.interfaces.0.ipv4.address.0.ip': "192.168.01.1" is no IP address`],
    ["an address of the other family", address("2001:db8::1", 64), "interfaces.0.ipv4.address.0.ip: 'net.interfaces.0.ipv4.address.0.ip': 2001:db8::1 is no IPv4 address"],
    ["and the other way round", address("10.0.0.1", 24, "ipv6"), "interfaces.0.ipv6.address.0.ip: 'net.interfaces.0.ipv6.address.0.ip': 10.0.0.1 is no IPv6 address"],
    ["a prefix", address("10.0.0.1", 33), "interfaces.0.ipv4.address.0.prefix: 'net.interfaces.0.ipv4.address.0.prefix': A prefix of IPv4 is from 1 to 32, not 33"],
    ["half a prefix", address("10.0.0.1", 24.5), "interfaces.0.ipv4.address.0.prefix: 'net.interfaces.0.ipv4.address.0.prefix': A prefix of IPv4 is from 1 to 32, not 24.5"],
    ["a prefix that is text", address("10.0.0.1", "24"), `interfaces.0.ipv4.address.0.prefix: 'net.interfaces.0.ipv4.address.0.prefix' is "24", allowed is a number`],
    ["a group's address", address("224.0.0.1", 24), "interfaces.0.ipv4.address.0.ip: 'net.interfaces.0.ipv4.address.0.ip': 224.0.0.1 cannot be the address of an interface"],
    ["a link-local address", address("fe80::1", 64, "ipv6"), "interfaces.0.ipv6.address.0.ip: 'net.interfaces.0.ipv6.address.0.ip': fe80::1 is link-local"],
    ["an address twice", eth0({ ipv6: { address: [{ ip: "2001:db8::1", prefix: 64 }, { ip: "2001:DB8:0::1", prefix: 64 }] } }), "interfaces.0.ipv6.address.1: 'net.interfaces.0.ipv6.address.1': 2001:db8::1/64 is there twice"],
    ["an address where IPv4 is not to be", eth0({ ipv4: { enabled: false, address: [{ ip: "10.0.0.1", prefix: 8 }] } }), "interfaces.0.ipv4.address.0: 'net.interfaces.0.ipv4.address.0': IPv4 is not to be enabled on 'eth0'"],
    ["an MTU too small for IPv6", eth0({ mtu: 1279, ipv6: { address: [{ ip: "2001:db8::1", prefix: 64 }] } }), "interfaces.0.mtu: 'net.interfaces.0.mtu': IPv6 needs an MTU of at least 1280"],
    ["a gateway", gateway("router"), `interfaces.0.ipv4.gateway: 'net.interfaces.0.ipv4.gateway': "router" is no IP address`],
    ["a gateway of the other family", gateway("fe80::1"), "interfaces.0.ipv4.gateway: 'net.interfaces.0.ipv4.gateway': fe80::1 is no IPv4 address"],
    ["itself as the gateway", gateway("10.0.0.1", { address: [{ ip: "10.0.0.1", prefix: 24 }] }), "interfaces.0.ipv4.gateway: 'net.interfaces.0.ipv4.gateway': 10.0.0.1 is an address of 'eth0' itself"],
    ["a gateway beside DHCP", gateway("10.0.0.1", { dhcp: true }), "interfaces.0.ipv4.gateway: 'net.interfaces.0.ipv4.gateway': The gateway comes by DHCP"],
    ["two gateways", { interfaces: [{ name: "eth0", ipv4: { gateway: "10.0.0.1" } }, { name: "eth1", ipv4: { gateway: "10.1.0.1" } }] }, "interfaces.1.ipv4.gateway: 'net.interfaces.1.ipv4.gateway': 'eth0' has the IPv4 gateway already"],
    ["a VLAN's id", eth0({ type: "vlan", vlan: { id: 4095, base: "eth1" } }), "interfaces.0.vlan.id: 'net.interfaces.0.vlan.id': A VLAN id is from 1 to 4094"],
    ["a VLAN on itself", eth0({ type: "vlan", vlan: { id: 5, base: "eth0" } }), "interfaces.0.vlan.base: 'net.interfaces.0.vlan.base': 'eth0' cannot be its own base"],
    ["keys of another type", eth0({ type: "vlan", ports: ["eth1"] }), `interfaces.0.ports: 'net.interfaces.0.ports': 'eth0' is of type "vlan"; 'ports' is for "bridge" or "bond" or "ovs-bridge"`],
    ["ends of two families", eth0({ type: "vxlan", vxlan: { id: 5, local: "10.0.0.1", remote: "2001:db8::1" } }), "interfaces.0.vxlan.remote: 'net.interfaces.0.vxlan.remote': 'local' and 'remote' are of different families"],
    ["a tag out of range", eth0({ ovs: { tag: 4096 } }), "interfaces.0.ovs.tag: 'net.interfaces.0.ovs.tag': A tag is from 0 to 4095"],
    ["a trunk out of range", eth0({ ovs: { trunks: [-1] } }), "interfaces.0.ovs.trunks.0: 'net.interfaces.0.ovs.trunks.0': A tag is from 0 to 4095"],
    ["a mode of VLANs", eth0({ ovs: { vlan_mode: "hybrid" } }), "interfaces.0.ovs.vlan_mode: 'net.interfaces.0.ovs.vlan_mode' is \"hybrid\", allowed is "],
    ["a port's key of a bridge", eth0({ type: "ovs-bridge", ovs: { tag: 5 } }), "interfaces.0.ovs.tag: 'net.interfaces.0.ovs.tag': 'eth0' is a bridge; 'tag' is for its ports"],
    ["a bridge's key of a port", eth0({ type: "ovs-port", ovs: { fail_mode: "secure" } }), "interfaces.0.ovs.fail_mode: 'net.interfaces.0.ovs.fail_mode': 'eth0' is of type \"ovs-port\"; 'fail_mode' is for \"ovs-bridge\""],
    ["itself as the peer", eth0({ type: "ovs-patch", ovs: { peer: "eth0" } }), "interfaces.0.ovs.peer: 'net.interfaces.0.ovs.peer': 'eth0' cannot be its own peer"],
    ["a peer of what is no patch port", eth0({ type: "ovs-internal", ovs: { peer: "eth1" } }), "interfaces.0.ovs.peer: 'net.interfaces.0.ovs.peer': 'eth0' is of type \"ovs-internal\"; 'peer' is for \"ovs-patch\""],
    ["addresses of a patch port", eth0({ type: "ovs-patch", ipv4: { address: [] } }), "interfaces.0.ipv4: 'net.interfaces.0.ipv4': 'eth0' is a patch port, which the kernel does not know: it has no 'ipv4'"],
    ["a hardware address among other things", eth0({ type: "ovs-bridge", ovs: { other_config: { hwaddr: "02:00:00:00:00:01" } } }), "interfaces.0.ovs.other_config.hwaddr: 'net.interfaces.0.ovs.other_config.hwaddr': The hardware address of a bridge is declared as 'mac'"],
    ["a controller", eth0({ type: "ovs-bridge", controller: "192.0.2.1" }), "interfaces.0.controller: 'net.interfaces.0.controller': \"192.0.2.1\" is no controller, such as \"tcp:192.0.2.1:6653\""],
    ["a controller of a port", eth0({ type: "veth", controller: "tcp:192.0.2.1:6653" }), "interfaces.0.controller: 'net.interfaces.0.controller': 'eth0' is of type \"veth\"; 'controller' is for \"ovs-bridge\""],
    ["VLANs of a port in the list", eth0({ type: "ovs-bridge", ports: [{ name: "eth1", pvid: 5 }] }), "interfaces.0.ports.0.pvid: 'net.interfaces.0.ports.0.pvid': A port of Open vSwitch has its VLANs in its own entry"],
    ["a port of a bridge of each kind", { interfaces: [{ name: "br0", type: "bridge", ports: ["eth0"] }, { name: "ovs0", type: "ovs-bridge", ports: ["eth0"] }] }, "interfaces.1.ports.0: 'net.interfaces.1.ports.0': 'eth0' is a port of 'br0' already"],
    ["a port of two bridges", { interfaces: [{ name: "br0", ports: ["eth0"] }, { name: "br1", ports: [{ name: "eth0" }] }] }, "interfaces.1.ports.0: 'net.interfaces.1.ports.0': 'eth0' is a port of 'br0' already"],
    ["itself as a port", { interfaces: [{ name: "br0", ports: ["br0"] }] }, "interfaces.0.ports.0: 'net.interfaces.0.ports.0': 'br0' cannot be its own port"],
    ["a port twice", { interfaces: [{ name: "br0", ports: ["eth0", "eth0"] }] }, "interfaces.0.ports.1: 'net.interfaces.0.ports.1': 'eth0' is there twice"],
    ["a port that is to be absent", { interfaces: [{ name: "br0", ports: ["v0"] }, { name: "v0", state: "absent" }] }, "interfaces.0.ports.0: 'net.interfaces.0.ports.0': 'v0' is to be absent"],
    ["a bridge as a port of a bridge", { interfaces: [{ name: "br0", type: "bridge", ports: ["br1"] }, { name: "br1", type: "bridge" }] }, "interfaces.0.ports.0: 'net.interfaces.0.ports.0': 'br1' is a bridge itself"],
    ["a loop of ports and bases", { interfaces: [{ name: "br0", type: "bridge", ports: ["bond0"] }, { name: "bond0", type: "bond", ports: ["br0.5"] }, { name: "br0.5", type: "vlan", vlan: { id: 5, base: "br0" } }] }, "interfaces.0: 'net.interfaces.0': These stand on each other: br0, bond0, br0.5, br0"],
    ["VLANs that are none", { interfaces: [{ name: "br0", ports: [{ name: "eth0", vids: ["10-5"] }] }] }, "interfaces.0.ports.0.vids: 'net.interfaces.0.ports.0.vids': A list of VLANs is of ids from 1 to 4094"],
    ["VLANs of a port that are not filtered", { interfaces: [{ name: "br0", bridge: { vlan_filtering: false }, ports: [{ name: "eth0", pvid: 5 }] }] }, "interfaces.0.ports.0.pvid: 'net.interfaces.0.ports.0.pvid': 'br0' does not filter VLANs"],
    ["VLANs of a bond's port", { interfaces: [{ name: "bond0", type: "bond", ports: [{ name: "eth0", pvid: 5 }] }] }, "interfaces.0.ports.0.pvid: 'net.interfaces.0.ports.0.pvid': A port of a bond has no VLANs of its own"],
    ["a destination", route({ destination: "10.0.0.0/33", dev: "eth0" }), `routes.0.destination: 'net.routes.0.destination': "10.0.0.0/33" is no network`],
    ["a destination with bits beyond its prefix", route({ destination: "10.1.2.3/8", dev: "eth0" }), "routes.0.destination: 'net.routes.0.destination': 10.1.2.3/8 has bits beyond its prefix; the network is 10.0.0.0/8"],
    ["a default of no family", route({ destination: "default", dev: "eth0", metric: 5 }), "routes.0.destination: 'net.routes.0.destination': 'default' is of the family of its 'via', which is missing"],
    ["a default route that is a gateway", route({ destination: "default", via: "10.0.0.1" }), "routes.0.destination: 'net.routes.0.destination': The default route is declared as 'gateway' of its interface"],
    ["a way of the other family", route({ destination: "10.0.0.0/8", via: "fe80::1" }), "routes.0.via: 'net.routes.0.via': fe80::1 is no IPv4 address, as the destination is"],
    ["the kernel's own table", route({ destination: "10.0.0.0/8", dev: "eth0", table: 255 }), "routes.0.table: 'net.routes.0.table': Table 255 (local) is the kernel's own"],
    ["a route twice", { routes: [{ destination: "2001:db8::/32", dev: "a" }, { destination: "2001:DB8::/32", dev: "b", metric: 1024 }] }, "routes.1.destination: 'net.routes.1.destination': route 2001:db8::/32 is there twice"],
    ["a match that is none", eth0({ match: { mac: "x" } }), `interfaces.0.match.mac: 'net.interfaces.0.match.mac': "x" is no hardware address`],
  ];
  for (const [what, section, said] of cases) {
    test(what, () => {
      const found = problems(section);
      expect(found.length).toBe(1);
      expect(found[0]).toStartWith(said);
    });
  }

  test("all of it at once, also beside what is not of the shape", () => {
    const section: Json = { interfaces: [{ name: "eth0", mtu: "big" }, { name: "a b" }, { name: "eth1", mac: "x" }], routes: [{ destination: "?" }] };
    expect(problems(section).map((line) => line.split(":")[0]).sort()).toEqual(["interfaces.0.mtu", "interfaces.1.name", "interfaces.2.mac", "routes.0.destination"]);
  });

  test("ten thousand interfaces that stand on each other, in no time", () => {
    const interfaces = Array.from({ length: 10_000 }, (_, index) => ({ name: `v${index}`, vlan: { id: 5, base: `v${(index + 1) % 10_000}` } }));
    const [first] = problems({ interfaces });
    expect(first).toStartWith("interfaces.0: 'net.interfaces.0': These stand on each other: v0, v1, v2, v3, v4, v5, v6, v7 and others");
  });
});

for (const folder of readdirSync(GOLDEN)) {
  test(`netSchema takes golden/net/${folder}`, async () => {
    expect(problems((await Bun.file(join(GOLDEN, folder, "desired.json")).json()) as Json)).toEqual([]);
  });
}
