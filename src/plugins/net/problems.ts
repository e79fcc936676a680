import { normalMac } from "../../core/mac-address.ts";
import type { Problem } from "../../core/plugin.ts";
import { keyName, sameValue, valueAt, type KeyPath, type Resource } from "../../core/resource.ts";
import { nearest } from "../../core/suggestion.ts";
import { addressesToRemove } from "./address-difference.ts";
import type { Around } from "./around.ts";
import { IPV6_SMALLEST_MTU } from "./checks.ts";
import { isGuestPort } from "./interface-name.ts";
import { MAKEUP } from "./link-work.ts";
import { isOvsType } from "./ovs/declared.ts";
import { vswitchProblemsOf } from "./ovs/problems.ts";
import { gatewayProblem, routeProblems, type Add } from "./reach.ts";
import { isRoute } from "./route-name.ts";
import type { InterfaceState, View } from "./state.ts";
import { FAMILIES, type Family } from "./subnet.ts";

/** Types that a link can be made with, and removed: the others are devices, or made by somebody else's program. */
const MADE = ["bridge", "veth", "vxlan", "dummy", "vlan", "bond"];
const OVS_MADE = ["ovs-bridge", "ovs-internal", "ovs-patch"];
/** What a link of a type cannot be made without. */
const NEEDED: Readonly<Record<string, readonly KeyPath[]>> = {
  veth: [["veth", "peer"]],
  vlan: [["vlan", "id"], ["vlan", "base"]],
  vxlan: [["vxlan", "id"]],
};

/** Why this host cannot be brought to what is declared. */
export function problemsOf(around: Around): Problem[] {
  const { view, reach } = around;
  const problems: Problem[] = [];
  for (const resource of Object.keys(view.desired)) {
    const add: Add = (path, message, hint) => problems.push({ resource, path, message, ...(hint === undefined ? {} : { hint }) });
    if (isRoute(resource)) routeProblems(resource, reach, add);
    else interfaceProblems(resource, around, add);
  }
  return problems;
}

function interfaceProblems(name: string, around: Around, add: Add): void {
  const { view, reach } = around;
  const want = view.want(name);
  if (want === undefined) return;
  matchProblem(name, want, view, add);
  vswitchProblemsOf(name, view, add);
  if (want.state === "absent") return removalProblems(name, view, add);
  notBuilt(want, add);
  if (view.isThere(name)) changeProblems(name, want, view, add);
  else creationProblems(name, want, view, add);
  for (const family of FAMILIES) {
    if (want[family] === undefined) continue;
    switchProblems(name, family, view, add);
    addressProblems(name, family, around, add);
    gatewayProblem(name, family, reach, add);
  }
  portProblems(name, want, view, add);
  delayProblem(name, want, view, add);
}

/** Keys of FORMATS.md that this version does not bring about. */
function notBuilt(want: InterfaceState, add: Add): void {
  if (Object.keys(want.properties ?? {}).length > 0) add(["properties"], "There are no 'properties' of an interface that op-dbus knows of: what it can set has a key of its own");
  for (const family of FAMILIES) {
    if (want[family]?.dhcp === true) add([family, "dhcp"], "op-dbus does not hand interfaces to a DHCP client yet", "Leave 'dhcp' out, and the client that runs goes on");
    if (want[family]?.dns != null) add([family, "dns"], "op-dbus does not set DNS servers yet", "Leave 'dns' out, and they stay as they are");
  }
}

/** `match` is a guard: it never leads to another link than the one that has the name. */
function matchProblem(name: string, { match }: InterfaceState, view: View, add: Add): void {
  if (match === undefined) return;
  const [key, declared] = match.mac === undefined ? (["path", match.path] as const) : (["mac", normalMac(match.mac) ?? match.mac] as const);
  const of = (link: string) => (key === "path" ? view.facts(link).path : (view.facts(link).permanentMac ?? view.now(link).mac));
  const found = view.isThere(name) ? of(name) : undefined;
  if (found === declared) return;
  const meant = view.links.find((other) => of(other) === declared);
  const hint = meant === undefined ? undefined : `It is '${meant}' here`;
  if (view.isThere(name)) add(["match", key], `'${name}' is another device here: its ${key} is ${found ?? "not known"}, not ${declared}`, hint);
  else if (meant !== undefined) add(["match", key], `The device of ${key} ${declared} is not '${name}' here`, hint);
}

function removalProblems(name: string, view: View, add: Add): void {
  if (!view.isThere(name)) return;
  const { type } = view.now(name);
  const kind = type === "ethernet" ? "a device" : `a link of kind '${view.facts(name).kind ?? "unknown"}', which could not be made again`;
  if (type == null || (!MADE.includes(type) && !isOvsType(type))) add(["state"], `'${name}' cannot be removed: it is ${kind}`, 'Declare "up": false instead');
  if (isGuestPort(name)) add(["state"], `'${name}' belongs to a guest, and goes with it`);
  for (const [other, resource] of Object.entries(view.desired)) {
    const path = dependence(resource, name);
    if (path !== undefined && resource.state !== "absent" && other !== name) add(["state"], `'${name}' is needed: '${keyName(path)}' of '${other}' names it`);
  }
}

function dependence(resource: Resource, name: string): KeyPath | undefined {
  const paths: KeyPath[] = [["vlan", "base"], ["vxlan", "base"], ["dev"]];
  const found = paths.find((path) => valueAt(resource, path) === name);
  return found ?? (valueAt(resource, ["ports", name, "state"]) === "present" ? ["ports"] : undefined);
}

function creationProblems(name: string, want: InterfaceState, view: View, add: Add): void {
  if (want.type == null || want.type === "ethernet" || want.type === "ovs-port") {
    const near = nearest(name, view.links);
    const hint = near === undefined ? undefined : `Did you mean '${near}'?`;
    const kinds = want.type == null ? `; to have it made, say its 'type': ${[...MADE, ...OVS_MADE].join(", ")}` : "";
    return add(want.type == null ? [] : ["type"], `There is no interface '${name}' on this host${kinds}`, hint);
  }
  for (const path of NEEDED[want.type] ?? []) {
    if (valueAt(want as Resource, path) == null) add(path, `Missing '${keyName(path)}' for interface '${name}'`);
  }
  for (const path of [["vlan", "base"], ["vxlan", "base"]]) {
    const base = valueAt(want as Resource, path);
    if (typeof base === "string" && !view.isKnown(base)) add(path, `There is no interface '${base}' on this host`);
  }
  const peer = want.veth?.peer;
  if (peer != null && view.isThere(peer)) add(["veth", "peer"], `'${peer}' is there already: the two ends of a veth are made together`);
  const other = peer == null ? undefined : view.want(peer);
  if (other !== undefined && other.state !== "absent" && (other.type ?? "veth") === "veth" && (other.veth?.peer ?? name) !== name) {
    add(["veth", "peer"], `'${peer}' is declared with another peer, '${other.veth?.peer}'`);
  }
  if (other?.state === "absent") add(["veth", "peer"], `'${peer}' is to be absent`);
}

function changeProblems(name: string, want: InterfaceState, view: View, add: Add): void {
  const now = view.now(name);
  if (want.type != null && want.type !== now.type && !isDeviceOf(want, now)) {
    const is = now.type ?? view.facts(name).kind ?? "unknown";
    return add(["type"], `'${name}' is of type ${is} here, not ${want.type}`, now.type !== undefined && MADE.includes(String(now.type)) ? "Declare it absent first, or give it another name" : "Give it another name");
  }
  for (const path of MAKEUP) {
    const [declared, is] = [valueAt(want as Resource, path), valueAt(now as Resource, path)];
    if (declared == null || declared === "ovs-port" || sameValue(declared, is)) continue;
    add(path, `'${keyName(path)}' of '${name}' is ${JSON.stringify(is ?? null)}: the kernel does not change that of a link that is there`, "Declare the link absent first, then as it is to be");
  }
  for (const key of ["vlan", "veth", "bond", "vxlan", "bridge"] as const) {
    if (want[key] !== undefined && now.type !== key) add([key], `'${name}' is no ${key} here`);
  }
  macProblem(name, want, view, add);
  mtuProblem(name, want, view, add);
  if (want.up !== false || now.up !== true || view.facts(name).keepsIpv6 === true) return;
  const fresh = Object.entries(want.ipv6?.address ?? {}).find(([address, kind]) => kind === "present" && now.ipv6?.address?.[address] !== "present");
  if (fresh !== undefined) add(["up"], `'${name}' is declared down, and the kernel then takes away its IPv6 addresses, of which ${fresh[0]} is declared too`);
}

/** An `ovs-port` is a device or link of the kernel's, of whatever kind. */
function isDeviceOf({ type }: InterfaceState, now: InterfaceState): boolean {
  return type === "ovs-port" && !isOvsType(now.type);
}

function macProblem(name: string, want: InterfaceState, view: View, add: Add): void {
  const now = view.now(name);
  if (want.mac === undefined) return;
  const bond = view.master(name) ?? Object.keys(view.desired).find((other) => view.want(other)?.ports?.[name]?.state === "present");
  if (want.mac !== null && bond !== undefined && (view.now(bond).type ?? view.want(bond)?.type) === "bond") return add(["mac"], `'${name}' has the address of '${bond}' as long as it is its port`);
  if (view.facts(name).followsMac === true && want.mac !== null) {
    return add(["mac"], `'${name}' takes its address from what it is made of; once it has one of its own, the kernel never lets it follow again`, "Say 'mac' when the link is made");
  }
  const hasItsOwn = now.mac != null && view.facts(name).permanentMac === undefined && view.facts(name).followsMac === false;
  if (want.mac === null && hasItsOwn) add(["mac"], `The address of '${name}' cannot be unset: the kernel never lets it follow others again`);
}

function mtuProblem(name: string, want: InterfaceState, view: View, add: Add): void {
  if (want.mtu == null || want.mtu >= IPV6_SMALLEST_MTU || want.mtu === view.now(name).mtu) return;
  const has = Object.keys(view.now(name).ipv6?.address ?? {});
  if (has.length > 0) add(["mtu"], `IPv6 needs an MTU of at least ${IPV6_SMALLEST_MTU}, and '${name}' has ${has.join(", ")}`, "Declare these addresses absent first");
}

function addressProblems(name: string, family: Family, around: Around, add: Add): void {
  const { view } = around;
  const [declared, now] = [view.want(name)?.[family]?.address ?? {}, view.now(name)[family]?.address ?? {}];
  const mtu = view.want(name)?.mtu ?? view.now(name).mtu;
  for (const [address, kind] of Object.entries(declared)) {
    if (kind !== "present" || now[address] === "present") continue;
    const path = [family, "address", address];
    if (view.want(name)?.written !== undefined) duplicateProblem(name, family, address, around, add);
    if (family === "ipv6" && view.facts(name).ipv6Off === true) add(path, `IPv6 is switched off on '${name}' (net.ipv6.conf.${name}.disable_ipv6)`);
    if (family === "ipv6" && mtu != null && mtu < IPV6_SMALLEST_MTU) add(path, `IPv6 needs an MTU of at least ${IPV6_SMALLEST_MTU}, and '${name}' has ${mtu}`);
  }
}

/** The kernel takes an address on two links, so a host may have been like that before: only a document is held to having it once. */
function duplicateProblem(name: string, family: Family, address: string, { view, moves }: Around, add: Add): void {
  const path = [family, "address", address];
  const other = Object.keys(view.desired).find((each) => each !== name && view.want(each)?.[family]?.address?.[address] === "present");
  if (other !== undefined) add(path, `${address} is declared of '${other}' too`);
  const holder = view.links.find((each) => each !== name && view.now(each)[family]?.address?.[address] === "present");
  const leaves = holder !== undefined && (moves.to(name, address) !== undefined || addressesToRemove(holder, family, view).includes(address) || view.want(holder)?.state === "absent");
  if (holder !== undefined && !leaves) add(path, `'${holder}' has ${address}`, "Declare it absent there");
}

/** What only a sysctl changes is read and not written. */
function switchProblems(name: string, family: Family, view: View, add: Add): void {
  if (family === "ipv4") return;
  if (!view.isThere(name)) {
    if (view.want(name)?.ipv6?.enabled === false) add([family, "enabled"], "op-dbus does not switch IPv6 off yet: it writes no sysctl");
    return;
  }
  const { enabled, autoconf } = view.want(name)?.ipv6 ?? {};
  const { ipv6Off = false, autoconf: configures } = view.facts(name);
  if (enabled != null && enabled === ipv6Off) {
    add([family, "enabled"], `IPv6 is ${ipv6Off ? "off" : "on"} for '${name}', and op-dbus does not switch it yet`, `It is the sysctl net.ipv6.conf.${name}.disable_ipv6`);
  }
  if (autoconf != null && configures !== undefined && autoconf !== configures) {
    add([family, "autoconf"], `'${name}' ${configures ? "takes" : "does not take"} addresses from router advertisements, and op-dbus does not switch that yet`, `It is the sysctl net.ipv6.conf.${name}.autoconf`);
  }
}

function portProblems(name: string, want: InterfaceState, view: View, add: Add): void {
  const type = want.type ?? view.now(name).type;
  const { ports } = want;
  if (ports === undefined) return;
  const some = Object.keys(ports).length > 0 || want.ports_exclusive === true;
  if (some && type !== "bridge" && type !== "bond" && type !== "ovs-bridge") return add(["ports"], `'${name}' is ${type ?? "of another kind"}: it has no ports`);
  const filters = want.bridge?.vlan_filtering ?? (view.isThere(name) ? view.now(name).bridge?.vlan_filtering : false) ?? false;
  for (const [port, { state, vlans }] of Object.entries(ports)) {
    const path = ["ports", port, "state"];
    const rival = Object.keys(view.desired).find((other) => other !== name && view.want(other)?.ports?.[port]?.state === "present");
    if (state === "present" && rival !== undefined && !view.hasPort(name, port)) add(path, `'${port}' is a port of '${rival}' already`);
    if (isGuestPort(port) && state !== "present" && view.hasPort(name, port)) add(path, `'${port}' belongs to a guest, and goes with it`);
    if (state !== "present") continue;
    if (!view.isKnown(port)) add(path, `There is no interface '${port}' on this host`);
    const before = view.master(port);
    if (before !== undefined && !view.hasPort(name, port) && isGuestPort(port)) add(path, `'${port}' belongs to a guest, whose bridge is '${before}'`);
    if (type === "bridge" && view.now(port).type === "bridge") add(path, `'${port}' is a bridge itself, which cannot be a port of one`);
    if (vlans != null && vlans.length > 0 && !filters) add(["ports", port, "vlans"], `'${name}' does not filter VLANs`, 'Declare "bridge": { "vlan_filtering": true } with it');
  }
}

/** IEEE 802.1D bounds it where there is a spanning tree, and the kernel holds to that. */
function delayProblem(name: string, want: InterfaceState, view: View, add: Add): void {
  const stp = want.bridge?.stp ?? (view.isThere(name) ? view.now(name).bridge?.stp : false);
  const delay = want.bridge?.forward_delay;
  if (stp === true && delay != null && (delay < 2 || delay > 30)) add(["bridge", "forward_delay"], `With a spanning tree ('stp') a forward delay is 2 to 30 seconds, not ${delay}`);
}
