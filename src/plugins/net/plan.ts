import { isObject } from "../../core/json.ts";
import type { Action, Note, PluginPlan, Problem, Reading, Step } from "../../core/plugin.ts";
import { keyName, valueAt, type OwnedResources, type Resources } from "../../core/resource.ts";
import { addressWork } from "./address-work.ts";
import type { Around } from "./around.ts";
import { linkWork } from "./link-work.ts";
import { Moves } from "./moves.ts";
import { inTurns } from "./ovs/turns.ts";
import { vswitchWork } from "./ovs/work.ts";
import { portWork } from "./port-work.ts";
import { problemsOf } from "./problems.ts";
import { Guard } from "./protection.ts";
import { Reach } from "./reach.ts";
import { isRoute } from "./route-name.ts";
import { gatewayWork, routeWork } from "./route-work.ts";
import { View } from "./state.ts";
import { buildSteps, type Work } from "./steps.ts";
import { FAMILIES } from "./subnet.ts";

/** The difference between the declared network and the one that is there, as few steps however many links there are. */
export function planNetwork(desired: Resources, actual: Reading, owned: OwnedResources): PluginPlan {
  const view = new View(desired, actual, owned);
  const moves = new Moves(view);
  const around: Around = { view, moves, guard: new Guard(view), reach: new Reach(view) };
  const work = workOf(around);
  const problems = [...problemsOf(around), ...contradictions(work, view)];
  if (problems.length > 0) return { steps: [], problems, notes: [] };
  const steps = buildSteps(work);
  return { steps, problems, notes: notesOf(steps, around) };
}

function workOf(around: Around): Work[] {
  const declared = Object.keys(around.view.desired).filter((name) => !isRoute(name));
  const ports = [...new Set(around.moves.all.map(({ port }) => port))].filter((port) => !declared.includes(port));
  const work = [
    ...gatewayWork(around),
    ...routeWork(around),
    ...declared.flatMap((name) => [...linkWork(name, around), ...addressWork(name, around), ...portWork(name, around)]),
    ...ports.flatMap((port) => addressWork(port, around)),
    ...inTurns(vswitchWork(around)),
  ];
  return withoutRebuilt(work);
}

/** A route that is lost on the way and set again is not lost. */
function withoutRebuilt(work: readonly Work[]): Work[] {
  const set = new Set(work.flatMap(({ stage, actions }) => (stage === "set routes" ? actions.map(({ resource }) => resource) : [])).filter(isRoute));
  return work.map((item) => ({ ...item, actions: item.actions.filter(({ resource, impliedBy }) => item.stage === "set routes" || impliedBy === undefined || !set.has(resource)) }));
}

/** What the kernel takes away along with one thing must not be what is declared elsewhere. Pointed at is what takes it away. */
function contradictions(work: readonly Work[], view: View): Problem[] {
  return work.flatMap(({ actions }) => {
    const lost = actions.filter(({ impliedBy, to, verb }) => impliedBy !== undefined && verb !== "move" && (to === null || to === "absent" || to === false));
    const wholly = new Set(lost.flatMap(({ resource, path }) => (path?.join() === "state" ? [resource] : [])));
    return lost.flatMap(({ resource, path = [], to, impliedBy = "" }): Problem[] => {
      const cause: Pick<Action, "resource" | "path"> = actions.find((action) => action.impliedBy === undefined) ?? { resource: impliedBy };
      const about = { resource: cause.resource, path: cause.path ?? [] };
      const by = `would be lost with what is declared of '${cause.resource}'`;
      const whole = path.join() === "state";
      // Its other keys are not known, so nothing could set it again.
      if (whole && view.routeFacts(resource).special !== undefined) return [{ ...about, message: `'${resource}' ${by}, and could not be given back`, hint: "Remove the route first" }];
      if (whole) return isDeclared(resource, view) ? [{ ...about, message: `'${resource}' ${by}` }] : [];
      const declared = wholly.has(resource) ? undefined : valueAt(view.desired[resource], path);
      return declared == null || declared === to || declared === "absent" ? [] : [{ ...about, message: `'${keyName(path)}' of '${resource}' ${by}` }];
    });
  });
}

function isDeclared(resource: string, view: View): boolean {
  return view.desired[resource] !== undefined && view.desired[resource]?.state !== "absent";
}

function notesOf(steps: readonly Step[], { view }: Around): Note[] {
  return [...untilBoot(steps), ...Object.keys(view.desired).filter((name) => !isRoute(name)).flatMap((name) => remarks(name, view))];
}

/** Open vSwitch keeps what is changed in it. */
function untilBoot(steps: readonly Step[]): Note[] {
  const kernels = steps.filter(({ call }) => !isObject(call) || call.vswitch === undefined);
  const changed = [...new Set(kernels.flatMap(({ actions }) => actions.filter(({ impliedBy, resource }) => impliedBy === undefined || impliedBy === resource).map(({ resource }) => resource)))];
  const [first] = changed;
  if (first === undefined) return [];
  const names = [...changed.filter((name) => !isRoute(name)), ...(changed.some(isRoute) ? ["routes"] : [])];
  return [{ resource: first, message: `${names.join(", ")}: what is changed here lasts until the next boot` }];
}

function remarks(name: string, view: View): Note[] {
  const want = view.want(name) ?? {};
  const note = (message: string): Note => ({ resource: name, message });
  const down = Object.entries(want.ports ?? {}).flatMap(([port, { state }]) => (state === "present" && view.isThere(port) && view.now(port).up === false && view.want(port)?.up !== true && view.now(name).type !== "bond" && want.type !== "bond" ? [port] : []));
  const served = FAMILIES.flatMap((family) => (want[family]?.dhcp === false ? (view.advice(name).passing ?? []).filter((address) => address.includes(":") === (family === "ipv6")) : []));
  const stranded = Object.entries(want.ports ?? {}).flatMap(([port, { state }]) => (state === "present" && view.master(port) !== name ? strandedOn(port, name, view) : []));
  return [
    ...down.map((port) => note(`${name}: its port ${port} is down`)),
    ...served.map((address) => note(`${name}: ${address} ends by itself, so a DHCP client or a router gives it; op-dbus does not stop that`)),
    ...stranded.map(({ port, address }) => note(`${name}: ${address} stays on ${port}, where nobody reaches it; declare it of ${name} to have it moved`)),
  ];
}

function strandedOn(port: string, master: string, view: View): { readonly port: string; readonly address: string }[] {
  return FAMILIES.flatMap((family) => Object.keys(view.now(port)[family]?.address ?? {}))
    .filter((address) => FAMILIES.every((family) => view.want(master)?.[family]?.address?.[address] !== "present" && view.want(port)?.[family]?.address?.[address] !== "absent"))
    .map((address) => ({ port, address }));
}
