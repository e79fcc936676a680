import type { DeclaredInterface, DeclaredPort, DeclaredRoute } from "./declared.ts";
import { interfaceNameProblem, isGuestPort } from "./interface-name.ts";
import { keyOfDeclared, routeName } from "./route-name.ts";
import { portKey } from "./section.ts";
import { FAMILIES, SPOKEN } from "./subnet.ts";
import { vlanIds } from "./vlan-list.ts";

export interface Placed<T> {
  readonly index: number;
  readonly entry: T;
}

export interface SectionProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export type Interfaces = readonly Placed<DeclaredInterface>[];
export type Routes = readonly Placed<DeclaredRoute>[];
export type Add = (path: readonly (string | number)[], message: string) => void;

const LOOP_SHOWN = 8;

/** What is wrong with entries of a section beside each other. */
export function relationProblems(interfaces: Interfaces, routes: Routes, add: Add): void {
  sameNames(interfaces, routes, add);
  gateways(interfaces, add);
  ports(interfaces, add);
  loops(interfaces, add);
}

function sameNames(interfaces: Interfaces, routes: Routes, add: Add): void {
  const names = new Set<string>();
  for (const { index, entry } of interfaces) {
    if (names.has(entry.name)) add(["interfaces", index, "name"], `'${entry.name}' is there twice`);
    names.add(entry.name);
  }
  const keys = new Set<string>();
  for (const { index, entry } of routes) {
    const key = keyOfDeclared(entry);
    if (key === undefined) continue;
    if (keys.has(routeName(key))) add(["routes", index, "destination"], `${routeName(key)} is there twice: a route is one by destination, metric and table`);
    keys.add(routeName(key));
  }
}

/** There is one default route by family: a second one needs a metric, and so an entry under 'routes'. */
function gateways(interfaces: Interfaces, add: Add): void {
  for (const family of FAMILIES) {
    let first: string | undefined;
    for (const { index, entry } of interfaces) {
      if (entry[family]?.gateway == null) continue;
      if (first !== undefined) add(["interfaces", index, family, "gateway"], `'${first}' has the ${SPOKEN[family]} gateway already; one more is a route with a metric of its own`);
      first ??= entry.name;
    }
  }
}

function ports(interfaces: Interfaces, add: Add): void {
  const masters = new Map<string, string>();
  const byName = new Map(interfaces.map(({ entry }) => [entry.name, entry]));
  for (const { index, entry } of interfaces) {
    for (const [at, port] of (entry.ports ?? []).entries()) {
      const path = ["interfaces", index, "ports", at] as const;
      const name = portKey(port);
      const wrong = interfaceNameProblem(name);
      if (wrong !== undefined) add(path, wrong);
      if (name === entry.name) add(path, `'${name}' cannot be its own port`);
      if (typeof port !== "string") vlanProblems(port, entry, (keys, message) => add([...path, ...keys], message));
      if (typeof port !== "string" && port.state === "absent") continue;
      const other = masters.get(name);
      if (other !== undefined && (other === entry.name || !isGuestPort(name))) add(path, other === entry.name ? `'${name}' is there twice` : `'${name}' is a port of '${other}' already`);
      const isBridge = ["bridge", "ovs-bridge"].includes(byName.get(name)?.type ?? "");
      if (isBridge && entry.type !== "bond") add(path, `'${name}' is a bridge itself, which cannot be a port of one`);
      if (byName.get(name)?.state === "absent") add(path, `'${name}' is to be absent`);
      masters.set(name, entry.name);
    }
  }
}

function vlanProblems(port: Exclude<DeclaredPort, string>, { bridge, type, name }: DeclaredInterface, add: Add): void {
  const named = (["pvid", "vids", "untagged"] as const).find((key) => port[key] != null && JSON.stringify(port[key]) !== "[]");
  if (named !== undefined && type === "bond") add([named], "A port of a bond has no VLANs of its own");
  else if (named !== undefined && bridge?.vlan_filtering === false) add([named], `'${name}' does not filter VLANs; that is "bridge": { "vlan_filtering": true }`);
  for (const key of ["vids", "untagged"] as const) {
    if (port[key] != null && vlanIds(port[key]) === undefined) add([key], "A list of VLANs is of ids from 1 to 4094 and of ranges, such as [10, \"20-29\"]");
  }
}

/** An interface stands on its base and its ports; none stands on itself. */
function loops(interfaces: Interfaces, add: Add): void {
  const below = new Map(interfaces.map(({ entry: { name, vlan, vxlan, ports: members } }) => {
    const joined = (members ?? []).flatMap((port) => (typeof port !== "string" && port.state === "absent" ? [] : [portKey(port)]));
    return [name, [vlan?.base, vxlan?.base, ...joined].flatMap((each) => (each == null || each === name ? [] : [each]))] as const;
  }));
  const finished = new Set<string>();
  for (const { index, entry } of interfaces) {
    const loop = loopFrom(entry.name, below, finished);
    if (loop !== undefined) add(["interfaces", index], `These stand on each other: ${loop.length > LOOP_SHOWN ? `${loop.slice(0, LOOP_SHOWN).join(", ")} and others` : loop.join(", ")}`);
  }
}

/** The first loop that is come upon from here; what was walked to its end is in `finished`. */
function loopFrom(start: string, below: ReadonlyMap<string, readonly string[]>, finished: Set<string>): string[] | undefined {
  const frame = (name: string) => ({ name, left: [...(below.get(name) ?? [])] });
  const [trail, names] = [[frame(start)], new Set([start])];
  for (let last = trail.at(-1); last !== undefined; last = trail.at(-1)) {
    const next = last.left.shift();
    if (next === undefined) {
      finished.add(last.name);
      names.delete(last.name);
      trail.pop();
    } else if (names.has(next)) {
      names.forEach((name) => finished.add(name));
      return [...trail.map(({ name }) => name).slice([...names].indexOf(next)), next];
    } else if (!finished.has(next)) {
      trail.push(frame(next));
      names.add(next);
    }
  }
  return undefined;
}
