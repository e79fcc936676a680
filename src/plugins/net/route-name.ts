import type { Json, JsonObject } from "../../core/json.ts";
import { familyOfText, parseSubnet, subnetText, type Family } from "./subnet.ts";

/** What makes a route the same one to the kernel. */
export interface RouteKey {
  /** In its one spelling: "10.0.0.0/8". */
  readonly destination: string;
  readonly metric: number;
  readonly table: number;
}

export const MAIN_TABLE = 254;
/** IP6_RT_PRIO_USER: what the kernel makes of an IPv6 route without a metric. */
const IPV6_METRIC = 1024;
const NAME = /^route (\S+)(?: metric (\d+))?(?: table (\d+))?$/;
const DEFAULTS: Readonly<Record<Family, string>> = { ipv4: "0.0.0.0/0", ipv6: "::/0" };

export function defaultDestination(family: Family): string {
  return DEFAULTS[family];
}

export function isDefaultDestination(destination: string): boolean {
  return Object.values(DEFAULTS).includes(destination);
}

/** The metric of a route that names none. */
export function usualMetric(destination: string): number {
  return familyOfText(destination) === "ipv6" ? IPV6_METRIC : 0;
}

/** A route's name as a resource, which no interface can have: "route 10.0.0.0/8 metric 100 table 5". */
export function routeName({ destination, metric, table }: RouteKey): string {
  const ranked = metric === usualMetric(destination) ? "" : ` metric ${metric}`;
  return `route ${destination}${ranked}${table === MAIN_TABLE ? "" : ` table ${table}`}`;
}

export function parseRouteName(name: string): RouteKey | undefined {
  const [, destination, metric, table] = NAME.exec(name) ?? [];
  if (destination === undefined) return undefined;
  return { destination, metric: metric === undefined ? usualMetric(destination) : Number(metric), table: table === undefined ? MAIN_TABLE : Number(table) };
}

export function isRoute(resource: string): boolean {
  return resource.startsWith("route ");
}

interface DeclaredKey {
  readonly destination: string;
  readonly via?: Json | undefined;
  readonly metric?: number | null | undefined;
  readonly table?: number | null | undefined;
}

/** The key of a declared route; undefined where its destination is no network. */
export function keyOfDeclared({ destination, via, metric, table }: DeclaredKey): RouteKey | undefined {
  const normal = normalDestination(destination, via);
  if (normal === undefined) return undefined;
  const ranked = metric == null || (metric === 0 && familyOfText(normal) === "ipv6") ? usualMetric(normal) : metric;
  return { destination: normal, metric: ranked, table: table ?? MAIN_TABLE };
}

/** The inverse of `keyOfDeclared`. */
export function declaredKey({ destination, metric, table }: RouteKey): JsonObject {
  return { destination, ...(metric === usualMetric(destination) ? {} : { metric }), ...(table === MAIN_TABLE ? {} : { table }) };
}

/** "default" is of the family of what it leads to; an address alone is a network of one. */
function normalDestination(destination: string, via: Json | undefined): string | undefined {
  if (destination === "default") return typeof via === "string" ? DEFAULTS[familyOfText(via)] : undefined;
  const length = familyOfText(destination) === "ipv6" ? 128 : 32;
  const subnet = parseSubnet(destination.includes("/") ? destination : `${destination}/${length}`);
  return subnet && subnetText(subnet);
}
