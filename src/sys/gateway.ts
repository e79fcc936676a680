import { readText } from "./files.ts";
import type { EchoPlace } from "./native/echo.ts";

/** linux/route.h */
const RTF_GATEWAY = 0x2;

/** The gateway of the default route with the lowest metric, IPv4's before IPv6's; undefined where there is none. */
export function defaultGateway(): EchoPlace | undefined {
  return first(gateways4(readText("/proc/net/route") ?? "")) ?? first(gateways6(readText("/proc/net/ipv6_route") ?? ""));
}

interface Route extends EchoPlace {
  readonly metric: number;
}

/** The columns are Iface Destination Gateway Flags RefCnt Use Metric Mask, addresses in the machine's byte order. */
function gateways4(table: string): Route[] {
  return table.split("\n").slice(1).flatMap((line) => {
    const [, destination, gateway = "", flags = "", , , metric, mask] = line.split("\t");
    if (destination !== "00000000" || mask !== "00000000" || !hasGateway(flags)) return [];
    return [{ bytes: new Uint8Array(Buffer.from(gateway, "hex").reverse()), scope: 0, metric: Number(metric) }];
  });
}

/** net/ipv6/route.c, rt6_info_route: destination, its length, source, its length, next hop, metric, references, uses, flags, device. */
function gateways6(table: string): Route[] {
  return table.split("\n").flatMap((line) => {
    const [, length, , , gateway = "", metric = "", , , flags = "", device = ""] = line.trim().split(/\s+/);
    if (length !== "00" || !hasGateway(flags)) return [];
    const bytes = new Uint8Array(Buffer.from(gateway, "hex"));
    return [{ bytes, scope: bytes[0] === 0xfe ? interfaceNumber(device) : 0, metric: Number.parseInt(metric, 16) }];
  });
}

/** 0 where there is no such interface. */
export function interfaceNumber(name: string): number {
  return /^[^/\s]{1,15}$/.test(name) ? Number(readText(`/sys/class/net/${name}/ifindex`) ?? 0) : 0;
}

function hasGateway(flags: string): boolean {
  return (Number.parseInt(flags, 16) & RTF_GATEWAY) !== 0;
}

function first(routes: readonly Route[]): EchoPlace | undefined {
  return routes.toSorted((a, b) => a.metric - b.metric)[0];
}
