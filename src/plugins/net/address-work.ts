import type { Action } from "../../core/plugin.ts";
import { addressesNow, addressesToAdd, addressesToRemove } from "./address-difference.ts";
import type { Around } from "./around.ts";
import { lostWithLastAddress } from "./losses.ts";
import type { View } from "./state.ts";
import type { AddressOperation, Work } from "./steps.ts";
import { FAMILIES, sameNetwork, type Family } from "./subnet.ts";

/** What brings a link's addresses to what is declared of them: new ones first, the old ones when all else is in place. */
export function addressWork(name: string, around: Around): Work[] {
  const { view } = around;
  if (view.want(name)?.state === "absent") return [];
  return FAMILIES.flatMap((family) => {
    const added = addressesToAdd(name, family, view);
    return [...added.map((address): Work => addition(name, family, address, view)), ...removals(name, family, added, around)];
  });
}

function addition(name: string, family: Family, address: string, view: View): Work {
  const holder = view.links.find((other) => view.now(other)[family]?.address?.[address] === "present");
  const note = holder === undefined ? {} : { note: `moves here from ${holder}` };
  const action: Action = { resource: name, verb: "add", path: [family, "address", address], from: null, to: "present", risk: "low", ...note };
  return { stage: "add addresses", operations: [{ do: "add address", dev: name, address, ...(holder === undefined ? {} : { moved: true }) }], actions: [action] };
}

/** The actions are in the kernel's order, so that on the way back the first address of a network is the first again. */
function removals(name: string, family: Family, added: readonly string[], { view, moves, guard }: Around): Work[] {
  const removed = addressesToRemove(name, family, view);
  const masters = new Map(moves.from(name).filter((move) => move.family === family).map(({ address, master }) => [address, master]));
  const leaving = addressesNow(name, family, view).filter((address) => removed.includes(address) || masters.has(address));
  if (leaving.length === 0) return [];
  const staying = [...addressesNow(name, family, view), ...added].filter((address) => !leaving.includes(address));
  const actions = leaving.map((address): Action => {
    const master = removed.includes(address) ? undefined : masters.get(address);
    const change = { resource: name, path: [family, "address", address], from: "present", to: null, risk: "high" as const, ...guard.address(name, address) };
    if (master !== undefined) return { ...change, verb: "move", impliedBy: master };
    const named = Object.hasOwn(view.want(name)?.[family]?.address ?? {}, address) || view.owns(name, [family, "address", address]);
    return { ...change, verb: "remove", ...(named ? {} : { impliedBy: name }) };
  });
  const last = family === "ipv4" && staying.length === 0 ? lostWithLastAddress(name, view, actions[0]?.impliedBy) : [];
  const isSecondary = (address: string) => view.facts(name).secondary?.includes(address) === true;
  // Those that go with another one go before it.
  const operations = [...leaving.filter(isSecondary), ...leaving.filter((address) => !isSecondary(address))].map((address): AddressOperation => {
    return { do: "remove address", dev: name, address, ...keeping(address, staying, name, { view, family }) };
  });
  return [{ stage: "remove routes and addresses", rank: 1, operations, actions: [...actions, ...last] }];
}

/** The addresses of its network that stay: without promote_secondaries the kernel takes them away with the first one. */
function keeping(address: string, staying: readonly string[], name: string, { view, family }: { view: View; family: Family }): { keep?: readonly string[] } {
  if (family === "ipv6" || view.facts(name).secondary?.includes(address) === true) return {};
  const keep = staying.filter((other) => sameNetwork(address, other));
  return keep.length === 0 ? {} : { keep };
}
