import type { AdoptedKey, Plugin, ResourceReading } from "../../core/plugin.ts";
import { leavesOf, type KeyPath, type Resource } from "../../core/resource.ts";
import { applyStep } from "./apply.ts";
import { planNetwork } from "./plan.ts";
import { readNet, type Sources } from "./reading.ts";
import { isRoute } from "./route-name.ts";
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
    endsWithBoot,
    adopt: adoptedKeys,
  };
}

/** The kernel forgets everything, Open vSwitch's database nothing; of a link that is not said to be whose, its ports may be either's. */
function endsWithBoot(resource: string, [first = ""]: KeyPath, { type }: Resource): boolean {
  if (first === "ovs" || first === "controller" || (first === "ports" && type == null)) return false;
  if (isRoute(resource) || typeof type !== "string" || !type.startsWith("ovs-")) return true;
  return type === "ovs-port" ? first !== "type" && first !== "state" : ["up", "ipv4", "ipv6"].includes(first);
}

/** What a link has on it, and a route as a whole: returned to nothing, they are gone. A link that somebody else made is not op-dbus's to remove. */
function adoptedKeys({ state, identity }: ResourceReading): AdoptedKey[] {
  const isLink = identity !== undefined;
  const members = leavesOf(state).filter(({ path: [first, second] }) => first === "ports" || second === "address" || second === "gateway" || !isLink);
  const keys = members.map(({ path, value }) => ({ path, value, original: null }));
  return isLink ? keys : [{ path: ["state"], value: "present", original: "absent" }, ...keys];
}
