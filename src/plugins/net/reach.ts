import { parseIp } from "../../core/ip-address.ts";
import type { KeyPath } from "../../core/resource.ts";
import { addressesToRemove } from "./address-difference.ts";
import { isRoute, parseRouteName } from "./route-name.ts";
import type { RouteState, View } from "./state.ts";
import { contains, familyOfText, isLinkLocal, parseSubnet, type Family, type Subnet } from "./subnet.ts";

export type Add = (path: KeyPath, message: string, hint?: string) => void;

/** What can be reached over the interfaces, as they will be. Worked out once for each, since thousands of routes may ask. */
export class Reach {
  readonly view: View;
  readonly #subnets = new Map<string, readonly Subnet[]>();
  /** By interface: the networks that routes lead to over it without a gateway. */
  readonly #direct = new Map<string, Subnet[]>();

  constructor(view: View) {
    this.view = view;
    for (const name of new Set([...view.there, ...Object.keys(view.desired)])) if (isRoute(name)) this.#takeDirect(name);
  }

  /** Whether a gateway is on a network of an interface; without one, of any. */
  contains(ip: Uint8Array, family: Family, dev: string | undefined): boolean {
    return (dev === undefined ? this.#everywhere(family) : this.#subnetsOf(dev, family)).some((subnet) => contains(subnet, ip));
  }

  /** The interface that a gateway is on the narrowest network of. */
  interfaceTo(ip: Uint8Array, family: Family): string | undefined {
    const near = this.#interfaces().flatMap((name) => this.#subnetsOf(name, family).filter((subnet) => contains(subnet, ip)).map(({ prefix }) => ({ name, prefix })));
    return near.toSorted((a, b) => b.prefix - a.prefix)[0]?.name;
  }

  staysDown(dev: string): boolean {
    const want = this.view.want(dev);
    if (want?.up != null) return !want.up;
    return this.view.isThere(dev) && this.view.now(dev).up === false;
  }

  #everywhere(family: Family): readonly Subnet[] {
    return this.#once(family, () => this.#interfaces().flatMap((name) => this.#subnetsOf(name, family)));
  }

  #interfaces(): string[] {
    return [...new Set([...this.view.links, ...Object.keys(this.view.desired)])].filter((name) => !isRoute(name));
  }

  #subnetsOf(name: string, family: Family): readonly Subnet[] {
    return this.#once(`${family} ${name}`, () => [...this.#addressesOf(name, family).flatMap((text) => parseSubnet(text) ?? []), ...(this.#direct.get(name) ?? [])]);
  }

  #once(key: string, workOut: () => readonly Subnet[]): readonly Subnet[] {
    const known = this.#subnets.get(key) ?? workOut();
    this.#subnets.set(key, known);
    return known;
  }

  #addressesOf(name: string, family: Family): string[] {
    const want = this.view.want(name);
    if (want?.state === "absent") return [];
    const leaving = addressesToRemove(name, family, this.view);
    const stays = Object.keys(this.view.now(name)[family]?.address ?? {}).filter((address) => !leaving.includes(address));
    const comes = Object.entries(want?.[family]?.address ?? {}).flatMap(([address, kind]) => (kind === "present" || kind === "vrrp" ? [address] : []));
    return [...stays, ...comes];
  }

  #takeDirect(route: string): void {
    const { via, dev, state }: RouteState = { ...this.view.routeNow(route), ...this.view.routeWant(route) };
    const subnet = parseSubnet(parseRouteName(route)?.destination ?? "");
    if (dev == null || via != null || state === "absent" || subnet === undefined) return;
    this.#direct.set(dev, [...(this.#direct.get(dev) ?? []), subnet]);
  }
}

export function gatewayProblem(name: string, family: Family, reach: Reach, add: Add): void {
  const { view } = reach;
  const gateway = view.want(name)?.[family]?.gateway;
  if (gateway == null || gateway === view.now(name)[family]?.gateway) return;
  const rival = Object.keys(view.desired).find((each) => each !== name && view.want(each)?.[family]?.gateway != null);
  if (rival !== undefined) add([family, "gateway"], `'${rival}' has the gateway already`);
  reachProblem([family, "gateway"], { via: gateway, dev: name }, reach, add);
}

export function routeProblems(name: string, reach: Reach, add: Add): void {
  const { view } = reach;
  const [{ state, via, dev }, now] = [view.routeWant(name), view.routeNow(name)];
  if (state === "absent") return;
  if (!view.isThere(name) && via == null && dev == null) return add(state === undefined ? [] : ["state"], `${name} needs 'via' or 'dev'`);
  const changes = (via !== undefined && via !== (now.via ?? null)) || (dev !== undefined && dev !== (now.dev ?? null));
  if (!changes) return;
  if (view.routeFacts(name).special !== undefined) return add([], `${name} is there with more than a document can say, which would be lost`, "Declare it absent first, or change it with ip route");
  if (via === null && dev === null) return add([], `${name} needs 'via' or 'dev'`);
  if (dev != null && !view.isKnown(dev)) return add(["dev"], `There is no interface '${dev}' on this host`);
  const through = via === undefined ? now.via : via;
  if (through != null) reachProblem(via === undefined ? ["dev"] : ["via"], { via: through, dev: dev ?? undefined }, reach, add);
  else if (dev != null && reach.staysDown(dev)) add(["dev"], down(dev));
}

/** What a route leads over has to be on a network that some interface is on, then. */
function reachProblem(path: KeyPath, { via, dev }: { readonly via: string; readonly dev: string | undefined }, reach: Reach, add: Add): void {
  const bytes = parseIp(via);
  if (bytes === undefined) return;
  if (dev !== undefined && reach.staysDown(dev)) return add(path, down(dev));
  if (isLinkLocal(bytes)) {
    if (dev === undefined) add(path, `${via} is link-local: say 'dev' too`);
    return;
  }
  if (reach.contains(bytes, familyOfText(via), dev)) return;
  add(path, `${via} cannot be reached: ${dev === undefined ? "no interface is on a network with it" : `'${dev}' has no address of a network with it`}`);
}

function down(dev: string): string {
  return `'${dev}' is down: the kernel takes no routes over it`;
}
