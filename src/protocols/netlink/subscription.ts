import { codeOf, OpError } from "../../core/errors.ts";
import { ADDRESS } from "./address.ts";
import { ProtocolViolation } from "./attribute.ts";
import { RTM, RTNLGRP } from "./constants.ts";
import { LINK } from "./link.ts";
import { messagesIn, NLMSG_OVERRUN, type Message } from "./message.ts";
import { NEIGHBOUR } from "./neighbour.ts";
import type { EventGroup, NetlinkEvent } from "./netlink.ts";
import { ROUTE } from "./route.ts";
import { RULE } from "./rule.ts";
import type { Transport } from "./transport.ts";

const GROUPS: Readonly<Record<EventGroup, number>> = {
  link: RTNLGRP.LINK,
  "ipv4-address": RTNLGRP.IPV4_IFADDR,
  "ipv6-address": RTNLGRP.IPV6_IFADDR,
  "ipv4-route": RTNLGRP.IPV4_ROUTE,
  "ipv6-route": RTNLGRP.IPV6_ROUTE,
  "ipv4-rule": RTNLGRP.IPV4_RULE,
  "ipv6-rule": RTNLGRP.IPV6_RULE,
  neighbour: RTNLGRP.NEIGH,
};

const LOST: NetlinkEvent = { kind: "lost" };

/** Joins the groups and delivers what they are told until it is disposed, when it closes the socket. */
export class Subscription implements Disposable {
  readonly #socket: Transport;
  readonly #handler: (event: NetlinkEvent) => void;
  #open = true;

  constructor(socket: Transport, handler: (event: NetlinkEvent) => void) {
    this.#socket = socket;
    this.#handler = handler;
  }

  async begin(groups: readonly EventGroup[]): Promise<void> {
    for (const group of groups) this.#socket.join(GROUPS[group]);
    await this.#socket.watch(() => this.#drain());
  }

  [Symbol.dispose](): void {
    this.#open = false;
    this.#socket.close();
  }

  #drain(): void {
    // A handler may dispose of the subscription.
    while (this.#open) {
      const events = this.#next();
      if (events === undefined) return;
      for (const event of events) if (this.#open) deliver(event, this.#handler);
    }
  }

  /** The events of the next piece. One that cannot be read is a lost one. */
  #next(): readonly NetlinkEvent[] | undefined {
    try {
      const piece = this.#socket.receive();
      return piece === undefined ? undefined : eventsIn(piece);
    } catch (error) {
      if (error instanceof ProtocolViolation || (error instanceof OpError && codeOf(error.cause) === "ENOBUFS")) return [LOST];
      throw error;
    }
  }
}

/** What a piece tells. Throws ProtocolViolation. */
export function eventsIn(piece: Uint8Array): NetlinkEvent[] {
  return messagesIn(piece).flatMap((message) => eventOf(message) ?? []);
}

function eventOf({ type, payload }: Message): NetlinkEvent | undefined {
  switch (type) {
    case RTM.NEWLINK:
    case RTM.DELLINK:
      return { kind: "link", change: type === RTM.NEWLINK ? "new" : "deleted", link: LINK.decode(payload) };
    case RTM.NEWADDR:
    case RTM.DELADDR:
      return { kind: "address", change: type === RTM.NEWADDR ? "new" : "deleted", address: ADDRESS.decode(payload) };
    case RTM.NEWROUTE:
    case RTM.DELROUTE:
      return { kind: "route", change: type === RTM.NEWROUTE ? "new" : "deleted", route: ROUTE.decode(payload) };
    case RTM.NEWRULE:
    case RTM.DELRULE:
      return { kind: "rule", change: type === RTM.NEWRULE ? "new" : "deleted", rule: RULE.decode(payload) };
    case RTM.NEWNEIGH:
    case RTM.DELNEIGH:
      return { kind: "neighbour", change: type === RTM.NEWNEIGH ? "new" : "deleted", neighbour: NEIGHBOUR.decode(payload) };
    case NLMSG_OVERRUN:
      return LOST;
    default:
      return undefined;
  }
}

/** What a handler throws is a bug of its own: it ends the program, and not the subscription. */
function deliver(event: NetlinkEvent, handler: (event: NetlinkEvent) => void): void {
  try {
    handler(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
