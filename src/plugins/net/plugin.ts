import type { AdoptedKey, Plugin, ResourceReading } from "../../core/plugin.ts";
import { leavesOf } from "../../core/resource.ts";
import { applyStep } from "./apply.ts";
import { planNetwork } from "./plan.ts";
import { readNet, type Sources } from "./reading.ts";
import { netSchema } from "./schema.ts";
import { placeOf, resourcesOf, sectionOf } from "./section.ts";

export type NetOptions = Sources;

/** The kernel's links, addresses and routes, over rtnetlink. */
export function createNetPlugin(sources: NetOptions): Plugin {
  return {
    name: "net",
    schema: netSchema,
    lists: { interfaces: "members", routes: "members", ports: "members", address: "members", dns: "complete", trunks: "complete", vlans: "complete" },
    policies: ["match"],
    oneWay: {},
    resources: resourcesOf,
    section: sectionOf,
    locate: placeOf,
    read: (scope) => readNet(scope, sources),
    plan: planNetwork,
    apply: (step, progress) => applyStep(step, sources, progress),
    adopt: adoptedKeys,
  };
}

/** What a link has on it, and a route as a whole: returned to nothing, they are gone. A link that somebody else made is not op-dbus's to remove. */
function adoptedKeys({ state, identity }: ResourceReading): AdoptedKey[] {
  const isLink = identity !== undefined;
  const members = leavesOf(state).filter(({ path: [first, second] }) => first === "ports" || second === "address" || second === "gateway" || !isLink);
  const keys = members.map(({ path, value }) => ({ path, value, original: null }));
  return isLink ? keys : [{ path: ["state"], value: "present", original: "absent" }, ...keys];
}
