import { parseIp } from "../../core/ip-address.ts";
import type { Action } from "../../core/plugin.ts";
import type { Around } from "./around.ts";
import { defaultDestination, isRoute, MAIN_TABLE, parseRouteName, usualMetric, type RouteKey } from "./route-name.ts";
import type { View } from "./state.ts";
import type { Work } from "./steps.ts";
import { FAMILIES, familyOfText, isLinkLocal, type Family } from "./subnet.ts";

/** What brings the gateways to what is declared of them. A default route is replaced, never removed first. */
export function gatewayWork(around: Around): Work[] {
  return FAMILIES.flatMap((family) => {
    const [takers, givers] = [takersOf(family, around), giversOf(family, around.view)];
    const replaced = givers.filter((name) => !takers.some((taker) => taker.name === name));
    const [taker] = takers;
    const taken = taker === undefined ? [] : replaced.map((name) => give(name, family, around.view, taker.name));
    const set = takers.map(({ name, gateway, implied }, index): Work => {
      const action: Action = { resource: name, verb: "set", path: [family, "gateway"], from: around.view.now(name)[family]?.gateway ?? null, to: gateway, risk: "high", ...implied };
      return { stage: "set routes", operations: [{ do: "set route", ...defaultKey(family), via: gateway, dev: name }], actions: [action, ...(index === 0 ? taken : [])] };
    });
    const removed = taker === undefined ? givers.filter((name) => gatewayWanted(name, family, around.view) === null) : [];
    return [...set, ...removed.map((name) => removal(name, family, around.view))];
  });
}

interface Taker {
  readonly name: string;
  readonly gateway: string;
  readonly implied: Pick<Action, "impliedBy" | "note">;
}

/** The interfaces that get a gateway: by name, or since it moves with the addresses of a port. */
function takersOf(family: Family, { view, moves }: Around): Taker[] {
  const named = interfaces(view).flatMap((name): Taker[] => {
    const gateway = gatewayWanted(name, family, view);
    return gateway == null || gateway === view.now(name)[family]?.gateway ? [] : [{ name, gateway, implied: {} }];
  });
  if (named.length > 0) return named;
  const moving = moves.all.filter((move) => move.family === family).map(({ port }) => port);
  return [...new Set(moving)].flatMap((port): Taker[] => {
    const gateway = view.now(port)[family]?.gateway;
    const master = gateway == null ? undefined : moves.destinationOf(port, gateway);
    if (gateway == null || master === undefined || gatewayWanted(port, family, view) !== undefined || gatewayWanted(master, family, view) !== undefined) return [];
    return [{ name: master, gateway, implied: { impliedBy: master, note: `moves here from ${port}` } }];
  });
}

/** The interfaces that have a gateway, which is not the one that they are declared to have. */
function giversOf(family: Family, view: View): string[] {
  return view.links.filter((name) => {
    const now = view.now(name)[family]?.gateway;
    return now != null && gatewayWanted(name, family, view) !== now;
  });
}

function give(name: string, family: Family, view: View, taker: string): Action {
  const named = gatewayWanted(name, family, view) === null;
  return { resource: name, verb: named ? "unset" : "move", path: [family, "gateway"], from: view.now(name)[family]?.gateway ?? null, to: null, risk: "high", ...(named ? {} : { impliedBy: taker }) };
}

function removal(name: string, family: Family, view: View): Work {
  const gateway = view.now(name)[family]?.gateway ?? "";
  const action: Action = { resource: name, verb: "unset", path: [family, "gateway"], from: gateway, to: null, risk: "high" };
  return { stage: "remove routes and addresses", operations: [{ do: "remove route", ...defaultKey(family), via: gateway, dev: name }], actions: [action] };
}

export function defaultKey(family: Family): RouteKey {
  const destination = defaultDestination(family);
  return { destination, metric: usualMetric(destination), table: MAIN_TABLE };
}

/** null: none; undefined: nothing is said. What is to be absent says nothing: its routes go with it. */
function gatewayWanted(name: string, family: Family, view: View): string | null | undefined {
  const want = view.want(name);
  return want === undefined || want.state === "absent" ? undefined : want[family]?.gateway;
}

function interfaces(view: View): string[] {
  return Object.keys(view.desired).filter((name) => !isRoute(name));
}

/** What brings the other routes to what is declared of them, and those of ports along with the addresses that they lead over. */
export function routeWork(around: Around): Work[] {
  const { view } = around;
  const declared = Object.keys(view.desired).filter(isRoute).flatMap((name) => declaredRoute(name, around));
  const moved = view.there.filter((name) => isRoute(name) && view.desired[name] === undefined).flatMap((name) => movedRoute(name, around));
  return [...declared, ...moved];
}

function declaredRoute(name: string, around: Around): Work[] {
  const { view } = around;
  const key = parseRouteName(name);
  if (key === undefined) return [];
  const [want, now] = [view.routeWant(name), view.routeNow(name)];
  const there = view.isThere(name);
  const change = (field: "via" | "dev", to: string | null): Action[] => {
    const from = now[field] ?? null;
    return from === to ? [] : [{ resource: name, verb: to === null ? "remove" : "set", path: [field], from, to, risk: there ? "high" : "low" }];
  };
  if (want.state === "absent") {
    if (!there) return [];
    const actions: Action[] = [{ resource: name, verb: "remove", path: ["state"], from: "present", to: "absent", risk: "high" }, ...change("via", null), ...change("dev", null)];
    return [{ stage: "remove routes and addresses", operations: [{ do: "remove route", ...key, ...ends(now) }], actions }];
  }
  const via = want.via === undefined ? now.via : want.via;
  const dev = want.dev === undefined ? leadsOver(via, now, around) : want.dev;
  const goal = { via, dev };
  const moved: Action[] = want.dev !== undefined || dev == null || now.dev == null || now.dev === dev ? [] : [{ resource: name, verb: "move", path: ["dev"], from: now.dev, to: dev, risk: "high", impliedBy: dev }];
  const actions = [...(["via", "dev"] as const).flatMap((field) => (want[field] === undefined ? [] : change(field, goal[field] ?? null))), ...moved];
  if (there && actions.length === 0) return [];
  const made: Action[] = there ? [] : [{ resource: name, verb: "add", path: ["state"], from: "absent", to: "present", risk: "low" }];
  return [{ stage: "set routes", operations: [{ do: "set route", ...key, ...ends(goal) }], actions: [...made, ...actions] }];
}

/** The interface that a gateway is on in the end: the kernel would take one that has the network for now. */
function leadsOver(via: string | null | undefined, now: ReturnType<View["routeNow"]>, { moves, reach }: Around): string | null | undefined {
  const kept = via === now.via ? now.dev : undefined;
  const ip = via == null ? undefined : parseIp(via);
  if (via == null || ip === undefined || isLinkLocal(ip)) return kept;
  const family = familyOfText(via);
  const master = moves.masterOver(via);
  if (master !== undefined || (kept != null && reach.contains(ip, family, kept))) return master ?? kept;
  return reach.interfaceTo(ip, family) ?? kept;
}

function movedRoute(name: string, { view, moves }: Around): Work[] {
  const [key, { via, dev }] = [parseRouteName(name), view.routeNow(name)];
  const master = dev == null || via == null ? undefined : moves.destinationOf(dev, via);
  if (key === undefined || master === undefined || via == null || view.routeFacts(name).special !== undefined) return [];
  const action: Action = { resource: name, verb: "move", path: ["dev"], from: dev ?? null, to: master, risk: "high", impliedBy: master };
  return [{ stage: "set routes", operations: [{ do: "set route", ...key, via, dev: master }], actions: [action] }];
}

function ends({ via, dev }: { readonly via?: string | null | undefined; readonly dev?: string | null | undefined }): { via?: string; dev?: string } {
  return { ...(via == null ? {} : { via }), ...(dev == null ? {} : { dev }) };
}
