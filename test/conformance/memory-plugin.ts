import type { Json } from "../../src/core/json.ts";
import type { Change, Plugin, Progress, ResourceReading, Step, StepOutcome } from "../../src/core/plugin.ts";
import { UNREADABLE, UNREADABLE_LOST } from "../../src/core/secret.ts";
import { withoutValue, withValue, type KeyPath, type Resource, type Resources } from "../../src/core/resource.ts";
import type { CameUp, Item, MemoryPeer } from "./memory-peer.ts";
import { planItems, type Call } from "./memory-plan.ts";
import { itemsOf, memorySchema, POLICIES, type DeclaredItem } from "./memory-schema.ts";

/** The kinds of step that cannot be taken back. README.md lists the same. */
export const ONE_WAY = { burn: "A burnt fuse does not heal", [UNREADABLE_LOST]: "A password that is not told cannot be put back" } as const;

/** A plugin with one of everything that the contract knows, and a host that lives in a Map. */
export function createMemoryPlugin(peer: MemoryPeer, name = "memory"): Plugin {
  return {
    name,
    schema: memorySchema,
    lists: { members: "members", complete: "complete", keys: "complete" },
    policies: POLICIES,
    oneWay: ONE_WAY,
    resources: itemsOf,
    section: (resources) => ({ items: resources }),
    locate: (_, resource, path) => ["items", resource, ...path],
    read: (scope) => Promise.resolve({ resources: readItems(peer.read(), scope) }),
    plan: (desired, actual, owned) => planItems(name, desired, actual, owned),
    apply: (step, progress) => Promise.resolve().then(() => applyStep(step, peer, progress)),
    adopt: () => [{ path: ["state"], value: "present", original: "absent" }],
  };
}

function readItems(items: ReadonlyMap<string, Item>, scope: Resources | undefined): Record<string, ResourceReading> {
  const names = scope === undefined ? [...items.keys()].sort() : withPulled(scope, items);
  const entries = names.map((name) => {
    const item = items.get(name);
    return [name, item === undefined ? { state: { state: "absent" } } : readItem(item)] as const;
  });
  return Object.fromEntries(entries);
}

/** The items of the scope and those that may come up along with them. */
function withPulled(scope: Resources, items: ReadonlyMap<string, Item>): string[] {
  const names = new Set(Object.keys(scope));
  for (const name of names) {
    for (const pulled of [(scope[name] as DeclaredItem | undefined)?.pulls, items.get(name)?.pulls]) {
      if (pulled != null) names.add(pulled);
    }
  }
  return [...names];
}

function readItem({ id, frozen, restarts, members, discreet, password, ...keys }: Item): ResourceReading {
  const told = discreet && password !== null ? UNREADABLE : password;
  const state: Resource = { state: "present", ...keys, password: told, members: [...members].sort() };
  return { state, identity: String(id), observed: { id, restarts }, ...(frozen ? { facts: { frozen } } : {}) };
}

function applyStep(step: Step, peer: MemoryPeer, progress: Progress): StepOutcome {
  const call = step.call as unknown as Call;
  const cameUp = carryOut(call, peer);
  for (const { resource, verb } of step.actions) progress.done(resource, verb);
  const known = new Set(step.actions.map(({ resource }) => resource));
  return { effects: cameUp.filter(({ name }) => !known.has(name)).map(asEffect) };
}

function carryOut(call: Call, peer: MemoryPeer): CameUp[] {
  switch (call.do) {
    case "bring up":
      return peer.bringUp(call.names);
    case "create":
      peer.create(call.names);
      return [];
    case "take down":
      peer.takeDown(call.names);
      return [];
    case "burn":
      peer.burn(call.names);
      return [];
    case "remove":
      peer.remove(call.names);
      return [];
    case "set":
      for (const [name, keys] of Object.entries(call.items)) {
        peer.set(name, (item) => keys.forEach(({ path, to }) => setKey(item, path, to)));
      }
      for (const name of call.restart) peer.restart(name);
      return [];
  }
}

function setKey(item: Item, path: KeyPath, to: Json): void {
  const keys = item as unknown as Resource;
  Object.assign(item, path[0] === "properties" && to === null ? { properties: {}, ...withoutValue(keys, path) } : withValue(keys, path, to));
}

function asEffect({ name, by }: CameUp): Change {
  return { resource: name, path: ["up"], from: false, to: true, impliedBy: by };
}
