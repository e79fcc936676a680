import { describe, expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import type { Ovsdb } from "../../../src/protocols/ovsdb/ovsdb.ts";
import type { Bridge, Interface, Port, Vswitch } from "../../../src/protocols/ovsdb/vswitch.ts";
import { readVswitchIn, withVswitch } from "../../../src/plugins/net/ovs/reading.ts";

const NAMED = { ovs0: { type: "ovs-bridge" } };

/** A server that is there and does not answer. */
function silent(closed: string[]): Ovsdb {
  const transact = () => Promise.reject(new OpError("unavailable", "ovsdb-server does not answer"));
  return { transact, close: () => void closed.push("closed") } as unknown as Ovsdb;
}

describe("readVswitchIn", () => {
  test("asks nothing where there is no Open vSwitch and none is declared", async () => {
    expect(await readVswitchIn({ eth0: { type: "ethernet", mtu: 1400 } }, { openVswitch: () => undefined })).toBeUndefined();
    expect(await readVswitchIn(undefined, { openVswitch: () => undefined })).toBeUndefined();
  });

  test("is unavailable, and says how to start it, where something of it is declared", async () => {
    for (const scope of [NAMED, { eth0: { ovs: { tag: 5 } } }, { eth0: { type: "ovs-port" } }, { br0: { controller: "tcp:192.0.2.1" } }]) {
      await expect(readVswitchIn(scope, { openVswitch: () => undefined })).rejects.toMatchObject({ kind: "unavailable", hint: "Start it with 'systemctl start openvswitch-switch'" });
    }
  });

  test("of a server that does not answer fails only what needs it, and closes the connection", async () => {
    const closed: string[] = [];
    await expect(readVswitchIn(NAMED, { openVswitch: () => silent(closed) })).rejects.toMatchObject({ kind: "unavailable" });
    expect(await readVswitchIn({ eth0: { mtu: 1400 } }, { openVswitch: () => silent(closed) })).toBeUndefined();
    expect(closed).toEqual(["closed", "closed"]);
  });
});

test("withVswitch leaves out the datapaths' own devices, which are nobody's to declare", () => {
  const resources = { "ovs-system": { state: {} }, "ovs-netdev": { state: {} }, eth0: { state: { up: true } } };
  expect(Object.keys(withVswitch({ resources }, undefined).resources)).toEqual(["eth0"]);
});

const none = new Map<string, string>();
const iface = (name: string, keys: Partial<Interface> = {}): Interface => ({
  uuid: `interface ${name}`, name, type: "", options: none, mac: undefined, mac_in_use: undefined, mtu_request: undefined, mtu: undefined, ofport_request: undefined, ofport: undefined,
  ifindex: undefined, admin_state: undefined, link_state: undefined, error: undefined, other_config: none, external_ids: none, ...keys,
});
const port = (name: string, keys: Partial<Interface> = {}, more: Partial<Port> = {}): Port => ({
  uuid: `port ${name}`, name, tag: undefined, trunks: [], vlan_mode: undefined, bond_mode: undefined, other_config: none, external_ids: none, interfaces: [iface(name, keys)], ...more,
});
const bridge = (name: string, ports: readonly Port[], keys: Partial<Bridge> = {}): Bridge => ({
  uuid: `bridge ${name}`, name, datapath_type: "", datapath_id: undefined, fail_mode: undefined, stp_enable: false, protocols: [], other_config: none, external_ids: none, controllers: [], ports, ...keys,
});
const vswitch = (...bridges: readonly Bridge[]): Vswitch => ({ external_ids: none, other_config: none, ovs_version: undefined, bridges });
const link = (mac: string) => ({ state: { up: true, mtu: 1500, mac }, identity: "index 7", facts: { kind: "tun" } });

describe("withVswitch", () => {
  test("says an address and an MTU only where they were asked for; otherwise they are observed", () => {
    const links = { b: link("02:00:00:00:00:01"), c: link("02:00:00:00:00:02") };
    const own = { other_config: new Map([["hwaddr", "02:00:00:00:00:02"], ["x", "1"]]) };
    const { b, c } = withVswitch({ resources: links }, vswitch(bridge("b", [port("b", { type: "internal" })]), bridge("c", [port("c", { type: "internal", mtu_request: 1500 })], own))).resources;
    expect(b).toMatchObject({ state: { type: "ovs-bridge", up: true, ovs: { datapath_type: "system" } }, observed: { mac: "02:00:00:00:00:01", mtu: 1500 }, identity: "ovs bridge b" });
    expect(b?.state).not.toContainAnyKeys(["mac", "mtu", "ports"]);
    expect(c?.state).toEqual({ type: "ovs-bridge", up: true, mac: "02:00:00:00:00:02", mtu: 1500, ovs: { datapath_type: "system", other_config: { x: "1" } } });
  });

  test("keeps a device the device that it is, and names what could not be made again", () => {
    const eth1 = { state: { type: "ethernet", up: true, mtu: 1500 }, identity: "mac 52:54:00:00:00:02" };
    const ports = [port("eth1", {}, { tag: 5, trunks: [20, 10] }), port("vx", { type: "vxlan", options: new Map([["remote_ip", "192.0.2.1"]]) }), port("bond", {}, { interfaces: [iface("e1"), iface("e2")] }), port("a-name-that-no-link-has", { type: "patch" })];
    const { resources } = withVswitch({ resources: { eth1 } }, vswitch(bridge("b", ports, { protocols: ["OpenFlow14"], stp_enable: true })));
    expect(resources.eth1).toMatchObject({ state: { type: "ethernet", ovs: { tag: 5, trunks: [10, 20] } }, identity: "mac 52:54:00:00:00:02" });
    expect(Object.keys(resources)).toEqual(["eth1", "b", "vx", "bond"]);
    expect(resources.b).toMatchObject({ state: { up: false, ports: { bond: {}, eth1: {}, vx: {} } }, facts: { vswitch: { special: ["protocols", "stp_enable"] } } });
    expect(resources.vx?.facts).toMatchObject({ vswitch: { special: ["type vxlan", "options"] } });
    expect(resources.bond?.facts).toMatchObject({ vswitch: { special: ["a bond"] } });
  });
});
