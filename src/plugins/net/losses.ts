import type { Json } from "../../core/json.ts";
import type { Action } from "../../core/plugin.ts";
import { leavesOf, type KeyPath, type Leaf, type Resource } from "../../core/resource.ts";
import { isRoute } from "./route-name.ts";
import type { View } from "./state.ts";
import { FAMILIES, familyOfText } from "./subnet.ts";

/*
 * What the kernel takes away by itself with something else, so that it can be given back: an interface that goes down loses its
 * routes and IPv6 addresses, one that is removed takes along what stands on it and the other end of a veth.
 */

/** What goes when a link goes down, besides its being up. */
export function downWith(name: string, view: View, impliedBy = name): Action[] {
  const lose = (path: KeyPath, from: Json, to: Json = null, resource = name): Action => ({ resource, verb: "lose", path, from, to, risk: "high", impliedBy });
  const gateways = FAMILIES.flatMap((family) => {
    const gateway = view.now(name)[family]?.gateway;
    return gateway == null ? [] : [lose([family, "gateway"], gateway)];
  });
  const kept = view.facts(name).keepsIpv6 === true;
  const addresses = kept ? [] : addressesOf(name, view).flatMap((address) => (familyOfText(address) === "ipv6" ? [lose(["ipv6", "address", address], "present")] : []));
  const stacked = standingOn(name, view).filter((upper) => view.now(upper).type === "vlan" && view.now(upper).up === true);
  return [
    ...gateways, ...addresses, ...routesLost(name, view, impliedBy),
    ...stacked.flatMap((upper) => [lose(["up"], true, false, upper), ...downWith(upper, view, impliedBy)]),
  ];
}

/** What goes with the last IPv4 address of a link: the kernel takes IPv4 off it (fib_disable_ip). */
export function lostWithLastAddress(name: string, view: View, impliedBy = name): Action[] {
  const gateway = view.now(name).ipv4?.gateway;
  const lost: Action[] = gateway == null ? [] : [{ resource: name, verb: "lose", path: ["ipv4", "gateway"], from: gateway, to: null, risk: "high", impliedBy }];
  return [...lost, ...routesLost(name, view, impliedBy).filter(({ resource }) => familyOfText(resource.split(" ")[1] ?? "") === "ipv4")];
}

/** What goes with a link that is removed, besides its own keys. */
export function lostWith(name: string, view: View): Action[] {
  const gone = goneWith(name, view);
  return gone.flatMap((each) => [...(each === name ? [] : wholly(each, view, name)), ...membership(each, gone, view, name), ...routesLost(each, view, name)]);
}

/** A link that is removed, and the links that go with it. */
export function goneWith(name: string, view: View): string[] {
  const gone = [name];
  for (const each of gone) {
    const peer = view.now(each).veth?.peer;
    gone.push(...[...(peer == null ? [] : [peer]), ...standingOn(each, view)].filter((other) => view.isThere(other) && !gone.includes(other)));
  }
  return gone;
}

function wholly(resource: string, view: View, impliedBy: string): Action[] {
  const gone = keysOf(resource, view).map(({ path, value }): Action => ({ resource, verb: "remove", path, from: value, to: null, risk: "high", impliedBy }));
  return [{ resource, verb: "remove", path: ["state"], from: "present", to: "absent", risk: "high", impliedBy }, ...gone];
}

/** All that is said of a resource that is there. */
export function keysOf(resource: string, view: View): Leaf[] {
  return leavesOf(view.now(resource) as Resource).filter(({ path: [key] }) => key !== "state");
}

function membership(port: string, gone: readonly string[], view: View, impliedBy: string): Action[] {
  const master = view.master(port);
  if (master === undefined || gone.includes(master)) return [];
  const keys = leavesOf((view.now(master).ports?.[port] ?? {}) as Resource);
  return keys.map(({ path, value }) => ({ resource: master, verb: "lose", path: ["ports", port, ...path], from: value, to: null, risk: "medium", impliedBy }));
}

function routesLost(dev: string, view: View, impliedBy: string): Action[] {
  const over = view.there.filter((name) => isRoute(name) && (view.routeNow(name).dev === dev || view.routeFacts(name).special?.includes(dev) === true));
  return over.flatMap((name) => wholly(name, view, impliedBy));
}

/** The links whose base a link is. */
function standingOn(name: string, view: View): string[] {
  return view.there.filter((other) => view.now(other).vlan?.base === name || view.now(other).vxlan?.base === name);
}

function addressesOf(name: string, view: View): string[] {
  return FAMILIES.flatMap((family) => Object.keys(view.now(name)[family]?.address ?? {}));
}
