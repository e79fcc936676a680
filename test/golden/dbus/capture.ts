import { writeFileSync } from "node:fs";
import { encodeBody } from "../../../src/protocols/dbus/body.ts";
import { decodeMessage, encodeMessage, METHOD_CALL, SIGNAL } from "../../../src/protocols/dbus/message.ts";
import { openSocket } from "../../../src/protocols/dbus/socket.ts";
import type { Call } from "../../../src/protocols/dbus/bus.ts";

/*
 * Made the .bin files of this folder: run as root in a throw-away Debian host, it writes what it sends to the system bus (sent-*) and what
 * dbus-daemon and systemd answer into the folder given; the telling ones are kept. It changes the CPUWeight of systemd-tmpfiles-clean.service until the next boot, and starts it.
 */

const folder = process.argv[2] ?? ".";
const BUS = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };
const SYSTEMD = { destination: "org.freedesktop.systemd1", path: "/org/freedesktop/systemd1", interface: "org.freedesktop.systemd1.Manager" };
const PROPERTIES = "org.freedesktop.DBus.Properties";
const UNIT = "systemd-tmpfiles-clean.service";
const TIMER = "/org/freedesktop/systemd1/unit/systemd_2dtmpfiles_2dclean_2etimer";
const JOBS = "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'";
const weight = [["CPUWeight", { signature: "t", value: 50n }]];

const CALLS: Record<string, Call> = {
  hello: { ...BUS, member: "Hello" },
  "add-match": { ...BUS, member: "AddMatch", signature: "s", body: [JOBS] },
  subscribe: { ...SYSTEMD, member: "Subscribe" },
  "list-units-by-names": { ...SYSTEMD, member: "ListUnitsByNames", signature: "as", body: [["dbus.service", "not-there.service"]] },
  "get-all-timer": { ...SYSTEMD, path: TIMER, interface: PROPERTIES, member: "GetAll", signature: "s", body: ["org.freedesktop.systemd1.Timer"] },
  "set-unit-properties": { ...SYSTEMD, member: "SetUnitProperties", signature: "sba(sv)", body: [UNIT, true, weight] },
  "no-such-unit": { ...SYSTEMD, member: "StartUnit", signature: "ss", body: ["not-there.service", "replace"] },
  "start-unit": { ...SYSTEMD, member: "StartUnit", signature: "ss", body: [UNIT, "replace"] },
};

const names = Object.keys(CALLS);
const done = Promise.withResolvers<void>();
const socket = await openSocket("/run/dbus/system_bus_socket", 5000, {
  message(bytes) {
    const { type, member, replySerial } = decodeMessage(bytes);
    const name = type === SIGNAL ? member : names[(replySerial ?? 0) - 1];
    writeFileSync(`${folder}/${name === member ? `signal-${member}` : `reply-${name}`}.bin`, bytes);
    if (member === "JobRemoved") done.resolve();
  },
  ended: (why) => done.reject(why),
});
for (const [index, name] of names.entries()) {
  const { signature, body, destination, path, interface: interfaceName, member } = CALLS[name] as Call;
  const fields = { destination, path, interface: interfaceName, member, ...(signature === undefined ? {} : { signature }) };
  const bytes = encodeMessage({ type: METHOD_CALL, flags: 0, serial: index + 1, ...fields, body: encodeBody(signature, body) });
  writeFileSync(`${folder}/sent-${name}.bin`, bytes);
  socket.send(bytes);
}
await done.promise;
socket.close();
