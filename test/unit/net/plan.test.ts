import { describe, expect, test } from "bun:test";
import type { Reading } from "../../../src/core/plugin.ts";
import type { OwnedResources } from "../../../src/core/resource.ts";
import { planNetwork } from "../../../src/plugins/net/plan.ts";

/** What a plan does, a line each: "remove links: remove left". */
function lines(plan: ReturnType<typeof planNetwork>): string[] {
  return plan.steps.flatMap(({ name, actions }) => actions.map(({ verb, resource, path = [] }) => `${name}: ${verb} ${resource} ${path.join(".")}`));
}

const veth = (peer: string, mac: string) => ({ state: { type: "veth", up: true, mtu: 1500, mac, veth: { peer } }, identity: `index ${peer}` });

describe("planNetwork, on the way back", () => {
  test("removes both ends of a veth, whatever one of them was between two applies", () => {
    const actual: Reading = { resources: { left: veth("right", "02:00:00:00:00:01"), right: veth("left", "02:00:00:00:00:02") } };
    // Of an apply that made them and one that gave the first another address.
    const before = { left: { state: "absent", type: null, mac: "02:00:00:00:00:09", ipv4: { gateway: "10.0.0.1" } }, right: { state: "absent", type: null } };
    const plan = planNetwork(before, actual, {});
    expect(plan.problems).toEqual([]);
    expect(plan.steps.flatMap(({ call }) => (call as { operations: unknown }).operations)).toEqual([{ do: "remove", name: "left" }]);
  });

  test("leaves members alone that a before-state does not name, although op-dbus put them there", () => {
    const actual: Reading = {
      resources: {
        br0: {
          state: { type: "bridge", up: true, ports: { e1: { state: "present" }, e2: { state: "present" } }, ipv4: { address: { "10.0.0.1/24": "present", "10.0.0.2/24": "present" } } },
          identity: "index 5",
        },
        e1: veth("p1", "02:00:00:00:00:01"), e2: veth("p2", "02:00:00:00:00:02"),
      },
    };
    const key = (...path: string[]) => ({ path, value: "present", original: null });
    const owned: OwnedResources = { br0: { since: "", keys: [key("ports", "e1", "state"), key("ports", "e2", "state"), key("ipv4", "address", "10.0.0.1/24"), key("ipv4", "address", "10.0.0.2/24")] } };
    const before = { br0: { ports: { e2: { state: null } }, ipv4: { address: { "10.0.0.2/24": null } } } };
    expect(lines(planNetwork(before, actual, owned))).toEqual(["change ports: leave br0 ports.e2.state", "remove routes and addresses: remove br0 ipv4.address.10.0.0.2/24"]);
    const written = { br0: { ...before.br0, written: { ports: {}, "ipv4.address": {} } } };
    expect(lines(planNetwork(written, actual, owned))).toContain("change ports: leave br0 ports.e1.state");
  });
});

test("planNetwork goes through thousands of links and routes at once", () => {
  const links = Array.from({ length: 2000 }, (_, index) => [`l${index}`, { state: { type: "dummy", up: true, ipv4: { address: { [`10.${index >> 8}.${index & 255}.1/24`]: "present" } } } }] as const);
  const routes = Array.from({ length: 2000 }, (_, index) => [`route 172.${16 + (index >> 8)}.${index & 255}.0/24`, { via: `10.${index >> 8}.${index & 255}.2` }] as const);
  const plan = planNetwork(Object.fromEntries(routes), { resources: Object.fromEntries(links) }, {});
  expect([plan.problems, plan.steps.length, plan.steps[0]?.actions.length]).toEqual([[], 1, 4000]);
});
