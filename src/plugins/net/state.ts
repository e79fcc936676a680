import type { Json, JsonObject } from "../../core/json.ts";
import type { Reading, ResourceReading } from "../../core/plugin.ts";
import { sameValue, type KeyPath, type OwnedResources, type Resource, type Resources } from "../../core/resource.ts";
import type { BOND_MODES, HASH_POLICIES, LACP_RATES, OVS_TYPES, TYPES } from "./declared.ts";
import type { OvsState } from "./ovs/declared.ts";
import { isRoute } from "./route-name.ts";

/*
 * An interface as a resource: the keys of FORMATS.md, with addresses and ports by member. null: not there, or the system's default.
 */

export type LinkType = (typeof TYPES)[number];

export interface InterfaceState {
  readonly state?: "present" | "absent" | null;
  readonly match?: { readonly mac?: string; readonly path?: string };
  readonly type?: LinkType | (typeof OVS_TYPES)[number] | null;
  readonly up?: boolean | null;
  readonly mtu?: number | null;
  readonly mac?: string | null;
  readonly ports?: Readonly<Record<string, PortState>>;
  readonly ports_exclusive?: boolean | null;
  readonly vlan?: { readonly id?: number | null; readonly base?: string | null };
  readonly veth?: { readonly peer?: string | null };
  readonly bond?: BondState;
  readonly vxlan?: VxlanState;
  readonly bridge?: BridgeState;
  readonly ipv4?: IpState;
  readonly ipv6?: IpState;
  readonly ovs?: OvsState;
  readonly controller?: string | null;
  readonly properties?: Readonly<Record<string, Json>>;
  /** The lists, and `ovs`, that the document has: of what op-dbus put there, they name all that is to stay. */
  readonly written?: Readonly<Partial<Record<"ports" | "ovs" | "ipv4.address" | "ipv6.address", JsonObject>>>;
}

export interface BondState {
  readonly mode?: (typeof BOND_MODES)[number] | null;
  readonly miimon?: number | null;
  readonly lacp_rate?: (typeof LACP_RATES)[number] | null;
  readonly xmit_hash_policy?: (typeof HASH_POLICIES)[number] | null;
}

export interface BridgeState {
  readonly vlan_filtering?: boolean | null;
  readonly stp?: boolean | null;
  /** Seconds. */
  readonly forward_delay?: number | null;
}

export interface VxlanState {
  readonly id?: number | null;
  readonly local?: string | null;
  readonly remote?: string | null;
  readonly port?: number | null;
  readonly base?: string | null;
}

export interface PortState {
  readonly state?: "present" | "absent" | null;
  /** As `vlansText` spells them; only where the bridge filters VLANs. */
  readonly vlans?: readonly string[] | null;
}

export interface IpState {
  readonly enabled?: boolean | null;
  readonly dhcp?: boolean | null;
  readonly autoconf?: boolean | null;
  /** By "192.168.1.10/24". "vrrp" is known and left to keepalived. */
  readonly address?: Readonly<Record<string, "present" | "absent" | "vrrp" | null>>;
  readonly gateway?: string | null;
  readonly dns?: readonly string[] | null;
}

export interface RouteState {
  readonly state?: "present" | "absent" | null;
  readonly via?: string | null;
  readonly dev?: string | null;
}

/** What `plan` looks at besides a link's keys. */
export interface LinkFacts {
  /** The kernel's word for what it is ("tun"), where that is none of the types of a document. */
  readonly kind?: string;
  readonly permanentMac?: string;
  /** Where its device is: "pci-0000:00:03.0". */
  readonly path?: string;
  /** True where the link takes its hardware address from its ports or its base (NET_ADDR_SET is not its addr_assign_type). */
  readonly followsMac?: boolean;
  /** IPv4 addresses that go with the first of their network. */
  readonly secondary?: readonly string[];
  readonly ipv6Off?: boolean;
  readonly autoconf?: boolean;
  /** net.ipv6.conf.*.keep_addr_on_down. */
  readonly keepsIpv6?: boolean;
  /** The row in Open vSwitch's database, of a bridge or of a port. */
  readonly vswitch?: RowFacts;
}

export interface RowFacts {
  readonly uuid: string;
  /** What of it a document cannot say, so that it could not be made again: "protocols". */
  readonly special?: readonly string[];
}

/** What `plan` looks at besides a route's keys. */
export interface RouteFacts {
  /** Of one with more than a document can say, such as several nexthops or a type other than unicast: the links that it leads over. */
  readonly special?: readonly string[];
}

/** What `plan` tells its reader besides. */
export interface LinkAdvice {
  /** The addresses by which the operator's sessions came in. */
  readonly sessions?: readonly string[];
  /** Addresses that end by themselves, as those of DHCP and of router advertisements do. */
  readonly passing?: readonly string[];
}

/** A plan's arguments, by resource. */
export class View {
  readonly desired: Resources;
  readonly owned: OwnedResources;
  /** The names of all resources that are there, and of those that are interfaces. */
  readonly there: readonly string[];
  readonly links: readonly string[];
  readonly #actual: Reading;
  readonly #masters = new Map<string, string>();

  constructor(desired: Resources, actual: Reading, owned: OwnedResources) {
    this.desired = Object.fromEntries(Object.entries(desired).map(([name, resource]) => [name, resource.state === "absent" ? absent(resource) : resource] as const));
    this.owned = owned;
    this.#actual = actual;
    this.there = Object.keys(actual.resources).filter((name) => this.isThere(name));
    this.links = this.there.filter((name) => !isRoute(name));
    for (const [name, { state }] of Object.entries(actual.resources)) {
      for (const [port, { state: joined }] of Object.entries((state as InterfaceState).ports ?? {})) if (joined === "present") this.#masters.set(port, name);
    }
  }

  /** What is there of a resource; a resource that was not read is not there. */
  now(name: string): InterfaceState {
    return this.#state(name) as InterfaceState;
  }

  routeNow(name: string): RouteState {
    return this.#state(name) as RouteState;
  }

  want(name: string): InterfaceState | undefined {
    return Object.hasOwn(this.desired, name) ? (this.desired[name] as InterfaceState) : undefined;
  }

  routeWant(name: string): RouteState {
    return (Object.hasOwn(this.desired, name) ? this.desired[name] : {}) as RouteState;
  }

  facts(name: string): LinkFacts {
    return (this.#reading(name)?.facts ?? {}) as LinkFacts;
  }

  routeFacts(name: string): RouteFacts {
    return (this.#reading(name)?.facts ?? {}) as RouteFacts;
  }

  advice(name: string): LinkAdvice {
    return (this.#reading(name)?.advice ?? {}) as LinkAdvice;
  }

  isThere(name: string): boolean {
    return this.now(name).state !== "absent";
  }

  /** There, or declared to be. */
  isKnown(name: string): boolean {
    const want = this.want(name);
    return this.isThere(name) || (want !== undefined && want.state !== "absent");
  }

  /** Whether op-dbus put it there, where nothing was. */
  owns(name: string, path: KeyPath): boolean {
    return this.owned[name]?.keys.some((key) => sameValue([...key.path], [...path]) && key.original === null) === true;
  }

  /** A guest's port may be one of Open vSwitch's and of a bridge of the kernel at once. */
  hasPort(master: string, port: string): boolean {
    return this.now(master).ports?.[port]?.state === "present";
  }

  /** The bridge or bond that an interface is a port of. */
  master(port: string): string | undefined {
    return this.#masters.get(port);
  }

  #state(name: string): ResourceReading["state"] {
    return this.#reading(name)?.state ?? { state: "absent" };
  }

  #reading(name: string): ResourceReading | undefined {
    return Object.hasOwn(this.#actual.resources, name) ? this.#actual.resources[name] : undefined;
  }
}

/** What is to be absent is that with all its keys: a before-state may have been put together of one where it was not there and one where it was. */
function absent({ state, match }: Resource): Resource {
  return { ...(state === undefined ? {} : { state }), ...(match === undefined ? {} : { match }) };
}
