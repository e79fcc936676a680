import { describe, expect, test } from "bun:test";
import type { Json } from "../../../src/core/json.ts";
import { leavesOf } from "../../../src/core/resource.ts";
import { placeOf, resourcesOf, sectionOf } from "../../../src/plugins/net/section.ts";

const SECTION: Json = {
  interfaces: [
    {
      name: "br0", type: "bridge", mac: "02-00-00-00-00-0A",
      ports: ["eth1", { name: "eth2", pvid: 10, vids: ["2-4", 5, "6"], untagged: [10] }, { name: "eth3", state: "absent" }],
      ipv4: { address: [{ ip: "10.0.0.1", prefix: 8 }, { ip: "10.0.0.2", prefix: 8, vrrp: true }, { ip: "10.0.0.3", prefix: 8, state: "absent" }], gateway: "10.0.0.254" },
      ipv6: { address: [{ ip: "2001:DB8:0:0::1", prefix: 64 }] },
      observed: { index: 3 },
    },
  ],
  routes: [{ destination: "2001:DB8:1::/48", via: "FE80::1", dev: "br0" }, { destination: "default", via: "10.0.0.253", metric: 100, table: 7 }],
};

const RESOURCES = {
  br0: {
    type: "bridge", mac: "02:00:00:00:00:0a",
    ports: { eth1: { state: "present" }, eth2: { state: "present", vlans: ["2-6", "10 pvid untagged"] }, eth3: { state: "absent" } },
    ipv4: { address: { "10.0.0.1/8": "present", "10.0.0.2/8": "vrrp", "10.0.0.3/8": "absent" }, gateway: "10.0.0.254" },
    ipv6: { address: { "2001:db8::1/64": "present" } },
    written: { ports: {}, "ipv4.address": {}, "ipv6.address": {} },
  },
  "route 2001:db8:1::/48": { via: "fe80::1", dev: "br0" },
  "route 0.0.0.0/0 metric 100 table 7": { via: "10.0.0.253" },
};

describe("resourcesOf", () => {
  test("has interfaces by name and routes by their key, members by member, each in its one spelling", () => {
    expect(resourcesOf(SECTION)).toEqual(RESOURCES);
  });

  test("says which lists are written by what is no key", () => {
    expect(leavesOf(RESOURCES.br0).map(({ path }) => path[0])).not.toContain("written");
    expect(resourcesOf({ interfaces: [{ name: "br0", ports: null }, { name: "br1" }] })).toEqual({ br0: { ports: {}, written: { ports: {} } }, br1: {} });
  });
});

describe("sectionOf", () => {
  test("is the inverse, in normal spelling", () => {
    expect(resourcesOf(sectionOf(RESOURCES))).toEqual(RESOURCES);
    expect(sectionOf({ "route 2001:db8::/32 metric 7": { dev: "br0" } })).toEqual({ interfaces: [], routes: [{ destination: "2001:db8::/32", metric: 7, dev: "br0" }] });
  });

  test("makes of a before-state what a document can say: a member that was not there is absent", () => {
    const before = { eth0: { mtu: 1500, ipv4: { address: { "10.0.0.1/8": null } }, ports: { eth1: { state: null, vlans: null } } }, br0: { state: "absent", type: null } };
    expect(sectionOf(before)).toEqual({
      interfaces: [
        { name: "eth0", mtu: 1500, ports: [{ name: "eth1", state: "absent" }], ipv4: { address: [{ ip: "10.0.0.1", prefix: 8, state: "absent" }] } },
        { name: "br0", state: "absent" },
      ],
    });
  });
});

describe("placeOf", () => {
  const places: [resource: string, path: string[], place: (string | number)[]][] = [
    ["br0", ["mac"], ["interfaces", 0, "mac"]],
    ["br0", ["ipv6", "address", "2001:db8::1/64"], ["interfaces", 0, "ipv6", "address", 0]],
    ["br0", ["ports", "eth2", "vlans"], ["interfaces", 0, "ports", 1]],
    ["br0", ["ports", "eth9", "state"], ["interfaces", 0, "ports"]],
    ["eth7", ["mtu"], ["interfaces"]],
    ["route 0.0.0.0/0 metric 100 table 7", ["via"], ["routes", 1, "via"]],
  ];
  for (const [resource, path, place] of places) {
    test(`${resource} ${path.join(".")}`, () => expect(placeOf(SECTION, resource, path)).toEqual(place));
  }
});
