import type { Json } from "../../core/json.ts";
import type { Action, Step } from "../../core/plugin.ts";
import type { KeyPath } from "../../core/resource.ts";
import type { VswitchOperation } from "./ovs/operations.ts";
import type { RouteKey } from "./route-name.ts";
import type { BondState, BridgeState, LinkType, VxlanState } from "./state.ts";

/** One thing that the kernel is told. Interfaces go by name: one that is made again has another number. */
export type Operation = LinkOperation | AddressOperation | RouteOperation;

export type LinkOperation =
  | ({ readonly do: "create"; readonly name: string; readonly type: LinkType } & LinkSettings & LinkMakeup)
  | ({ readonly do: "set"; readonly name: string; readonly up?: boolean } & LinkSettings)
  | { readonly do: "join"; readonly port: string; readonly master: string; readonly bond?: boolean }
  | { readonly do: "leave"; readonly port: string; readonly master: string }
  | { readonly do: "vlans"; readonly port: string; readonly vlans: readonly string[] | null }
  | { readonly do: "remove"; readonly name: string };

export interface LinkSettings {
  readonly mtu?: number;
  readonly mac?: string;
  readonly bridge?: BridgeState;
  readonly bond?: BondState;
}

/** What a link is made with and keeps. */
export interface LinkMakeup {
  readonly vlan?: { readonly id: number; readonly base: string };
  readonly veth?: { readonly peer: string };
  readonly vxlan?: VxlanState;
}

export type AddressOperation =
  | { readonly do: "add address"; readonly dev: string; readonly address: string; readonly moved?: boolean }
  /** `keep`: other addresses of its network, which the kernel would take away with it. */
  | { readonly do: "remove address"; readonly dev: string; readonly address: string; readonly keep?: readonly string[] };

export type RouteOperation = ({ readonly do: "set route" | "remove route"; readonly via?: string; readonly dev?: string }) & RouteKey;

/** When an operation's turn comes. What carries traffic stays until what takes its place is there. */
export const STAGES = [
  "create links", "change Open vSwitch", "create links on Open vSwitch", "set links", "add addresses", "change ports", "change Open vSwitch again",
  "set routes", "remove routes and addresses", "change Open vSwitch at last", "remove links",
] as const;
/** One transaction each. */
const VSWITCH = "change Open vSwitch";
export type Stage = (typeof STAGES)[number];

export interface Work {
  readonly stage: Stage;
  /** None where another one brings its actions about. */
  readonly operations?: readonly (Operation | VswitchOperation)[];
  readonly actions: readonly Action[];
  /** Of one stage, lower ranks come first: a base before what stands on it. */
  readonly rank?: number;
}

/** Operations of the kernel's, or else of Open vSwitch's. */
export type Call = { readonly operations: readonly Operation[] } | { readonly vswitch: readonly VswitchOperation[] };

/**
 * Gathers the work into at most eleven steps, seven where there is no Open vSwitch. Of two actions on one key the first counts, but what
 * is declared before what is implied; an operation stays whatever becomes of its actions.
 */
export function buildSteps(work: readonly Work[]): Step[] {
  const seen = new Set(work.flatMap(({ actions }) => actions.flatMap((action) => (action.impliedBy === undefined ? [keyOf(action)] : []))));
  const isNew = (action: Action): boolean => {
    if (action.impliedBy === undefined) return true;
    const known = seen.has(keyOf(action));
    seen.add(keyOf(action));
    return !known;
  };
  return STAGES.flatMap((name) => {
    const turn = work.filter(({ stage }) => stage === name).toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
    const operations = turn.flatMap(({ operations: own = [] }) => own);
    const actions = turn.flatMap((item) => item.actions.filter(isNew));
    const isVswitch = name.startsWith(VSWITCH);
    const call = isVswitch ? { vswitch: operations } : { operations };
    return operations.length === 0 ? [] : [{ plugin: "net", name: isVswitch ? VSWITCH : name, actions, call: call as unknown as Json }];
  });
}

export function keyOf({ resource, path = [] }: { readonly resource: string; readonly path?: KeyPath }): string {
  return [resource, ...path].join("\0");
}
