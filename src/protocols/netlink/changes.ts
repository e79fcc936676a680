import { ADDRESS, FOREVER } from "./address.ts";
import { AF_BRIDGE, AF_INET6, FR_ACT, NUD, RT_SCOPE, RT_TABLE, RTM, RTN, RTPROT } from "./constants.ts";
import { NLM_F } from "./message.ts";
import { NEIGHBOUR, type NeighbourAttributes } from "./neighbour.ts";
import type { Request } from "./netlink.ts";
import { change, familyOf } from "./request.ts";
import { ROUTE, tableByteOf, type RouteAttributes } from "./route.ts";
import { RULE, type RuleAttributes } from "./rule.ts";

const ADD = NLM_F.CREATE | NLM_F.EXCL;
const REPLACE = NLM_F.CREATE | NLM_F.REPLACE;

/** What is done to whatever it is. */
interface Kind<Words> extends Pick<Request<void>, "type" | "flags"> {
  readonly words: Words;
}

/** An address for a link. Without lifetimes it is for ever. */
export interface AddressSettings {
  readonly index: number;
  readonly address: string;
  readonly prefixLength: number;
  readonly peer?: string;
  readonly broadcast?: string;
  readonly scope?: number;
  /** IFA_F_*. */
  readonly flags?: number;
  readonly label?: string;
  /** The metric of the route that the kernel makes with it. */
  readonly priority?: number;
  /** IFAPROT_*; a kernel before 5.18 does not keep it. */
  readonly protocol?: number;
  readonly preferredSeconds?: number;
  readonly validSeconds?: number;
}

/** The kernel's EEXIST where the link has the address already. */
export function addAddress(settings: AddressSettings): Request<void> {
  return addressChange({ type: RTM.NEWADDR, flags: ADD, words: ["add", "to"] }, settings);
}

export function replaceAddress(settings: AddressSettings): Request<void> {
  return addressChange({ type: RTM.NEWADDR, flags: REPLACE, words: ["set", "of"] }, settings);
}

/** The kernel's EADDRNOTAVAIL where the link does not have the address. Of IPv4 the secondary addresses go with their primary, unless promote_secondaries is set. */
export function deleteAddress(settings: AddressSettings): Request<void> {
  return addressChange({ type: RTM.DELADDR, flags: 0, words: ["delete", "from"] }, settings);
}

function addressChange({ type, flags, words: [verb, preposition] }: Kind<readonly [verb: string, preposition: string]>, settings: AddressSettings): Request<void> {
  const { index, address, prefixLength, peer = address, scope = RT_SCOPE.UNIVERSE, preferredSeconds, validSeconds, flags: addressFlags = 0, ...rest } = settings;
  const operation = `${verb} address ${address}/${prefixLength} ${preposition} link ${index}`;
  const header = { family: familyOf(address, operation).family, prefixLength, flagsByte: addressFlags & 0xff, scope, index };
  const lifetimes = { preferred: preferredSeconds ?? validSeconds ?? FOREVER, valid: validSeconds ?? FOREVER, created: 0, updated: 0 };
  const limited = preferredSeconds !== undefined || validSeconds !== undefined;
  const value = { ...header, local: address, address: peer, ...(addressFlags === 0 ? {} : { flags: addressFlags }), ...(limited ? { cacheInfo: lifetimes } : {}), ...rest };
  return change({ type, flags, form: ADDRESS, operation, payload: ADDRESS.bytes(value, operation) });
}

/** A route; without a destination the default route. Table, protocol, type and scope are as `ip route` has them, but for protocol static. */
export type RouteSettings = RouteAttributes & {
  readonly family: number;
  readonly destinationLength?: number;
  readonly sourceLength?: number;
  readonly tos?: number;
  readonly protocol?: number;
  readonly scope?: number;
  readonly type?: number;
  readonly flags?: number;
};

/** The kernel's EEXIST where there is one of the same destination, tos, priority and table. */
export function addRoute(settings: RouteSettings): Request<void> {
  return routeChange({ type: RTM.NEWROUTE, flags: ADD, words: "add" }, settings);
}

/** In place of one of the same destination, tos, priority and table, without a moment between; where there is none it is added. */
export function replaceRoute(settings: RouteSettings): Request<void> {
  return routeChange({ type: RTM.NEWROUTE, flags: REPLACE, words: "set" }, settings);
}

/** After one of the same destination: of IPv4 one that counts when the first is gone, of IPv6 one more nexthop. */
export function appendRoute(settings: RouteSettings): Request<void> {
  return routeChange({ type: RTM.NEWROUTE, flags: NLM_F.CREATE | NLM_F.APPEND, words: "append" }, settings);
}

/** The first that matches all of what is given. The kernel's ESRCH where there is none. */
export function deleteRoute(settings: RouteSettings): Request<void> {
  return routeChange({ type: RTM.DELROUTE, flags: 0, words: "delete" }, { protocol: RTPROT.UNSPEC, type: RTN.UNSPEC, scope: RT_SCOPE.NOWHERE, ...settings });
}

function routeChange({ type, flags, words: verb }: Kind<string>, settings: RouteSettings): Request<void> {
  const { destination, destinationLength = 0, table = RT_TABLE.MAIN } = settings;
  const operation = `${verb} route ${destination === undefined ? "default" : `${destination}/${destinationLength}`}`;
  const header = { sourceLength: 0, tos: 0, protocol: RTPROT.STATIC, scope: scopeOf(settings), type: RTN.UNICAST, flags: 0 };
  const value = { ...header, ...settings, destinationLength, tableByte: tableByteOf(table), table };
  return change({ type, flags, form: ROUTE, operation, payload: ROUTE.bytes(value, operation) });
}

/** As far as a route reaches when nobody says: as iproute2 has it. */
function scopeOf({ family, type = RTN.UNICAST, gateway, via, multipath, nexthopId }: RouteSettings): number {
  if (family === AF_INET6) return RT_SCOPE.UNIVERSE;
  if (type === RTN.LOCAL || type === RTN.NAT) return RT_SCOPE.HOST;
  if (type === RTN.BROADCAST || type === RTN.MULTICAST || type === RTN.ANYCAST) return RT_SCOPE.LINK;
  const direct = gateway === undefined && via === undefined && multipath === undefined && nexthopId === undefined;
  return type === RTN.UNICAST && direct ? RT_SCOPE.LINK : RT_SCOPE.UNIVERSE;
}

/** A policy rule; without an action it leads to a table. */
export type RuleSettings = RuleAttributes & {
  readonly family: number;
  readonly destinationLength?: number;
  readonly sourceLength?: number;
  readonly tos?: number;
  /** FR_ACT_*. */
  readonly action?: number;
  /** FIB_RULE_*. */
  readonly flags?: number;
};

export function addRule(settings: RuleSettings): Request<void> {
  return ruleChange({ type: RTM.NEWRULE, flags: ADD, words: "add" }, { action: FR_ACT.TO_TBL, ...settings });
}

/** The first that matches all of what is given. The kernel's ENOENT where there is none. */
export function deleteRule(settings: RuleSettings): Request<void> {
  return ruleChange({ type: RTM.DELRULE, flags: 0, words: "delete" }, { action: FR_ACT.UNSPEC, ...settings });
}

function ruleChange({ type, flags, words: verb }: Kind<string>, settings: RuleSettings & { readonly action: number }): Request<void> {
  const operation = `${verb} rule${settings.priority === undefined ? "" : ` ${settings.priority}`}`;
  const header = { destinationLength: 0, sourceLength: 0, tos: 0, flags: 0, tableByte: tableByteOf(settings.table ?? RT_TABLE.UNSPEC) };
  return change({ type, flags, form: RULE, operation, payload: RULE.bytes({ ...header, ...settings }, operation) });
}

/** A neighbour; with family AF_BRIDGE an entry of a forwarding database. */
export type NeighbourSettings = NeighbourAttributes & {
  readonly family: number;
  readonly index: number;
  /** NUD_*; permanent where nobody says. */
  readonly state?: number;
  /** NTF_*. */
  readonly flags?: number;
};

export function addNeighbour(settings: NeighbourSettings): Request<void> {
  return neighbourChange({ type: RTM.NEWNEIGH, flags: ADD, words: "add" }, settings);
}

export function replaceNeighbour(settings: NeighbourSettings): Request<void> {
  return neighbourChange({ type: RTM.NEWNEIGH, flags: REPLACE, words: "set" }, settings);
}

export function deleteNeighbour(settings: NeighbourSettings): Request<void> {
  return neighbourChange({ type: RTM.DELNEIGH, flags: 0, words: "delete" }, settings);
}

function neighbourChange({ type, flags, words: verb }: Kind<string>, settings: NeighbourSettings): Request<void> {
  const what = settings.family === AF_BRIDGE ? `forwarding entry ${settings.address}` : `neighbour ${settings.destination}`;
  const operation = `${verb} ${what} of link ${settings.index}`;
  const value = { state: NUD.PERMANENT, flags: 0, type: 0, ...settings };
  return change({ type, flags, form: NEIGHBOUR, operation, payload: NEIGHBOUR.bytes(value, operation) });
}
