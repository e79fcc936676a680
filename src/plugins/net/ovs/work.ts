import type { Action } from "../../../core/plugin.ts";
import { leavesOf, type KeyPath, type Resource } from "../../../core/resource.ts";
import type { Around } from "../around.ts";
import { goneWith, keysOf, lostWith } from "../losses.ts";
import { portsToRemove } from "../port-work.ts";
import { isRoute } from "../route-name.ts";
import type { View } from "../state.ts";
import { FAMILIES } from "../subnet.ts";
import type { VswitchOperation } from "./operations.ts";
import { declaredMasterOf, isOvsBridge, ovsBridgeOf, ovsTypeOf } from "./ports.ts";
import { settingActions, settingOperations, settingsOf } from "./settings.ts";
import type { Turn, VswitchWork } from "./turns.ts";

/** Ranks within a transaction: what goes makes room, and what something is put into is there before it. */
const [LEAVE, BRIDGE, PORT, SET, REMOVE] = [0, 1, 2, 3, 4];

/** What brings Open vSwitch to what is declared of it. */
export function vswitchWork(around: Around): VswitchWork[] {
  const declared = Object.keys(around.view.desired).filter((name) => !isRoute(name));
  return declared.flatMap((name) => workOf(name, around));
}

function workOf(name: string, around: Around): VswitchWork[] {
  const { view } = around;
  if (view.want(name)?.state === "absent") return view.isThere(name) ? removal(name, around) : [];
  const ports = isOvsBridge(name, view) ? portChanges(name, around) : freed(name, view);
  if (!view.isThere(name)) return isOvsBridge(name, view) ? [creation(name, around), ...ports] : ports;
  const isSet = isOvsBridge(name, view) || (ovsBridgeOf(name, view) !== undefined && !joinsAnother(name, view) && !leaves(name, view));
  return [...(isSet ? changes(name, around) : []), ...ports];
}

function creation(name: string, around: Around): VswitchWork {
  const { view, moves } = around;
  const want = view.want(name) ?? {};
  const mac = want.mac === undefined ? moves.macFor(name) : undefined;
  const settings = settingsOf(name, view);
  const datapath = want.ovs?.datapath_type ?? undefined;
  const implied: Action[] = mac === undefined ? [] : [{ resource: name, verb: "set", path: ["mac"], from: null, to: mac.address, risk: "low", note: `the address of ${mac.port}, whose addresses move here`, impliedBy: name }];
  const told = mac === undefined ? settings : [...settings, { path: ["mac"], from: null, to: mac.address }];
  const kind: Action[] = datapath === undefined ? [] : [{ resource: name, verb: "set", path: ["ovs", "datapath_type"], from: null, to: datapath, risk: "low" }];
  return {
    turns: [1, 1], rank: BRIDGE,
    operations: [{ do: "add bridge", bridge: name, ...(datapath === undefined ? {} : { datapath_type: datapath }) }, ...settingOperations(name, told, view)],
    actions: [...made(name, "ovs-bridge"), ...kind, ...settingActions(name, settings, around), ...implied],
  };
}

function made(resource: string, type: string): Action[] {
  return [
    { resource, verb: "create", path: ["state"], from: "absent", to: "present", risk: "low" },
    { resource, verb: "set", path: ["type"], from: null, to: type, risk: "low" },
  ];
}

function changes(name: string, around: Around): VswitchWork[] {
  const settings = settingsOf(name, around.view);
  return settings.length === 0 ? [] : [{ turns: [1, 3], rank: SET, operations: settingOperations(name, settings, around.view), actions: settingActions(name, settings, around) }];
}

function portChanges(bridge: string, around: Around): VswitchWork[] {
  const { view } = around;
  const joining = Object.entries(view.want(bridge)?.ports ?? {}).filter(([port, { state }]) => state === "present" && !view.hasPort(bridge, port));
  return [...portsToRemove(bridge, view).map((port) => leaving(bridge, port, around)), ...joining.map(([port]) => join(bridge, port, around))];
}

function join(bridge: string, port: string, around: Around): VswitchWork {
  const { view, moves, guard } = around;
  const [type, before, from] = [ovsTypeOf(port, view), view.master(port), ovsBridgeOf(port, view)];
  const settings = settingsOf(port, view);
  const uuid = view.facts(port).vswitch?.uuid ?? "";
  const kind = type === "ovs-internal" ? "internal" : type === "ovs-patch" ? "patch" : "";
  const put: VswitchOperation = from === undefined ? { do: "add port", bridge, port, type: kind } : { do: "move port", bridge, port, uuid, from };
  const moved = moves.from(port);
  const loses = FAMILIES.some((family) => Object.keys(view.now(port)[family]?.address ?? {}).length > 0);
  const notes = [...(before === undefined ? [] : [`it leaves ${before}`]), ...(moved.length === 0 ? [] : [`${moved.map(({ address }) => address).join(", ")} ${moved.length === 1 ? "moves" : "move"} to ${bridge}`])];
  const own: Action = { resource: bridge, verb: "join", path: ["ports", port, "state"], from: null, to: "present", risk: loses ? "high" : "medium", ...guard.port(port), ...(notes.length === 0 ? {} : { note: notes.join("; ") }) };
  const taken = from === undefined ? [] : takenFrom(from, port, bridge, view);
  return {
    // A bridge of the kernel lets its port go before this (port-work.ts), and the new bridge has the port's addresses before the port is in it.
    turns: type === "ovs-internal" ? [1, 1] : moved.length > 0 || (before !== undefined && from === undefined) ? [2, 2] : [1, 2],
    rank: PORT,
    operations: [put, ...settingOperations(port, settings, view)],
    actions: [own, ...taken, ...(type === undefined || view.isThere(port) ? [] : made(port, type)), ...settingActions(port, settings, around)],
  };
}

function leaving(bridge: string, port: string, around: Around): VswitchWork {
  const { view, guard } = around;
  const named = Object.hasOwn(view.want(bridge)?.ports ?? {}, port) || view.owns(bridge, ["ports", port, "state"]);
  const because = named ? {} : { impliedBy: bridge };
  const own = membership(bridge, port, view).map((action): Action => ({ ...action, ...guard.leaving(port), ...because }));
  // Where it goes to another bridge, or is to be absent itself, that takes it away.
  const byItself = ovsTypeOf(port, view) !== undefined && view.want(port)?.state === "absent";
  if (byItself || joinsAnother(port, view)) return { turns: [1, 3], rank: LEAVE, operations: [], actions: own };
  const lost = ovsTypeOf(port, view) === undefined ? settingsLost(port, view, bridge) : wholly(port, view, bridge);
  return { turns: leavingTurns(port, view), rank: LEAVE, operations: [removePort(bridge, port, view)], actions: [...own, ...lost] };
}

/** A device is given its addresses before it goes, and what has addresses goes last. */
function leavingTurns(port: string, view: View): readonly [Turn, Turn] {
  if (ovsTypeOf(port, view) !== undefined) return carries(port, view) ? [3, 3] : [1, 3];
  const given = FAMILIES.some((family) => Object.entries(view.want(port)?.[family]?.address ?? {}).some(([address, kind]) => kind === "present" && view.now(port)[family]?.address?.[address] === undefined));
  return given ? [2, 2] : [1, 3];
}

/** Ports of Open vSwitch's that a bridge of the kernel is to have: it takes none that another one has. */
function freed(master: string, view: View): VswitchWork[] {
  const taken = Object.entries(view.want(master)?.ports ?? {}).filter(([port, { state }]) => state === "present" && !view.hasPort(master, port) && ovsBridgeOf(port, view) !== undefined);
  return taken.map(([port]): VswitchWork => {
    const bridge = ovsBridgeOf(port, view) ?? "";
    const actions = [...takenFrom(bridge, port, master, view), ...settingsLost(port, view, master)];
    return { turns: [1, 1], rank: LEAVE, operations: [removePort(bridge, port, view)], actions };
  });
}

function removal(name: string, around: Around): VswitchWork[] {
  const { view, guard } = around;
  const type = ovsTypeOf(name, view);
  const gone = goneWith(name, view);
  // A link that goes leaves no port behind that has no device.
  const isLeft = (port: string) => {
    const bridge = ovsBridgeOf(port, view);
    const byItself = (port !== name && view.want(port)?.state === "absent") || (bridge !== undefined && portsToRemove(bridge, view).includes(port));
    return bridge !== undefined && ovsTypeOf(port, view) === undefined && !byItself;
  };
  const ports = gone.filter(isLeft).map((port): VswitchWork => {
    const bridge = ovsBridgeOf(port, view) ?? "";
    const lost = port === name ? [] : settingsLost(port, view, name);
    return { turns: [3, 3], rank: LEAVE, operations: [removePort(bridge, port, view)], actions: [...membership(bridge, port, view).map((action): Action => ({ ...action, impliedBy: name })), ...lost] };
  });
  if (type === undefined) return ports;
  const taken = (path: KeyPath) => path[0] === "ports" && joinsAnother(path[1] ?? "", view);
  const keys = keysOf(name, view).filter(({ path }) => !taken(path)).map(({ path, value }): Action => ({ resource: name, verb: "remove", path, from: value, to: null, risk: "high" }));
  const whole: Action = { resource: name, verb: "remove", path: ["state"], from: "present", to: "absent", risk: "high", ...guard.link(name), note: MADE_AGAIN };
  const members = type === "ovs-bridge" ? Object.keys(view.now(name).ports ?? {}).filter((port) => !joinsAnother(port, view)) : [];
  const lost = members.flatMap((port) => (ovsTypeOf(port, view) === undefined ? settingsLost(port, view, name) : wholly(port, view, name)));
  const stays = [name, ...members].every((each) => !carries(each, view)) && members.length === Object.keys(view.now(name).ports ?? {}).length;
  const own: VswitchWork = {
    turns: stays ? [1, 3] : [3, 3], rank: type === "ovs-bridge" ? REMOVE : LEAVE,
    operations: [type === "ovs-bridge" ? { do: "remove bridge", bridge: name, uuid: uuidOf(name, view) } : removePort(ovsBridgeOf(name, view) ?? "", name, view)],
    actions: [whole, ...keys, ...lostWith(name, view), ...lost],
  };
  return [...ports, own];
}

const MADE_AGAIN = "made again, it has Open vSwitch's defaults in all that a document cannot say, and no flows but those that it begins with";

function removePort(bridge: string, port: string, view: View): VswitchOperation {
  return { do: "remove port", bridge, port, uuid: uuidOf(port, view) };
}

function uuidOf(name: string, view: View): string {
  return view.facts(name).vswitch?.uuid ?? "";
}

/** What is said of a device in Open vSwitch, and goes when it is no port any more. */
function settingsLost(port: string, view: View, impliedBy: string): Action[] {
  const keys = leavesOf((view.now(port).ovs ?? {}) as Resource);
  return keys.map(({ path, value }): Action => ({ resource: port, verb: "lose", path: ["ovs", ...path], from: value, to: null, risk: "medium", impliedBy }));
}

function wholly(resource: string, view: View, impliedBy: string): Action[] {
  const keys = keysOf(resource, view).map(({ path, value }): Action => ({ resource, verb: "remove", path, from: value, to: null, risk: "high", impliedBy }));
  return [{ resource, verb: "remove", path: ["state"], from: "present", to: "absent", risk: "high", impliedBy }, ...keys, ...lostWith(resource, view).map((action): Action => ({ ...action, impliedBy }))];
}

/** What a bridge loses to another one. Of one that is to be absent, that is declared. */
function takenFrom(bridge: string, port: string, taker: string, view: View): Action[] {
  const because = view.want(bridge)?.state === "absent" ? {} : { impliedBy: taker };
  return membership(bridge, port, view).map((action): Action => ({ ...action, ...because }));
}

function membership(master: string, port: string, view: View): Action[] {
  const keys = leavesOf((view.now(master).ports?.[port] ?? {}) as Resource);
  return keys.map(({ path, value }) => ({ resource: master, verb: "leave", path: ["ports", port, ...path], from: value, to: null, risk: "medium" }));
}

/** Whether it is to be a port of another bridge, of Open vSwitch or of the kernel. */
function joinsAnother(port: string, view: View): boolean {
  const master = declaredMasterOf(port, view);
  return master !== undefined && master !== view.master(port);
}

function leaves(port: string, view: View): boolean {
  const bridge = ovsBridgeOf(port, view);
  return bridge !== undefined && (view.want(bridge)?.state === "absent" || portsToRemove(bridge, view).includes(port));
}

function carries(name: string, view: View): boolean {
  return FAMILIES.some((family) => Object.keys(view.now(name)[family]?.address ?? {}).length > 0);
}
