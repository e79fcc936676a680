import { keyName, leavesOf, valueAt, type KeyPath, type Resource } from "../../../core/resource.ts";
import { isGuestPort } from "../interface-name.ts";
import { goneWith } from "../losses.ts";
import { portsToRemove } from "../port-work.ts";
import { isRoute } from "../route-name.ts";
import type { InterfaceState, View } from "../state.ts";
import { isOvsType, type OvsState } from "./declared.ts";
import { declaredMasterOf, isOvsBridge, ovsBridgeOf, ovsTypeOf } from "./ports.ts";
import { settingsOf } from "./settings.ts";

type Add = (path: KeyPath, message: string, hint?: string) => void;

/** Why what is declared of an interface cannot be brought about in Open vSwitch. */
export function vswitchProblemsOf(name: string, view: View, add: Add): void {
  const want = view.want(name);
  if (want === undefined) return;
  if (want.state === "absent") return removalProblems(name, view, add);
  if (ovsTypeOf(name, view) === "ovs-bridge") return bridgeProblems(name, want, view, add);
  portProblems(name, want, view, add);
  for (const [port, { state }] of Object.entries(want.ports ?? {})) {
    const own = state === "present" && !view.hasPort(name, port) && ovsTypeOf(port, view) !== undefined;
    if (own) add(["ports", port, "state"], `'${port}' is made by Open vSwitch, and '${name}' is none of its bridges`);
  }
}

function removalProblems(name: string, view: View, add: Add): void {
  if (!view.isThere(name)) return;
  for (const port of goneWith(name, view)) specialProblem(port, view, (message, hint) => add(["state"], message, hint));
  if (!isOvsBridge(name, view)) return;
  for (const port of Object.keys(view.now(name).ports ?? {})) {
    if (isGuestPort(port)) add(["state"], `'${name}' has the port '${port}', which belongs to a guest`);
    else if (declaredMasterOf(port, view) === undefined) specialProblem(port, view, (message, hint) => add(["state"], message, hint));
  }
}

function specialProblem(name: string, view: View, add: (message: string, hint: string) => void): void {
  const special = view.facts(name).vswitch?.special ?? [];
  if (special.length > 0) add(`'${name}' has in Open vSwitch what a document cannot say, and could not be made again with it: ${special.join(", ")}`, "Remove it with ovs-vsctl");
}

function bridgeProblems(name: string, want: InterfaceState, view: View, add: Add): void {
  const [declared, now] = [want.ovs?.datapath_type, view.now(name).ovs?.datapath_type];
  if (view.isThere(name) && declared != null && declared !== now) {
    add(["ovs", "datapath_type"], `'ovs.datapath_type' of '${name}' is ${JSON.stringify(now ?? null)}: Open vSwitch would make the bridge and its links anew`, "Declare the bridge absent first, then as it is to be");
  }
  if (want.controller !== undefined && view.facts(name).vswitch?.special?.includes("several controllers") === true) {
    add(["controller"], `'${name}' has several controllers, of which a document can say one`, "Remove them with ovs-vsctl del-controller");
  }
  for (const port of portsToRemove(name, view)) {
    if (!isGuestPort(port) && declaredMasterOf(port, view) === undefined) specialProblem(port, view, (message, hint) => add(["ports", port, "state"], message, hint));
  }
  for (const [port, { state }] of Object.entries(want.ports ?? {})) {
    const from = ovsBridgeOf(port, view);
    if (state !== "present" || from === name) continue;
    if (from !== undefined && ovsTypeOf(port, view) === "ovs-internal") add(["ports", port, "state"], `'${port}' is a port of '${from}': an internal port is made anew in another bridge`, "Declare it absent first");
    if (isOvsBridge(port, view)) add(["ports", port, "state"], `'${port}' is a bridge itself, which cannot be a port of one`);
    if (view.facts(port).kind === "loopback") add(["ports", port, "state"], `'${port}' is the loopback interface, which Open vSwitch does not take`);
    const loop = want.written?.ports !== undefined && from === undefined && ovsTypeOf(port, view) === "ovs-patch" ? patchLoop(view) : undefined;
    if (loop?.includes(port) === true) add(["ports", port, "state"], `'${port}' would close a loop of bridges: ${loop.join(", ")}`);
  }
}

function portProblems(name: string, want: InterfaceState, view: View, add: Add): void {
  const bridge = bridgeThen(name, view);
  const isMade = !view.isThere(name) && isOvsType(want.type);
  if (bridge === undefined) {
    if (isMade) return add(["type"], `'${name}' needs a bridge of Open vSwitch: name it in the 'ports' of one`);
    if (want.type === "ovs-port" && view.isThere(name)) add(["type"], `'${name}' is to be no port of Open vSwitch: name it in the 'ports' of an "ovs-bridge"`);
    const key = leavesOf((want.ovs ?? {}) as Resource).find(({ value }) => value !== null)?.path;
    if (key !== undefined) add(["ovs", ...key], `'${keyName(["ovs", ...key])}' is for a port of Open vSwitch, and '${name}' is to be none: name it in the 'ports' of an "ovs-bridge"`);
    if (want.controller != null) add(["controller"], `'${name}' is no bridge of Open vSwitch`);
    return;
  }
  for (const key of ["fail_mode", "datapath_type"] as const) if (want.ovs?.[key] != null) add(["ovs", key], `'ovs.${key}' is for an "ovs-bridge", and '${name}' is a port`);
  if (want.controller != null) add(["controller"], `'${name}' is no bridge of Open vSwitch`);
  const type = ovsTypeOf(name, view);
  if (want.ovs?.peer != null && type !== "ovs-patch") add(["ovs", "peer"], `'ovs.peer' is for an "ovs-patch", and '${name}' is none`);
  const settings = settingsOf(name, view).map(({ path }) => keyName(path));
  if (type === "ovs-patch" && isMade && want.ovs?.peer === undefined) add(["ovs", "peer"], `Missing 'ovs.peer' for interface '${name}'`);
  // Open vSwitch takes these all the same, so a host may have been like that before: only a document is held to them.
  if (want.written?.ovs === undefined) return;
  if (settings.some((path) => ["ovs.tag", "ovs.trunks", "ovs.vlan_mode"].includes(path))) vlanProblems({ ...view.now(name).ovs, ...want.ovs }, want.ovs ?? {}, add);
  if (type === "ovs-patch" && (isMade || settings.includes("ovs.peer"))) peerProblem(name, want, view, add);
}

/** ovs-vswitchd.conf.db(5), Port, vlan_mode: what one mode uses another ignores. */
function vlanProblems({ tag, trunks, vlan_mode }: OvsState, want: OvsState, add: Add): void {
  const mode = vlan_mode ?? (tag == null ? "trunk" : "access");
  const at = (key: "tag" | "trunks"): KeyPath => ["ovs", want[key] == null ? "vlan_mode" : key];
  if (mode === "access" && trunks != null) add(at("trunks"), "A port of mode 'access' carries the VLAN of its 'tag' alone: it has no 'trunks'", "For both, say \"vlan_mode\": \"native-untagged\"");
  if (mode === "trunk" && tag != null) add(at("tag"), "A port of mode 'trunk' has no 'tag'", "For both, say \"vlan_mode\": \"native-untagged\"");
  if (mode !== "access" && mode !== "trunk" && tag == null) add(["ovs", "vlan_mode"], `A port of mode '${mode}' needs a 'tag'`);
}

function peerProblem(name: string, want: InterfaceState, view: View, add: Add): void {
  const peer = want.ovs?.peer;
  if (peer === undefined) return;
  if (peer === null) return add(["ovs", "peer"], `'${name}' is a patch port, which has a peer`);
  if (!view.isKnown(peer) || ovsTypeOf(peer, view) !== "ovs-patch") return add(["ovs", "peer"], `There is no patch port '${peer}' on this host`, "Declare both ends");
  const back = peerOf(peer, view);
  if (back !== name) add(["ovs", "peer"], `'${peer}' has another peer, '${back}'`);
}

function peerOf(name: string, view: View): string | undefined {
  const wanted = valueAt(view.want(name) as Resource | undefined, ["ovs", "peer"]);
  return (wanted === undefined ? view.now(name).ovs?.peer : (wanted as string | null)) ?? undefined;
}

/** The bridge of Open vSwitch that something is a port of when the plan is carried out. */
function bridgeThen(name: string, view: View): string | undefined {
  const declared = declaredMasterOf(name, view);
  if (declared !== undefined) return isOvsBridge(declared, view) ? declared : undefined;
  const now = ovsBridgeOf(name, view);
  return now === undefined || view.want(now)?.state === "absent" || portsToRemove(now, view).includes(name) ? undefined : now;
}

/** The patch ports of a loop, each named once with its peer; undefined where the bridges are a tree. */
function patchLoop(view: View): string[] | undefined {
  const names = [...new Set([...view.there, ...Object.keys(view.desired)])].filter((name) => !isRoute(name) && view.want(name)?.state !== "absent" && ovsTypeOf(name, view) === "ovs-patch");
  const roots = new Map<string, string>();
  const rootOf = (bridge: string): string => {
    const above = roots.get(bridge);
    return above === undefined ? bridge : rootOf(above);
  };
  const pairs: string[] = [];
  for (const name of names) {
    const peer = peerOf(name, view);
    const [one, other] = [bridgeThen(name, view), peer === undefined ? undefined : bridgeThen(peer, view)];
    if (peer === undefined || one === undefined || other === undefined || name > peer || peerOf(peer, view) !== name) continue;
    pairs.push(name, peer);
    if (rootOf(one) === rootOf(other)) return pairs;
    roots.set(rootOf(one), rootOf(other));
  }
  return undefined;
}
