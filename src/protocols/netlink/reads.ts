import { ADDRESS, type Address } from "./address.ts";
import { ProtocolViolation } from "./attribute.ts";
import { AF_BRIDGE, AF_UNSPEC, RTEXT_FILTER, RTM } from "./constants.ts";
import { LINK, type Link } from "./link.ts";
import { NLM_F, type Message } from "./message.ts";
import { NEIGHBOUR, type Neighbour } from "./neighbour.ts";
import type { Request } from "./netlink.ts";
import { familyOf } from "./request.ts";
import { ROUTE, tableByteOf, type Route } from "./route.ts";
import { RULE, type Rule } from "./rule.ts";

/** The messages that change nothing: the one list of them (DESIGN.md, Reads). Anything else is a write. */
const READS: ReadonlySet<number> = new Set([RTM.GETLINK, RTM.GETADDR, RTM.GETROUTE, RTM.GETRULE, RTM.GETNEIGH]);

/** Whether the request is known to change nothing. */
export function isRead({ type }: Pick<Request<unknown>, "type">): boolean {
  return READS.has(type);
}

/** Whether the answer is a list. Of what makes something the same flags mean something else. */
export function isDump(request: Pick<Request<unknown>, "type" | "flags">): boolean {
  return isRead(request) && (request.flags & NLM_F.DUMP) === NLM_F.DUMP;
}

/** Which link: by index, or by name. */
export type LinkReference = { readonly index: number } | { readonly name: string };

export interface LinkFilter {
  /** AF_BRIDGE for the ports of bridges as these see them, and with `bridgeVlans` the bridges themselves. */
  readonly family?: number;
  readonly kind?: string;
  /** The bridge's or bond's index. */
  readonly master?: number;
  /** With the VLANs of each port, as ranges; only for AF_BRIDGE, which it implies. */
  readonly bridgeVlans?: boolean;
}

export function dumpLinks({ family, kind, master, bridgeVlans = false }: LinkFilter = {}): Request<readonly Link[]> {
  const operation = "read the links";
  const extensionMask = RTEXT_FILTER.SKIP_STATS | (bridgeVlans ? RTEXT_FILTER.BRVLAN_COMPRESSED : 0);
  const header = { family: family ?? (bridgeVlans ? AF_BRIDGE : AF_UNSPEC), type: 0, index: 0, flags: 0, change: 0 };
  const filter = { ...(master === undefined ? {} : { master }), ...(kind === undefined ? {} : { linkInfo: { kind } }) };
  return dump({ type: RTM.GETLINK, answers: RTM.NEWLINK, form: LINK, operation, payload: LINK.bytes({ ...header, ...filter, extensionMask }, operation) });
}

/** One link. The kernel's ENODEV where there is none. */
export function getLink(reference: LinkReference): Request<Link> {
  const operation = `read ${linkWords(reference)}`;
  const index = "index" in reference ? reference.index : 0;
  const name = "name" in reference ? { name: reference.name } : {};
  const payload = LINK.bytes({ family: AF_UNSPEC, type: 0, index, flags: 0, change: 0, ...name, extensionMask: RTEXT_FILTER.SKIP_STATS }, operation);
  return get({ type: RTM.GETLINK, answers: RTM.NEWLINK, form: LINK, operation, payload });
}

export function dumpAddresses({ family = AF_UNSPEC, index = 0 }: { readonly family?: number; readonly index?: number } = {}): Request<readonly Address[]> {
  const operation = "read the addresses";
  const payload = ADDRESS.bytes({ family, prefixLength: 0, flagsByte: 0, scope: 0, index }, operation);
  return dump({ type: RTM.GETADDR, answers: RTM.NEWADDR, form: ADDRESS, operation, payload });
}

/** All of what is given must match; without a family, both. The kernel's ENOENT for a table that it does not have. */
export interface RouteFilter {
  readonly family?: number;
  readonly table?: number;
  readonly protocol?: number;
  /** RTN_*. */
  readonly type?: number;
  readonly outIndex?: number;
}

const ANY_ROUTE = { destinationLength: 0, sourceLength: 0, tos: 0, tableByte: 0, protocol: 0, scope: 0, type: 0, flags: 0 };

export function dumpRoutes({ family = AF_UNSPEC, table, protocol = 0, type = 0, outIndex }: RouteFilter = {}): Request<readonly Route[]> {
  const operation = "read the routes";
  const ofTable = table === undefined ? {} : { tableByte: tableByteOf(table), table };
  const filter = { ...ANY_ROUTE, family, protocol, type, ...ofTable, ...(outIndex === undefined ? {} : { outIndex }) };
  return dump({ type: RTM.GETROUTE, answers: RTM.NEWROUTE, form: ROUTE, operation, payload: ROUTE.bytes(filter, operation) });
}

/** The route that a packet to this address takes. */
export function getRoute({ destination, source, outIndex }: { readonly destination: string; readonly source?: string; readonly outIndex?: number }): Request<Route> {
  const operation = `read the route to ${destination}`;
  const { family, bits } = familyOf(destination, operation);
  const from = source === undefined ? {} : { source, sourceLength: bits };
  const wanted = { ...ANY_ROUTE, family, destination, destinationLength: bits, ...from, ...(outIndex === undefined ? {} : { outIndex }) };
  return get({ type: RTM.GETROUTE, answers: RTM.NEWROUTE, form: ROUTE, operation, payload: ROUTE.bytes(wanted, operation) });
}

export function dumpRules({ family = AF_UNSPEC }: { readonly family?: number } = {}): Request<readonly Rule[]> {
  const operation = "read the rules";
  const header = { family, destinationLength: 0, sourceLength: 0, tos: 0, tableByte: 0, action: 0, flags: 0 };
  return dump({ type: RTM.GETRULE, answers: RTM.NEWRULE, form: RULE, operation, payload: RULE.bytes(header, operation) });
}

export interface NeighbourFilter {
  /** AF_BRIDGE for the forwarding databases. */
  readonly family?: number;
  readonly index?: number;
  readonly master?: number;
}

export function dumpNeighbours({ family = AF_UNSPEC, index, master }: NeighbourFilter = {}): Request<readonly Neighbour[]> {
  const operation = family === AF_BRIDGE ? "read the forwarding databases" : "read the neighbours";
  const filter = { ...(index === undefined ? {} : { outIndex: index }), ...(master === undefined ? {} : { master }) };
  const payload = NEIGHBOUR.bytes({ family, index: 0, state: 0, flags: 0, type: 0, ...filter }, operation);
  return dump({ type: RTM.GETNEIGH, answers: RTM.NEWNEIGH, form: NEIGHBOUR, operation, payload });
}

/** "link eth0", "link 3". */
export function linkWords(reference: LinkReference): string {
  return `link ${"name" in reference ? reference.name : reference.index}`;
}

interface Query<T> extends Pick<Request<T>, "type" | "operation" | "payload"> {
  /** The type of the messages that answer it. */
  readonly answers: number;
  readonly form: Request<T>["form"] & { decode(payload: Buffer): T };
}

function dump<T>({ answers, ...query }: Query<T>): Request<readonly T[]> {
  return { ...query, flags: NLM_F.DUMP, answer: (messages) => messages.filter(({ type }) => type === answers).map(({ payload }) => query.form.decode(payload)) };
}

function get<T>({ answers, ...query }: Query<T>): Request<T> {
  return {
    ...query,
    flags: 0,
    answer(messages: readonly Message[]) {
      const found = messages.find(({ type }) => type === answers);
      if (found === undefined) throw new ProtocolViolation("an answer without what was asked for");
      return query.form.decode(found.payload);
    },
  };
}
