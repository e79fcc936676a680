import type { Address } from "./address.ts";
import type { Link } from "./link.ts";
import type { Message } from "./message.ts";
import type { Neighbour } from "./neighbour.ts";
import type { PlaceNames } from "./payload.ts";
import type { Route } from "./route.ts";
import type { Rule } from "./rule.ts";

/** One request to the kernel. Functions of reads.ts, link-changes.ts and changes.ts make them. */
export interface Request<Answer> {
  /** RTM_*. */
  readonly type: number;
  /** NLM_F_*, beside REQUEST and ACK, which each has. */
  readonly flags: number;
  readonly payload: Buffer;
  /** In the field's terms, to follow "Could not": "create link br0". */
  readonly operation: string;
  readonly form: PlaceNames;
  /** What the kernel's messages say. Throws ProtocolViolation where they do not say it. */
  answer(messages: readonly Message[]): Answer;
}

export type EventGroup = "link" | "ipv4-address" | "ipv6-address" | "ipv4-route" | "ipv6-route" | "ipv4-rule" | "ipv6-rule" | "neighbour";

/** "new" is also told of what changed. */
export type Change = "new" | "deleted";

/**
 * What happened. A link of family AF_BRIDGE is a port as its bridge sees it: deleted, it has left the bridge and is still there. "lost" stands for
 * events that came faster than they were received: what was built on them is to be read anew.
 */
export type NetlinkEvent =
  | { readonly kind: "link"; readonly change: Change; readonly link: Link }
  | { readonly kind: "address"; readonly change: Change; readonly address: Address }
  | { readonly kind: "route"; readonly change: Change; readonly route: Route }
  | { readonly kind: "rule"; readonly change: Change; readonly rule: Rule }
  | { readonly kind: "neighbour"; readonly change: Change; readonly neighbour: Neighbour }
  | { readonly kind: "lost" };

/** rtnetlink(7) of the network namespace that this process is in. */
export interface Netlink {
  /**
   * Sends a request and gives its answer. Requests made together travel together and are done in the order of the calls; one that fails
   * does not keep the later ones from being done. Rejects with an OpError: the kernel's refusals by errors.ts, kind unavailable where no
   * answer came, was lost, or never was of one piece.
   */
  send<Answer>(request: Request<Answer>): Promise<Answer>;
  /** Delivers events in the order of arrival until disposed. When this resolves, no later event is missed without a "lost". */
  subscribe(groups: readonly EventGroup[], handler: (event: NetlinkEvent) => void): Promise<Disposable>;
  /** Requests sent so far, by the list of reads.ts. A dump that was asked for again counts each time. */
  readonly counts: { readonly reads: number; readonly writes: number };
  /** Nothing is sent any more, and subscriptions end. */
  close(): void;
}
