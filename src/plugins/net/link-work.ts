import type { Json } from "../../core/json.ts";
import type { Action, Risk } from "../../core/plugin.ts";
import { sameValue, valueAt, type KeyPath, type Resource } from "../../core/resource.ts";
import type { Around } from "./around.ts";
import { downWith, keysOf, lostWith } from "./losses.ts";
import { ovsTypeOf } from "./ovs/ports.ts";
import type { BondState, BridgeState, InterfaceState, LinkType, View } from "./state.ts";
import type { LinkMakeup, LinkSettings, Work } from "./steps.ts";

/** Keys that a link is made with; the kernel changes none of them afterwards. */
export const MAKEUP: readonly KeyPath[] = [
  ["type"], ["vlan", "id"], ["vlan", "base"], ["veth", "peer"], ["bond", "mode"],
  ["vxlan", "id"], ["vxlan", "local"], ["vxlan", "remote"], ["vxlan", "port"], ["vxlan", "base"],
];
/** Keys of a link by itself; the others are of what is on it. */
const SETTINGS: readonly KeyPath[] = [
  ["mtu"], ["mac"], ["bridge", "vlan_filtering"], ["bridge", "stp"], ["bridge", "forward_delay"], ["bond", "miimon"], ["bond", "lacp_rate"], ["bond", "xmit_hash_policy"],
];
/** What the kernel gives a bridge and a bond that is told nothing (br_dev_setup, bond_params). */
const KERNEL_DEFAULTS: Readonly<Record<string, Json>> = {
  "bridge.vlan_filtering": false, "bridge.stp": false, "bridge.forward_delay": 15,
  "bond.mode": "balance-rr", "bond.miimon": 0, "bond.lacp_rate": "slow", "bond.xmit_hash_policy": "layer2",
};
const USUAL_MTU = 1500;
/** After links are removed: what was a bond's port may go down then. */
const DOWN_LAST = 1;

/** What brings a link itself, without its ports and addresses, to what is declared of it. */
export function linkWork(name: string, around: Around): Work[] {
  const { view } = around;
  const want = view.want(name);
  if (want === undefined) return [];
  const type = ovsTypeOf(name, view);
  if (want.state === "absent") return view.isThere(name) && type === undefined ? removal(name, around) : [];
  if (!view.isThere(name) && type !== undefined) return type === "ovs-patch" ? [] : raised(name, want, view);
  return view.isThere(name) ? changes(name, want, around) : creation(name, want, around);
}

/** How many links a link stands on, as it will be. */
export function rankOf(name: string, view: View): number {
  let rank = 0;
  for (let base = baseOf(name, view); base !== undefined && rank < 100; base = baseOf(base, view)) rank += 1;
  return rank;
}

function standsOnVswitch(name: string, view: View): boolean {
  for (let [base, below] = [baseOf(name, view), 0]; base !== undefined && below < 100; [base, below] = [baseOf(base, view), below + 1]) if (ovsTypeOf(base, view) !== undefined) return true;
  return false;
}

function baseOf(name: string, view: View): string | undefined {
  const [want, now] = [view.want(name) ?? {}, view.now(name)];
  return want.vlan?.base ?? now.vlan?.base ?? want.vxlan?.base ?? now.vxlan?.base ?? undefined;
}

/** Open vSwitch makes its links down. One that is made is to be of use, unless the document says otherwise. */
function raised(name: string, want: InterfaceState, view: View): Work[] {
  if (want.up !== undefined && want.up !== true) return [];
  const action: Action = { resource: name, verb: "bring up", path: ["up"], from: null, to: true, risk: "low", ...(want.up === undefined ? { impliedBy: name } : {}) };
  return [{ stage: "set links", rank: rankOf(name, view), operations: [{ do: "set", name, up: true }], actions: [action] }];
}

function creation(name: string, want: InterfaceState, { view, moves }: Around): Work[] {
  const action = (verb: string, path: KeyPath, to: Json, note?: string): Action => ({ resource: name, verb, path, from: null, to, risk: "low", ...(note === undefined ? {} : { note }) });
  const rank = rankOf(name, view);
  const made: Action[] = [{ resource: name, verb: "create", path: ["state"], from: "absent", to: "present", risk: "low" }];
  const told = [...MAKEUP, ...SETTINGS].flatMap((path) => {
    const value = valueAt(want as Resource, path);
    return value == null ? [] : [{ path, value }];
  });
  const mac = want.mac === undefined ? moves.macFor(name) : undefined;
  const actions = told.map(({ path, value }) => action("set", path, value));
  if (mac !== undefined) actions.push({ ...action("set", ["mac"], mac.address, `the address of ${mac.port}, whose addresses move here`), impliedBy: name });
  const all = settingsOf({ ...want, ...(mac === undefined ? {} : { mac: mac.address }) });
  const { mtu, ...first } = all;
  // A base's MTU may still be too small for what stands on it; a bridge that is made with one goes on following its ports.
  const waits = rank > 0 || want.type === "bridge";
  const later = waits && mtu !== undefined ? { mtu } : {};
  const peer = want.veth?.peer ?? undefined;
  const byPeer = want.type === "veth" && peer !== undefined && !view.isThere(peer) && view.want(peer)?.veth?.peer === name && peer < name;
  const type = want.type as LinkType;
  const operation = { do: "create" as const, name, type, ...makeupOf(want), ...first, ...(waits || mtu === undefined ? {} : { mtu }) };
  // A link that is made is to be of use, unless the document says otherwise.
  const up = want.up === undefined || want.up === true;
  const set = { ...(byPeer ? all : later), ...(up ? { up } : {}) };
  return [
    { stage: standsOnVswitch(name, view) ? "create links on Open vSwitch" : "create links", rank, actions: [...made, ...actions, ...(byPeer ? [] : peerMade(name, peer, view))], ...(byPeer ? {} : { operations: [operation] }) },
    ...(Object.keys(set).length === 0 ? [] : [{ stage: "set links" as const, rank, operations: [{ do: "set" as const, name, ...set }], actions: up ? [{ ...action("bring up", ["up"], true), ...(want.up === undefined ? { impliedBy: name } : {}) }] : [] }]),
  ];
}

/** A veth that the document does not name is made with its peer. */
function peerMade(name: string, peer: string | undefined, view: View): Action[] {
  if (peer === undefined || view.want(peer) !== undefined) return [];
  const action = (path: KeyPath, to: Json, from: Json = null): Action => ({ resource: peer, verb: "create", path, from, to, risk: "low", impliedBy: name });
  return [action(["state"], "present", "absent"), action(["type"], "veth"), action(["veth", "peer"], name)];
}

function changes(name: string, want: InterfaceState, { view, guard }: Around): Work[] {
  const now = view.now(name);
  const differing = (ovsTypeOf(name, view) === undefined ? SETTINGS : []).flatMap((path) => {
    const declared = valueAt(want as Resource, path);
    const [from, to] = [valueAt(now as Resource, path) ?? null, declared === null ? defaultFor(name, path, view) : declared];
    return to === undefined || to === null || sameValue(from, to) ? [] : [{ path, from, to }];
  });
  const work: Work[] = [];
  const rank = rankOf(name, view);
  if (differing.length > 0) {
    const actions = differing.map(({ path, from, to }): Action => ({ resource: name, verb: "set", path, from, to, risk: riskOf(path) }));
    const values = Object.fromEntries(differing.map(({ path, to }) => [path.join("."), to]));
    // What stands on a link is made smaller before it, and larger after it.
    const smaller = typeof now.mtu === "number" && typeof values.mtu === "number" && values.mtu < now.mtu;
    work.push({ stage: "set links", rank: smaller ? -rank - 1 : rank, actions, operations: [{ do: "set", name, ...settingsAt(values) }] });
  }
  if (want.up === true && now.up === false) {
    const action: Action = { resource: name, verb: "bring up", path: ["up"], from: false, to: true, risk: "low" };
    work.push({ stage: "set links", rank: rank + 0.5, actions: [action], operations: [{ do: "set", name, up: true }] });
  }
  if (want.up === false && now.up === true) {
    const action: Action = { resource: name, verb: "take down", path: ["up"], from: true, to: false, risk: "high", ...guard.link(name) };
    work.push({ stage: "remove links", rank: DOWN_LAST, actions: [action, ...downWith(name, view)], operations: [{ do: "set", name, up: false }] });
  }
  return work;
}

function removal(name: string, { view, guard }: Around): Work[] {
  const gone = keysOf(name, view).map(({ path, value }): Action => ({ resource: name, verb: "remove", path, from: value, to: null, risk: "high" }));
  const whole: Action = { resource: name, verb: "remove", path: ["state"], from: "present", to: "absent", risk: "high", ...guard.link(name), note: MADE_AGAIN };
  const peer = view.now(name).veth?.peer ?? undefined;
  const byPeer = peer !== undefined && view.want(peer)?.state === "absent" && peer < name;
  const stacked = lostWith(name, view);
  return [{ stage: "remove links", rank: -rankOf(name, view), actions: [whole, ...gone, ...stacked], ...(byPeer ? {} : { operations: [{ do: "remove", name }] }) }];
}

const MADE_AGAIN = "made again, it has the kernel's defaults in all that a document cannot say";

/** What null stands for; undefined where the system has no default, and null leaves it alone. */
function defaultFor(name: string, path: KeyPath, view: View): Json | undefined {
  const key = path.join(".");
  if (key === "mac") return view.facts(name).permanentMac;
  if (key !== "mtu") return KERNEL_DEFAULTS[key];
  const { type, vxlan } = view.now(name);
  return type == null || type === "vlan" || (type === "vxlan" && vxlan?.base != null) ? undefined : USUAL_MTU;
}

function riskOf([key]: KeyPath): Risk {
  return key === "mtu" || key === "mac" || key === "bridge" ? "medium" : "low";
}

function makeupOf({ vlan, veth, vxlan, type }: InterfaceState): LinkMakeup {
  return {
    ...(type === "vlan" && vlan?.id != null && vlan.base != null ? { vlan: { id: vlan.id, base: vlan.base } } : {}),
    ...(type === "veth" && veth?.peer != null ? { veth: { peer: veth.peer } } : {}),
    ...(type === "vxlan" && vxlan !== undefined ? { vxlan } : {}),
  };
}

function settingsOf({ mtu, mac, bridge, bond }: InterfaceState): LinkSettings {
  return {
    ...(mtu == null ? {} : { mtu }), ...(mac == null ? {} : { mac }),
    ...(bridge === undefined ? {} : { bridge }), ...(bond === undefined ? {} : { bond }),
  };
}

function settingsAt(values: Readonly<Record<string, Json>>): LinkSettings {
  const of = (group: string) => Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (key.startsWith(`${group}.`) ? [[key.slice(group.length + 1), value]] : [])));
  const [bridge, bond] = [of("bridge") as BridgeState, of("bond") as BondState];
  return {
    ...(typeof values.mtu === "number" ? { mtu: values.mtu } : {}), ...(typeof values.mac === "string" ? { mac: values.mac } : {}),
    ...(Object.keys(bridge).length === 0 ? {} : { bridge }), ...(Object.keys(bond).length === 0 ? {} : { bond }),
  };
}
