import { describe, expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import type { Ovsdb } from "../../../src/protocols/ovsdb/ovsdb.ts";
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
