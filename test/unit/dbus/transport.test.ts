import { expect, test } from "bun:test";
import type { Bus, Call } from "../../../src/protocols/dbus/bus.ts";
import { dbusError, dbusErrorName } from "../../../src/protocols/dbus/errors.ts";
import { socketsOf } from "../../../src/protocols/dbus/address.ts";
import { readOnly } from "../../../src/protocols/dbus/read-only.ts";
import { isRead } from "../../../src/protocols/dbus/reads.ts";
import { OpError } from "../../../src/core/errors.ts";

const MANAGER = "org.freedesktop.systemd1.Manager";

test("isRead knows what changes nothing, and takes the rest for a write", () => {
  const reads: [string, string][] = [
    ["org.freedesktop.DBus.Properties", "Get"],
    ["org.freedesktop.DBus.Properties", "GetAll"],
    ["org.freedesktop.DBus.ObjectManager", "GetManagedObjects"],
    ["org.freedesktop.DBus", "Hello"],
    [MANAGER, "ListUnitsByNames"],
    [MANAGER, "LoadUnit"],
    ["org.freedesktop.systemd1.Service", "GetProcesses"],
    ["org.freedesktop.login1.Manager", "ListSessions"],
  ];
  const writes: [string, string][] = [
    ["org.freedesktop.DBus.Properties", "Set"],
    ["org.freedesktop.DBus", "RequestName"],
    ["org.freedesktop.DBus", "StartServiceByName"],
    [MANAGER, "StartUnit"],
    [MANAGER, "Reload"],
    [MANAGER, "ResetFailedUnit"],
    [MANAGER, "listunits"],
    ["org.example.Unknown", "Get"],
    ["__proto__", "toString"],
    ["constructor", "name"],
  ];
  expect(reads.filter(([name, member]) => !isRead({ interface: name, member }))).toEqual([]);
  expect(writes.filter(([name, member]) => isRead({ interface: name, member }))).toEqual([]);
});

test("readOnly lets reads through and refuses a write before it reaches the wire", async () => {
  const sent: Call[] = [];
  const bus: Bus = {
    peer: "private-socket",
    counts: { reads: 3, writes: 0 },
    closed: Promise.resolve(undefined),
    call: async (call) => (sent.push(call), ["answer"]),
    subscribe: async () => ({ async [Symbol.asyncDispose]() {} }),
    close() {},
  };
  const call = { destination: "org.freedesktop.systemd1", path: "/org/freedesktop/systemd1", interface: MANAGER };
  const looking = readOnly(bus);
  expect(await looking.call({ ...call, member: "ListUnits" })).toEqual(["answer"]);
  const refused = looking.call({ ...call, member: "StopUnit", signature: "ss", body: ["nginx.service", "replace"] });
  await expect(refused).rejects.toMatchObject({ kind: "internal", message: "StopUnit(nginx.service, replace) on org.freedesktop.systemd1 would write" });
  expect(sent.map(({ member }) => member)).toEqual(["ListUnits"]);
  expect([looking.peer, looking.counts.reads]).toEqual(["private-socket", 3]);
});

test("dbusError gives each name its kind, and dbusErrorName finds it again through the causes", () => {
  const kinds = {
    "org.freedesktop.DBus.Error.NoReply": "unavailable",
    "org.freedesktop.DBus.Error.Spawn.ChildExited": "unavailable",
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired": "refused",
    "org.freedesktop.DBus.Error.UnknownMethod": "failed",
    "org.freedesktop.systemd1.NoSuchUnit": "failed",
    "org.freedesktop.systemd1.UnitMasked": "failed",
    "org.freedesktop.systemd1.LoadFailed": "failed",
    constructor: "failed",
  };
  for (const [name, kind] of Object.entries(kinds)) {
    const error = dbusError(name, "Why", "StartUnit");
    expect([name, error.kind]).toEqual([name, kind]);
    expect(dbusErrorName(new OpError("failed", "outer", { cause: error }))).toBe(name);
  }
  expect(dbusErrorName(new OpError("failed", "not from a peer"))).toBeUndefined();
  expect(dbusErrorName("text")).toBeUndefined();
});

test("socketsOf reads D-Bus addresses", () => {
  expect(socketsOf("unix:path=/run/dbus/system_bus_socket")).toEqual(["/run/dbus/system_bus_socket"]);
  expect(socketsOf("unix:path=/a%20b,guid=0123;tcp:host=x;unix:abstract=c")).toEqual(["/a b", "\0c"]);
  for (const address of ["", "unix:", "unix:path=", "unix:path=/a%00b", "unixexec:path=/bin/sh", "autolaunch:"]) {
    expect(() => socketsOf(address)).toThrow(expect.objectContaining({ kind: "invalid" }));
  }
});
