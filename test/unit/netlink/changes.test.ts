import { expect, test } from "bun:test";
import { ADDRESS, localOf } from "../../../src/protocols/netlink/address.ts";
import { addAddress, addNeighbour, addRoute, addRule, appendRoute, deleteRoute, deleteRule, replaceRoute } from "../../../src/protocols/netlink/changes.ts";
import { AF_BRIDGE, AF_INET, AF_INET6, NTF, NUD, RT_SCOPE, RTM, RTN, RTPROT } from "../../../src/protocols/netlink/constants.ts";
import { isUp, LINK } from "../../../src/protocols/netlink/link.ts";
import { createLink, deleteLink, setBridgeVlans, setLink } from "../../../src/protocols/netlink/link-changes.ts";
import { NLM_F } from "../../../src/protocols/netlink/message.ts";
import { NEIGHBOUR } from "../../../src/protocols/netlink/neighbour.ts";
import { dumpLinks, dumpRoutes, getRoute, isDump, isRead } from "../../../src/protocols/netlink/reads.ts";
import { ROUTE } from "../../../src/protocols/netlink/route.ts";
import { RULE } from "../../../src/protocols/netlink/rule.ts";

test("createLink, setLink and deleteLink say what is set and nothing else", () => {
  const made = createLink({ name: "v", up: true, linkInfo: { kind: "veth", veth: { peer: { name: "w" } } } });
  expect([made.type, made.flags, made.operation]).toEqual([RTM.NEWLINK, NLM_F.CREATE | NLM_F.EXCL, "create link v"]);
  const value = LINK.decode(made.payload);
  expect(value).toEqual({ family: 0, type: 0, index: 0, flags: 1, change: 1, name: "v", linkInfo: { kind: "veth", veth: { peer: { name: "w" } } } });
  expect(isUp(value)).toBe(true);
  expect(LINK.decode(setLink({ name: "v" }, { up: false }).payload)).toEqual({ family: 0, type: 0, index: 0, flags: 0, change: 1, name: "v" });
  expect(LINK.decode(setLink({ index: 3 }, { name: "new", master: 0 }).payload)).toEqual({ family: 0, type: 0, index: 3, flags: 0, change: 0, name: "new", master: 0 });
  expect(LINK.decode(deleteLink({ index: 3 }).payload)).toEqual({ family: 0, type: 0, index: 3, flags: 0, change: 0 });
});

test("setBridgeVlans is about the port, with `self` about the bridge", () => {
  const header = { family: AF_BRIDGE, type: 0, index: 3, flags: 0, change: 0 };
  expect(LINK.decode(setBridgeVlans(3, [{ first: 5, last: 5, untagged: true }]).payload)).toEqual({ ...header, bridge: { vlans: [{ flags: 4, id: 5 }] } });
  expect(LINK.decode(setBridgeVlans(3, [{ first: 5, last: 6 }], { self: true }).payload)).toEqual({ ...header, bridge: { flags: 2, vlans: [{ flags: 8, id: 5 }, { flags: 16, id: 6 }] } });
});

test("addAddress: for ever unless it is said, the peer beside the own address", () => {
  const plain = ADDRESS.decode(addAddress({ index: 2, address: "10.0.0.1", prefixLength: 24 }).payload);
  expect(plain).toEqual({ family: AF_INET, prefixLength: 24, flagsByte: 0, scope: 0, index: 2, local: "10.0.0.1", address: "10.0.0.1" });
  const peer = ADDRESS.decode(addAddress({ index: 2, address: "fd00::1", prefixLength: 128, peer: "fd00::2", flags: 0x202, validSeconds: 60 }).payload);
  expect(peer).toMatchObject({ family: AF_INET6, flagsByte: 2, flags: 0x202, local: "fd00::1", address: "fd00::2", cacheInfo: { preferred: 60, valid: 60 } });
  expect([localOf(plain), localOf(peer), localOf({ address: "::1" }), localOf({})]).toEqual(["10.0.0.1", "fd00::1", "::1", undefined]);
  expect(() => addAddress({ index: 2, address: "10.0.0", prefixLength: 24 })).toThrow('"10.0.0" is not an address');
});

test("addRoute: table main, protocol static, and a scope as `ip route` chooses it", () => {
  const scopes = [
    { family: AF_INET, gateway: "10.0.0.1" },
    { family: AF_INET, outIndex: 3 },
    { family: AF_INET, outIndex: 3, multipath: [] },
    { family: AF_INET, type: RTN.LOCAL, outIndex: 3 },
    { family: AF_INET, type: RTN.BROADCAST, outIndex: 3 },
    { family: AF_INET, type: RTN.BLACKHOLE },
    { family: AF_INET6, outIndex: 3 },
  ].map((route) => ROUTE.decode(addRoute(route).payload).scope);
  expect(scopes).toEqual([RT_SCOPE.UNIVERSE, RT_SCOPE.LINK, RT_SCOPE.UNIVERSE, RT_SCOPE.HOST, RT_SCOPE.LINK, RT_SCOPE.UNIVERSE, RT_SCOPE.UNIVERSE]);
  const far = addRoute({ family: AF_INET, destination: "10.0.0.0", destinationLength: 8, gateway: "10.1.0.1", table: 1000 });
  expect(ROUTE.decode(far.payload)).toMatchObject({ destination: "10.0.0.0", destinationLength: 8, table: 1000, tableByte: 252, protocol: RTPROT.STATIC, type: RTN.UNICAST });
  expect([far.operation, addRoute({ family: AF_INET, gateway: "10.1.0.1" }).operation]).toEqual(["add route 10.0.0.0/8", "add route default"]);
});

test("the flags of routes say whether one may be there, and deleteRoute matches what is given alone", () => {
  const route = { family: AF_INET, gateway: "10.0.0.1" };
  expect([addRoute(route).flags, replaceRoute(route).flags, appendRoute(route).flags]).toEqual([NLM_F.CREATE | NLM_F.EXCL, NLM_F.CREATE | NLM_F.REPLACE, NLM_F.CREATE | NLM_F.APPEND]);
  expect(ROUTE.decode(deleteRoute({ family: AF_INET, destination: "10.0.0.0", destinationLength: 8 }).payload)).toEqual({
    ...{ family: AF_INET, destinationLength: 8, sourceLength: 0, tos: 0, tableByte: 254, protocol: 0, scope: RT_SCOPE.NOWHERE, type: 0, flags: 0 },
    ...{ destination: "10.0.0.0", table: 254 },
  });
});

test("rules lead to a table unless they say otherwise; deleteRule matches what is given alone", () => {
  expect(RULE.decode(addRule({ family: AF_INET, priority: 5, table: 300 }).payload)).toMatchObject({ action: 1, tableByte: 252, table: 300, priority: 5 });
  expect(RULE.decode(deleteRule({ family: AF_INET, priority: 5 }).payload)).toEqual({ family: AF_INET, destinationLength: 0, sourceLength: 0, tos: 0, tableByte: 0, action: 0, flags: 0, priority: 5 });
});

test("neighbours are permanent unless they say otherwise", () => {
  const entry = { family: AF_BRIDGE, index: 3, address: "02:00:00:00:00:01", flags: NTF.MASTER };
  expect(NEIGHBOUR.decode(addNeighbour(entry).payload)).toEqual({ ...entry, state: NUD.PERMANENT, type: 0 });
});

test("reads are in the list, and of what makes something the flags of a dump are not one", () => {
  expect([dumpLinks(), dumpRoutes({ table: 5 }), getRoute({ destination: "::1" })].map((request) => [isRead(request), isDump(request)])).toEqual([[true, true], [true, true], [true, false]]);
  const both = { type: RTM.NEWROUTE, flags: NLM_F.REPLACE | NLM_F.EXCL };
  expect([isRead(both), isDump(both)]).toEqual([false, false]);
});
