import { expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import type { Bus, Call, Signal } from "../../../src/protocols/dbus/bus.ts";
import { encodeBody } from "../../../src/protocols/dbus/body.ts";
import { dbusErrorName } from "../../../src/protocols/dbus/errors.ts";
import { openLink } from "../../../src/protocols/dbus/link.ts";
import { encodeMessage, SIGNAL } from "../../../src/protocols/dbus/message.ts";
import { openSystemBus } from "../../../src/protocols/dbus/system-bus.ts";
import { privateBus } from "./private-bus.ts";

const BUS: Omit<Call, "member"> = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };

const requestName = (name: string): Call => ({ ...BUS, member: "RequestName", signature: "su", body: [name, 0] });
const hasOwner = (name: string): Call => ({ ...BUS, member: "NameHasOwner", signature: "s", body: [name] });

async function failure(action: Promise<unknown>): Promise<OpError> {
  const error = await action.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(OpError);
  return error as OpError;
}

interface Emitter extends Disposable {
  own(name: string): Promise<string>;
  disown(name: string): Promise<void>;
  /** The signal org.example.Jobs.Done of the object /x, to everybody. */
  emit(signature: string, body: readonly unknown[]): void;
}

/** A service that does nothing but own names and send signals, which a Bus does not. */
async function openEmitter(address: string): Promise<Emitter> {
  const link = await openLink(address.slice("unix:path=".length), { peer: "system-bus", connectTimeoutMs: 5000, onSignal() {} });
  const ask = async (call: Call) => void (await link.exchange(call, encodeBody(call.signature, call.body), 5000));
  return {
    own: async (name) => (await ask(requestName(name)), name),
    disown: (name) => ask({ ...BUS, member: "ReleaseName", signature: "s", body: [name] }),
    emit(signature, body) {
      const signal = { type: SIGNAL, flags: 0, serial: 1_000_000, path: "/x", interface: "org.example.Jobs", member: "Done" };
      link.socket?.send(encodeMessage({ ...signal, signature, body: encodeBody(signature, body) }));
    },
    [Symbol.dispose]: () => link.end(new Error("was closed")),
  };
}

/** Closed with the test. */
function open(address: string): Bus & Disposable {
  const bus = openSystemBus({ address });
  return Object.assign(bus, { [Symbol.dispose]: () => bus.close() });
}

test("call gives the reply's values in the shapes that Bus promises", async () => {
  await using daemon = await privateBus();
  using bus = open(daemon.address);
  const [id] = await bus.call({ ...BUS, member: "GetId" });
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(await bus.call(hasOwner("org.freedesktop.DBus"))).toEqual([true]);
  const properties = await bus.call({ ...BUS, interface: "org.freedesktop.DBus.Properties", member: "GetAll", signature: "s", body: [BUS.interface] });
  expect(properties).toEqual([new Map([["Features", expect.objectContaining({ signature: "as" })], ["Interfaces", expect.anything()]])]);
  const [credentials] = (await bus.call({ ...BUS, member: "GetConnectionCredentials", signature: "s", body: [BUS.destination] })) as [Map<string, unknown>];
  expect(credentials.get("ProcessID")).toEqual({ signature: "u", value: daemon.pid });
  expect(bus.peer).toBe("system-bus");
});

test("the abstract namespace is spoken", async () => {
  await using daemon = await privateBus();
  using bus = open(daemon.address.replace("path", "abstract"));
  expect(await bus.call(hasOwner("org.example.Nobody"))).toEqual([false]);
});

test("calls made together are all answered, each with its own reply, beyond the bus's limit of calls in flight", async () => {
  await using daemon = await privateBus();
  using bus = open(daemon.address);
  const names = Array.from({ length: 1000 }, (_, n) => `org.example.N${n}`);
  await Promise.all(names.filter((_, n) => n % 3 === 0).map((name) => bus.call(requestName(name))));
  const answers = await Promise.all(names.map((name) => bus.call(hasOwner(name))));
  expect(answers.map(([owned]) => owned)).toEqual(names.map((_, n) => n % 3 === 0));
  expect(bus.counts).toEqual({ reads: 1001, writes: 334 });
});

test("a call larger than the socket takes at once goes out whole, and its like comes in", async () => {
  await using daemon = await privateBus();
  using bus = open(daemon.address);
  const body = ["x".repeat(4_000_000), new Uint8Array(100_000), "end"];
  const error = await failure(bus.call({ ...BUS, member: "Nothing", signature: "says", body }));
  expect(dbusErrorName(error)).toBe("org.freedesktop.DBus.Error.UnknownMethod");
  using emitter = await openEmitter(daemon.address);
  const heard = Promise.withResolvers<Signal>();
  await using _subscription = await bus.subscribe({ sender: await emitter.own("org.example.Large"), interface: "org.example.Jobs" }, heard.resolve);
  emitter.emit("says", body);
  expect((await heard.promise).body).toEqual(body);
});

test("the bus's errors become OpErrors of the right kind and keep their D-Bus name", async () => {
  await using daemon = await privateBus();
  using bus = open(daemon.address);
  const cases: [Call, string, string][] = [
    [{ ...BUS, destination: "org.example.Nobody", member: "X" }, "unavailable", "ServiceUnknown"],
    [{ ...BUS, member: "GetNameOwner", signature: "s", body: ["org.example.Nobody"] }, "unavailable", "NameHasNoOwner"],
    [{ ...BUS, member: "NoSuchMethod" }, "failed", "UnknownMethod"],
    [{ ...BUS, member: "GetNameOwner" }, "failed", "InvalidArgs"],
    [{ ...BUS, interface: "org.example.Denied", member: "X" }, "refused", "AccessDenied"],
    [requestName("org.example.Forbidden"), "refused", "AccessDenied"],
  ];
  for (const [call, kind, name] of cases) {
    const error = await failure(bus.call(call));
    expect([error.kind, dbusErrorName(error)]).toEqual([kind, `org.freedesktop.DBus.Error.${name}`]);
    expect(error.operation).toContain(call.member);
  }
});

test("names that D-Bus does not allow are told before anything is sent", async () => {
  await using daemon = await privateBus();
  using bus = open(daemon.address);
  const cases: [Partial<Call>, string][] = [
    [{ destination: "no-dots" }, '"no-dots" is not a bus name'],
    [{ destination: ":1.0\n" }, '":1.0\\n" is not a bus name'],
    [{ path: "/a//b" }, '"/a//b" is not an object path'],
    [{ path: "" }, '"" is not an object path'],
    [{ interface: "x" }, '"x" is not an interface name'],
    [{ member: "a.b" }, '"a.b" is not a member name'],
  ];
  for (const [part, message] of cases) {
    expect(await failure(bus.call({ ...BUS, member: "GetId", ...part }))).toMatchObject({ kind: "invalid", message });
  }
  expect(bus.counts).toEqual({ reads: 0, writes: 0 });
});

test("arguments that do not fit their signature are a bug, told by the method's name", async () => {
  await using daemon = await privateBus();
  using bus = open(daemon.address);
  const cases: [string, unknown[]][] = [
    ["s", []],
    ["s", [1]],
    ["s", ["\ud800"]],
    ["s", ["a\0b"]],
    ["u", [-1]],
    ["o", ["nowhere"]],
    ["a{sv}", [{}]],
    ["v", [{ signature: "ss", value: "x" }]],
    ["()", [[]]],
    ["a", [[]]],
    ["h", [0]],
    ["a".repeat(256), [[]]],
  ];
  for (const [signature, body] of cases) {
    const { kind, message } = await failure(bus.call({ ...BUS, member: "GetId", signature, body }));
    expect([kind, message]).toEqual(["internal", expect.stringContaining("The arguments of GetId")]);
  }
});

test("subscribe delivers NameOwnerChanged of the bus, filtered by its first argument, until it is disposed", async () => {
  await using daemon = await privateBus();
  using watcher = open(daemon.address);
  using owner = open(daemon.address);
  const seen: Signal[] = [];
  const heard = Promise.withResolvers<void>();
  const match = { sender: BUS.destination, interface: BUS.interface, member: "NameOwnerChanged", arg0: "org.example.Mine" };
  {
    await using _subscription = await watcher.subscribe(match, (signal) => {
      seen.push(signal);
      heard.resolve();
    });
    await owner.call(requestName("org.example.Other"));
    await owner.call(requestName("org.example.Mine"));
    await heard.promise;
    expect(seen).toEqual([
      { path: "/org/freedesktop/DBus", interface: BUS.interface, member: "NameOwnerChanged", body: ["org.example.Mine", "", expect.stringMatching(/^:1\./)] },
    ]);
  }
  await owner.call({ ...BUS, member: "ReleaseName", signature: "s", body: ["org.example.Mine"] });
  // What the bus sent before this answer would have been delivered by now.
  await watcher.call(hasOwner("org.example.Mine"));
  expect(seen).toHaveLength(1);
});

test("subscribe believes only the name's owner, and follows the name from hand to hand", async () => {
  await using daemon = await privateBus();
  using watcher = open(daemon.address);
  using first = await openEmitter(daemon.address);
  using second = await openEmitter(daemon.address);
  const name = "org.example.Service";
  const seen: unknown[] = [];
  // By the time the watcher's own question is answered, it has had every signal that went out before.
  const emit = async (emitter: Emitter, text: string): Promise<void> => {
    emitter.emit("s", [text]);
    await emitter.own(`org.example.Signal${text}`);
    await watcher.call(hasOwner(name));
  };
  const match = { sender: name, path: "/x", interface: "org.example.Jobs", member: "Done" };
  await using _subscription = await watcher.subscribe(match, ({ body }) => seen.push(body[0]));
  await emit(first, "NobodyOwnsTheName");
  await first.own(name);
  await emit(first, "A");
  await emit(second, "NotTheOwner");
  await first.disown(name);
  await second.own(name);
  await emit(first, "NoLongerTheOwner");
  await emit(second, "B");
  expect(seen).toEqual(["A", "B"]);
});

test("a subscription made while the name is owned hears its owner at once", async () => {
  await using daemon = await privateBus();
  using watcher = open(daemon.address);
  using service = await openEmitter(daemon.address);
  const heard = Promise.withResolvers<Signal>();
  await using _subscription = await watcher.subscribe({ sender: await service.own("org.example.Service"), interface: "org.example.Jobs" }, heard.resolve);
  service.emit("s", ["A"]);
  expect(await heard.promise).toEqual({ path: "/x", interface: "org.example.Jobs", member: "Done", body: ["A"] });
});

test("closing ends what waits, and `closed` tells it from an end that nobody asked for", async () => {
  await using daemon = await privateBus();
  const [closing, torn] = [openSystemBus({ address: daemon.address }), openSystemBus({ address: daemon.address })];
  await Promise.all([closing.call(hasOwner("org.example.A")), torn.call(hasOwner("org.example.A"))]);
  const waiting = failure(closing.call(hasOwner("org.example.A")));
  closing.close();
  expect((await waiting).kind).toBe("unavailable");
  expect(await closing.closed).toBeUndefined();
  expect((await failure(closing.call(hasOwner("org.example.A")))).message).toBe("The connection was closed");
  await daemon.stop();
  expect(await torn.closed).toMatchObject({ kind: "unavailable", message: "The system bus closed the connection", retryable: true });
  expect((await failure(torn.call(hasOwner("org.example.A")))).kind).toBe("unavailable");
});
