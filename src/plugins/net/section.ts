import { isList, isObject, type Json, type JsonObject } from "../../core/json.ts";
import { normalMac } from "../../core/mac-address.ts";
import type { KeyPath, Resource, Resources } from "../../core/resource.ts";
import type { DeclaredAddress, DeclaredInterface, DeclaredPort, DeclaredRoute } from "./declared.ts";
import { declaredKey, isRoute, keyOfDeclared, parseRouteName, routeName } from "./route-name.ts";
import { normalIp, parseSubnet, subnetText } from "./subnet.ts";
import { namesVlans, vlanKeys, vlansOf } from "./vlan-list.ts";

/*
 * The section of a document and its resources: an interface by its name, a route by the name that its key gives it. What is a list
 * of members in the document is by member in the resource, so that each is owned, compared and taken back by itself. `written` names
 * the lists that the document has: a before-state names members too, and says nothing of the others. It has no leaves, so it is no key.
 */

const MEMBERS = { address: addressKey, ports: portKey } as const;

/** In their one spelling. The section has passed its schema. */
export function resourcesOf(section: Json): Resources {
  const interfaces = listAt<DeclaredInterface>(section, "interfaces").map((entry) => [entry.name, interfaceOf(entry)] as const);
  const routes = listAt<DeclaredRoute>(section, "routes").map(({ state, via, dev, ...key }) => {
    const normal = keyOfDeclared({ ...key, via }) ?? { destination: key.destination, metric: 0, table: 0 };
    const resource = { state, via: typeof via === "string" ? (normalIp(via) ?? via) : via, dev };
    return [routeName(normal), defined(resource)] as const;
  });
  return Object.fromEntries([...interfaces, ...routes]);
}

/** The inverse of `resourcesOf`. */
export function sectionOf(resources: Resources): Json {
  const entries = Object.entries(resources);
  const interfaces = entries.flatMap(([name, resource]) => (isRoute(name) ? [] : [declaredInterface(name, resource)]));
  const routes = entries.flatMap(([name, resource]) => {
    const key = parseRouteName(name);
    return key === undefined ? [] : [{ ...declaredKey(key), ...resource }];
  });
  return { interfaces, ...(routes.length === 0 ? {} : { routes }) };
}

/** Where a resource's key stands in the section. */
export function placeOf(section: Json, resource: string, path: KeyPath): (string | number)[] {
  if (isRoute(resource)) {
    const routes = listAt<DeclaredRoute>(section, "routes");
    const index = routes.findIndex((route) => nameOfRoute(route) === resource);
    return index < 0 ? ["routes"] : ["routes", index, ...path];
  }
  const interfaces = listAt<DeclaredInterface>(section, "interfaces");
  const index = interfaces.findIndex(({ name }) => name === resource);
  if (index < 0) return ["interfaces"];
  return ["interfaces", index, ...placeInInterface(interfaces[index] as unknown as Json, path)];
}

function placeInInterface(entry: Json, path: KeyPath): (string | number)[] {
  const at = path.findIndex((key) => key === "address" || key === "ports");
  const member = path[at + 1];
  if (at < 0 || member === undefined) return [...path];
  const list = path.slice(0, at + 1).reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), entry);
  const keyOf = MEMBERS[path[at] as keyof typeof MEMBERS] as (item: never) => string;
  const index = isList(list) ? list.findIndex((item) => keyOf(item as never) === member) : -1;
  return index < 0 ? path.slice(0, at + 1) : [...path.slice(0, at + 1), index];
}

function nameOfRoute(route: DeclaredRoute): string | undefined {
  const key = keyOfDeclared(route);
  return key && routeName(key);
}

/** "192.168.1.10/24". */
export function addressKey({ ip, prefix }: DeclaredAddress): string {
  const subnet = parseSubnet(`${ip}/${prefix}`);
  return subnet === undefined ? `${ip}/${prefix}` : subnetText(subnet);
}

export function portKey(port: DeclaredPort): string {
  return typeof port === "string" ? port : port.name;
}

function interfaceOf({ name: _, observed: __, ports, mac, ipv4, ipv6, vxlan, ovs, ...others }: DeclaredInterface): Resource {
  return defined({
    ...others,
    ...(mac === undefined ? {} : { mac: mac === null ? null : (normalMac(mac) ?? mac) }),
    ...(vxlan === undefined ? {} : { vxlan: { ...vxlan, ...normalIps(vxlan, ["local", "remote"]) } }),
    ...(ovs === undefined ? {} : { ovs: ovsOf(ovs) }),
    ...(ports === undefined ? {} : { ports: Object.fromEntries((ports ?? []).map((port) => [portKey(port), portOf(port)])) }),
    ...(ipv4 === undefined ? {} : { ipv4: ipOf(ipv4) }),
    ...(ipv6 === undefined ? {} : { ipv6: ipOf(ipv6) }),
    ...writtenIn({ ports, ovs, "ipv4.address": ipv4?.address, "ipv6.address": ipv6?.address }),
  });
}

/** Of trunks the order does not count, and none is the same as unset. */
function ovsOf({ trunks, ...others }: NonNullable<DeclaredInterface["ovs"]>): JsonObject {
  const ids = [...new Set(trunks ?? [])].toSorted((a, b) => a - b);
  return defined({ ...others, ...(trunks === undefined ? {} : { trunks: ids.length === 0 ? null : ids }) });
}

function writtenIn(lists: Readonly<Record<string, unknown>>): JsonObject {
  const written = Object.keys(lists).filter((key) => lists[key] !== undefined);
  return written.length === 0 ? {} : { written: Object.fromEntries(written.map((key) => [key, {}])) };
}

function portOf(port: DeclaredPort): JsonObject {
  if (typeof port === "string") return { state: "present" };
  const unset = port.pvid === null && port.vids === null && port.untagged === null;
  return { state: port.state ?? "present", ...(namesVlans(port) ? { vlans: unset ? null : vlansOf(port) } : {}) };
}

function ipOf({ address, ...others }: NonNullable<DeclaredInterface["ipv6"]>): JsonObject {
  const byKey = (address ?? []).map((item) => [addressKey(item), item.state === "absent" ? "absent" : item.vrrp === true ? "vrrp" : "present"] as const);
  return defined({ ...others, ...normalIps(others, ["gateway"]), ...(address === undefined ? {} : { address: Object.fromEntries(byKey) }) });
}

function declaredInterface(name: string, { ports, ipv4, ipv6, observed, written: _, ...others }: Resource): JsonObject {
  if (others.state === "absent") return { name, state: "absent" };
  return {
    name, ...others,
    ...(isObject(ports) ? { ports: Object.entries(ports).map(([port, keys]) => declaredPort(port, keys)) } : {}),
    ...(isObject(ipv4) ? { ipv4: declaredIp(ipv4) } : {}),
    ...(isObject(ipv6) ? { ipv6: declaredIp(ipv6) } : {}),
    ...(observed === undefined ? {} : { observed }),
  };
}

function declaredPort(name: string, keys: Json): Json {
  const { state, vlans } = isObject(keys) ? keys : { state: keys, vlans: undefined };
  if (state === null || state === "absent") return { name, state: "absent" };
  if (vlans === undefined) return name;
  return { name, ...(isList(vlans) ? vlanKeys(vlans as readonly string[]) : { pvid: null, vids: null, untagged: null }) };
}

function declaredIp({ address, ...others }: JsonObject): JsonObject {
  const items = isObject(address) ? Object.entries(address).flatMap(([text, kind]) => {
    const [ip = "", prefix] = text.split("/");
    const what = kind === "vrrp" ? { vrrp: true } : kind === "present" ? {} : { state: "absent" };
    return [{ ip, prefix: Number(prefix), ...what }];
  }) : [];
  return { ...others, ...(address === undefined ? {} : { address: items }) };
}

function normalIps(from: Readonly<Record<string, unknown>>, keys: readonly string[]): JsonObject {
  const found = keys.flatMap((key) => {
    const value = from[key];
    return typeof value === "string" ? [[key, normalIp(value) ?? value] as const] : [];
  });
  return Object.fromEntries(found);
}

function listAt<T>(section: Json, key: string): readonly T[] {
  const list = isObject(section) ? section[key] : undefined;
  return isList(list) ? (list as unknown as readonly T[]) : [];
}

function defined(value: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as JsonObject;
}
