import { ipText, parseIp } from "../../core/ip-address.ts";
import { parseMac } from "../../core/mac-address.ts";
import type { DeclaredAddress, DeclaredInterface, DeclaredRoute } from "./declared.ts";
import { interfaceNameProblem } from "./interface-name.ts";
import { vswitchProblems } from "./ovs/checks.ts";
import { relationProblems, type Add, type Interfaces, type Routes, type SectionProblem } from "./relations.ts";
import { isDefaultDestination, keyOfDeclared, MAIN_TABLE, usualMetric } from "./route-name.ts";
import { addressKey } from "./section.ts";
import { FAMILIES, familyOf, familyOfText, isLinkLocal, isMulticast, networkOf, parseSubnet, SPOKEN, subnetText, type Family } from "./subnet.ts";

/** IPv6 needs links of this MTU (RFC 8200, 5): the kernel takes it off any other. */
export const IPV6_SMALLEST_MTU = 1280;
const LOCAL_TABLE = 255;

/** What is wrong with a section whatever the host: each entry by itself, then one with the other. */
export function sectionProblems(interfaces: Interfaces, routes: Routes): SectionProblem[] {
  const problems: SectionProblem[] = [];
  const add: Add = (path, message) => problems.push({ path, message });
  for (const { index, entry } of interfaces) {
    interfaceProblems(entry, (path, message) => add(["interfaces", index, ...path], message));
  }
  for (const { index, entry } of routes) routeProblems(entry, (path, message) => add(["routes", index, ...path], message));
  relationProblems(interfaces, routes, add);
  return problems;
}

function interfaceProblems(entry: DeclaredInterface, add: Add): void {
  const { name, type, mtu, mac, vlan, veth, vxlan, match } = entry;
  const wrongName = interfaceNameProblem(name);
  if (wrongName !== undefined) return add(["name"], wrongName);
  if (entry.state === "absent") return absentHasNothing(entry, add);
  const of: readonly (readonly [keyof DeclaredInterface, readonly string[]])[] = [["vlan", ["vlan"]], ["veth", ["veth"]], ["bond", ["bond"]], ["vxlan", ["vxlan"]], ["bridge", ["bridge"]], ["ports", ["bridge", "bond", "ovs-bridge"]]];
  for (const [key, types] of of) {
    if (entry[key] != null && type != null && !types.includes(type)) add([key], `'${name}' is of type "${type}"; '${key}' is for ${types.map((each) => `"${each}"`).join(" or ")}`);
  }
  vswitchProblems(entry, add);
  if (mac != null) macProblem(mac, ["mac"], add);
  if (match !== undefined && "mac" in match && parseMac(match.mac) === undefined) add(["match", "mac"], `${JSON.stringify(match.mac)} is no hardware address, such as "02:00:00:00:00:01"`);
  for (const [key, other] of [["vlan", vlan?.base], ["veth", veth?.peer], ["vxlan", vxlan?.base]] as const) {
    if (other == null) continue;
    const last = key === "veth" ? "peer" : "base";
    const wrong = other === name ? `'${name}' cannot be its own ${last}` : interfaceNameProblem(other);
    if (wrong !== undefined) add([key, last], wrong);
  }
  for (const key of ["local", "remote"] as const) if (vxlan?.[key] != null && parseIp(vxlan[key]) === undefined) add(["vxlan", key], notAnIp(vxlan[key]));
  if (vxlan?.local != null && vxlan.remote != null && familyOfText(vxlan.local) !== familyOfText(vxlan.remote)) add(["vxlan", "remote"], "'local' and 'remote' are of different families");
  for (const family of FAMILIES) ipProblems(entry, family, add);
  const needy = entry.ipv6?.address?.some(({ state, vrrp }) => state !== "absent" && vrrp !== true) === true;
  if (mtu != null && mtu < IPV6_SMALLEST_MTU && needy) add(["mtu"], `IPv6 needs an MTU of at least ${IPV6_SMALLEST_MTU}, and '${name}' has IPv6 addresses`);
}

function absentHasNothing(entry: DeclaredInterface, add: Add): void {
  for (const [key, value] of Object.entries(entry)) {
    const empty = value == null || (typeof value === "object" && Object.keys(value).length === 0);
    if (!["name", "state", "match", "observed"].includes(key) && !empty) add([key], "An interface that is to be absent has no other keys");
  }
}

function macProblem(text: string, path: readonly string[], add: Add): void {
  const bytes = parseMac(text);
  if (bytes === undefined) add(path, `${JSON.stringify(text)} is no hardware address, such as "02:00:00:00:00:01"`);
  else if (((bytes[0] ?? 0) & 1) === 1) add(path, `${text} is an address of a group: that of an interface has an even first byte`);
  else if (bytes.every((byte) => byte === 0)) add(path, "An interface cannot have the hardware address of zeros");
}

function ipProblems(entry: DeclaredInterface, family: Family, add: Add): void {
  const { address, gateway, enabled, dhcp } = entry[family] ?? {};
  const seen = new Set<string>();
  for (const [index, item] of (address ?? []).entries()) {
    const path = [family, "address", index] as const;
    const wrong = addressProblem(item, family);
    if (wrong !== undefined) add([...path, wrong.key], wrong.message);
    else if (seen.has(addressKey(item))) add(path, `${addressKey(item)} is there twice`);
    else if (enabled === false && item.state !== "absent") add(path, `${SPOKEN[family]} is not to be enabled on '${entry.name}', so it has no address`);
    seen.add(addressKey(item));
  }
  if (gateway == null) return;
  const bytes = parseIp(gateway);
  if (bytes === undefined) add([family, "gateway"], notAnIp(gateway));
  else if (familyOf(bytes) !== family) add([family, "gateway"], `${gateway} is no ${SPOKEN[family]} address`);
  else if (isMulticast(bytes) || bytes.every((byte) => byte === 0)) add([family, "gateway"], `${gateway} cannot be a gateway`);
  else if (address?.some(({ ip, state }) => state !== "absent" && normalText(ip) === ipText(bytes)) === true) add([family, "gateway"], `${gateway} is an address of '${entry.name}' itself`);
  else if (enabled === false) add([family, "gateway"], `${SPOKEN[family]} is not to be enabled on '${entry.name}', so it has no gateway`);
  else if (dhcp === true) add([family, "gateway"], "The gateway comes by DHCP");
}

function addressProblem({ ip, prefix }: DeclaredAddress, family: Family): { readonly key: string; readonly message: string } | undefined {
  const bytes = parseIp(ip);
  if (bytes === undefined) return { key: "ip", message: notAnIp(ip) };
  if (familyOf(bytes) !== family) return { key: "ip", message: `${ip} is no ${SPOKEN[family]} address` };
  const longest = bytes.length * 8;
  if (!Number.isInteger(prefix) || prefix < 1 || prefix > longest) return { key: "prefix", message: `A prefix of ${SPOKEN[family]} is from 1 to ${longest}, not ${prefix}` };
  if (isMulticast(bytes) || bytes.every((byte) => byte === 0)) return { key: "ip", message: `${ip} cannot be the address of an interface` };
  if (isLinkLocal(bytes)) return { key: "ip", message: `${ip} is link-local: the kernel gives each link its own` };
  return undefined;
}

function routeProblems(entry: DeclaredRoute, add: Add): void {
  const { destination, via, dev, table, state } = entry;
  const key = keyOfDeclared(entry);
  if (key === undefined) {
    const hint = destination === "default" ? "'default' is of the family of its 'via', which is missing" : `${JSON.stringify(destination)} is no network, such as "10.0.0.0/8" or "2001:db8::/32"`;
    return add(["destination"], hint);
  }
  const subnet = parseSubnet(key.destination);
  if (subnet === undefined) return;
  const network = subnetText(networkOf(subnet));
  if (network !== key.destination) return add(["destination"], `${destination} has bits beyond its prefix; the network is ${network}`);
  if (isMulticast(subnet.bytes) && subnet.prefix > 0) add(["destination"], `${destination} is a network of groups`);
  if (table === LOCAL_TABLE) add(["table"], "Table 255 (local) is the kernel's own");
  const wrongDev = dev == null ? undefined : interfaceNameProblem(dev);
  if (wrongDev !== undefined) add(["dev"], wrongDev);
  if (via == null) return;
  const bytes = parseIp(via);
  if (bytes === undefined) return add(["via"], notAnIp(via));
  if (familyOf(bytes) !== subnet.family) return add(["via"], `${via} is no ${SPOKEN[subnet.family]} address, as the destination is`);
  const plain = isDefaultDestination(key.destination) && key.table === MAIN_TABLE && key.metric === usualMetric(key.destination);
  if (plain && state !== "absent") add(["destination"], "The default route is declared as 'gateway' of its interface; here, one that has a metric or a table");
}

function notAnIp(text: string): string {
  return `${JSON.stringify(text)} is no IP address`;
}

function normalText(ip: string): string | undefined {
  const bytes = parseIp(ip);
  return bytes && ipText(bytes);
}
