import type { Action } from "../../core/plugin.ts";
import { leavesOf, sameValue, type Resource } from "../../core/resource.ts";
import type { Around } from "./around.ts";
import { isGuestPort } from "./interface-name.ts";
import { isOvsBridge } from "./ovs/ports.ts";
import type { View } from "./state.ts";
import type { Work } from "./steps.ts";
import { FAMILIES } from "./subnet.ts";

/** What brings the ports of a bridge or bond to what is declared of them. */
export function portWork(name: string, around: Around): Work[] {
  const { view } = around;
  const { ports, state } = view.want(name) ?? {};
  if (state === "absent") return [];
  if (isOvsBridge(name, view)) return Object.keys(ports ?? {}).flatMap((port) => letGo(name, port, view));
  const leaving = portsToRemove(name, view).map((port) => leave(name, port, around));
  const joining = Object.entries(ports ?? {}).flatMap(([port, { state: declared, vlans }]) => {
    if (declared !== "present" && !(declared === undefined && vlans !== undefined)) return [];
    const joins = declared === "present" && !view.hasPort(name, port) ? [join(name, port, around)] : [];
    return [...joins, ...vlanWork(name, port, vlans, view)];
  });
  return [...leaving, ...joining];
}

/** What is declared absent, what op-dbus put there and the list no longer has, or all others where it is exclusive. Guests' ports stay. */
export function portsToRemove(name: string, view: View): string[] {
  const { ports = {}, ports_exclusive, written } = view.want(name) ?? {};
  return Object.keys(view.now(name).ports ?? {}).filter((port) => {
    const declared = Object.hasOwn(ports, port) ? ports[port]?.state : undefined;
    if (declared !== undefined) return declared !== "present";
    return written?.ports !== undefined && !Object.hasOwn(ports, port) && !isGuestPort(port) && (ports_exclusive === true || view.owns(name, ["ports", port, "state"]));
  });
}

function join(master: string, port: string, { view, moves, guard }: Around): Work {
  const before = view.master(port);
  const bond = (view.want(master)?.type ?? view.now(master).type) === "bond";
  const loses = FAMILIES.some((family) => Object.keys(view.now(port)[family]?.address ?? {}).length > 0);
  const moved = moves.from(port);
  const note = moved.length > 0 ? { note: `${moved.map(({ address }) => address).join(", ")} ${moved.length === 1 ? "moves" : "move"} to ${master}` } : {};
  const own: Action = { resource: master, verb: "join", path: ["ports", port, "state"], from: null, to: "present", risk: loses ? "high" : "medium", ...guard.port(port), ...note };
  const taken = before === undefined ? [] : lostKeys(before, port, view).map((action): Action => ({ ...action, impliedBy: master }));
  const raised: Action[] = bond && view.now(port).up === false ? [{ resource: port, verb: "bring up", path: ["up"], from: false, to: true, risk: "low", impliedBy: master }] : [];
  const first = before === undefined ? own : { ...own, note: [`it leaves ${before}`, note.note].filter(Boolean).join("; ") };
  return { stage: "change ports", rank: 1, operations: [{ do: "join", port, master, ...(bond ? { bond } : {}) }], actions: [first, ...taken, ...raised] };
}

function leave(master: string, port: string, { view, guard }: Around): Work {
  const [first, ...others] = lostKeys(master, port, view);
  const named = Object.hasOwn(view.want(master)?.ports ?? {}, port) || view.owns(master, ["ports", port, "state"]);
  const because = named ? {} : { impliedBy: master };
  const actions = first === undefined ? [] : [{ ...first, ...guard.leaving(port), ...because }, ...others.map((action) => ({ ...action, ...because }))];
  return { stage: "change ports", rank: 0, operations: [{ do: "leave", port, master }], actions };
}

/** Open vSwitch takes no port that a bridge or bond of the kernel has. */
function letGo(taker: string, port: string, view: View): Work[] {
  const before = view.master(port);
  const joins = view.want(taker)?.ports?.[port]?.state === "present" && !view.hasPort(taker, port);
  if (!joins || before === undefined || isOvsBridge(before, view) || portsToRemove(before, view).includes(port)) return [];
  const actions = lostKeys(before, port, view).map((action): Action => ({ ...action, impliedBy: taker }));
  return [{ stage: "change ports", rank: 0, operations: [{ do: "leave", port, master: before }], actions }];
}

function lostKeys(master: string, port: string, view: View): Action[] {
  const keys = leavesOf((view.now(master).ports?.[port] ?? {}) as Resource);
  return keys.map(({ path, value }) => ({ resource: master, verb: "leave", path: ["ports", port, ...path], from: value, to: null, risk: "medium" }));
}

function vlanWork(master: string, port: string, vlans: readonly string[] | null | undefined, view: View): Work[] {
  if (vlans === undefined) return [];
  const now = view.now(master).ports?.[port]?.vlans ?? null;
  if (vlans === null || sameValue(now as never, vlans as never)) return [];
  const action: Action = { resource: master, verb: "set", path: ["ports", port, "vlans"], from: now, to: vlans, risk: "medium" };
  return [{ stage: "change ports", rank: 2, operations: [{ do: "vlans", port, vlans }], actions: [action] }];
}
