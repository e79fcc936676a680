import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { OpError } from "../../../src/core/errors.ts";
import type { Bus, Call } from "../../../src/protocols/dbus/bus.ts";
import { encodeBody } from "../../../src/protocols/dbus/body.ts";
import { encodeMessage, ERROR, METHOD_CALL, METHOD_RETURN, SIGNAL, type Message } from "../../../src/protocols/dbus/message.ts";
import { openManagerBus, openSystemBus } from "../../../src/protocols/dbus/system-bus.ts";
import { scratch } from "../sys/scratch.ts";
import { afterHello, fakePeer, replyTo, type Behaviour } from "./fake-peer.ts";
import { privateBus } from "./private-bus.ts";

const MANAGER = { destination: "org.freedesktop.systemd1", path: "/org/freedesktop/systemd1", interface: "org.freedesktop.systemd1.Manager" };
const LIST: Call = { ...MANAGER, member: "ListUnits" };
const START: Call = { ...MANAGER, member: "StartUnit", signature: "ss", body: ["a.service", "replace"] };

async function failure(action: Promise<unknown>): Promise<OpError> {
  const error = await action.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(OpError);
  return error as OpError;
}

function closing(bus: Bus): Bus & Disposable {
  return Object.assign(bus, { [Symbol.dispose]: () => bus.close() });
}

/** A bus whose peer answers Hello and then does this. */
async function against(behaviour: Behaviour, use: (bus: Bus) => Promise<void>): Promise<void> {
  await using peer = fakePeer({ behaviour: afterHello(behaviour) });
  using bus = closing(openSystemBus({ address: peer.address, timeoutMs: 5000 }));
  await use(bus);
}

test("a peer that never answers a call is given up in time, and the connection goes on", async () => {
  const silentOnce: Behaviour = (message, peer) => {
    if (message.member !== "StartUnit") peer.reply(message);
  };
  await against(silentOnce, async (bus) => {
    const error = await failure(bus.call({ ...START, timeoutMs: 20 }));
    expect(error).toMatchObject({ kind: "unavailable", operation: "StartUnit", retryable: true });
    expect(error.message).toBe("org.freedesktop.systemd1 did not answer within 0.02 s: StartUnit(a.service, replace) on org.freedesktop.systemd1");
    expect(await bus.call(LIST)).toEqual([]);
  });
});

test("an answer that comes too late is nobody's", async () => {
  let late: Message | undefined;
  const behaviour: Behaviour = (message, peer) => {
    if (message.member === "StartUnit") late = message;
    else {
      if (late !== undefined) peer.reply(late);
      peer.reply(message, { signature: "s", body: encodeBody("s", ["mine"]) });
    }
  };
  await against(behaviour, async (bus) => {
    await failure(bus.call({ ...START, timeoutMs: 20 }));
    expect(await bus.call(LIST)).toEqual(["mine"]);
  });
});

test("a connection torn in the middle of a reply rejects every call in flight and those that follow", async () => {
  let received = 0;
  const tearAtTheHundredth: Behaviour = (message, peer) => {
    if (++received < 100) return;
    peer.write(replyTo(message).subarray(0, 20));
    peer.end();
  };
  await against(tearAtTheHundredth, async (bus) => {
    const calls = await Promise.all(Array.from({ length: 300 }, () => failure(bus.call(START))));
    for (const error of calls) {
      expect(error.kind).toBe("unavailable");
      expect(error.message).toBe("org.freedesktop.systemd1 closed the connection: StartUnit(a.service, replace) on org.freedesktop.systemd1");
    }
    expect(await bus.closed).toMatchObject({ kind: "unavailable", message: "The system bus closed the connection" });
    expect((await failure(bus.call(LIST))).message).toBe("The system bus closed the connection");
  });
});

test("garbage ends the connection with what was wrong, and nothing crashes", async () => {
  const header = (fields: Partial<Message>) => encodeMessage({ type: METHOD_RETURN, flags: 0, serial: 1, replySerial: 2, body: new Uint8Array(), ...fields });
  const patched = (bytes: Uint8Array, at: number, ...values: number[]) => (bytes.set(values, at), bytes);
  const cases: [string, Uint8Array | string, RegExp][] = [
    ["text", "HTTP/1.1 400 Bad Request\r\n\r\n", /a message that begins with byte 72/],
    ["another protocol version", patched(header({}), 3, 9), /protocol version 9/],
    ["a message of 2 GiB", patched(header({}), 4, 0, 0, 0, 0x80), /a message of 2147483672 bytes, more than 67108864/],
    ["a header of 2 GiB", patched(header({}), 12, 0, 0, 0, 0x80), /a header of 2147483648 bytes/],
    ["serial 0", patched(header({}), 8, 0, 0, 0, 0), /a message without a serial/],
    ["a field of the wrong type", patched(header({}), 18, "i".charCodeAt(0)), /header field replySerial of type 'i'/],
    ["a body without a signature", header({ body: new Uint8Array(8) }), /a body of 8 bytes/],
    ["a body too short", header({ signature: "ss", body: encodeBody("s", ["x"]) }), /./],
    ["a body too long", header({ signature: "s", body: encodeBody("ss", ["x", "y"]) }), /a body of 14 bytes of which its signature takes 6/],
    ["an unknown type", header({ signature: "z", body: new Uint8Array(4) }), /'z' is not a signature/],
    ["an array of empty structs", header({ signature: "a()", body: new Uint8Array([8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) }), /'a\(\)' is not a signature/],
    ["an array beyond the end", header({ signature: "as", body: new Uint8Array([0xff, 0xff, 0xff, 0x7f]) }), /an array beyond the message's end/],
    ["a string beyond the end", header({ signature: "s", body: new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x61]) }), /a string without its NUL/],
    ["a variant of nothing", header({ signature: "v", body: new Uint8Array([0, 0]) }), /a variant of ''/],
    ["variants in variants", header({ signature: "v", body: Buffer.from("\x01v\0".repeat(1000)) }), /variants nested too deep/],
    ["a file descriptor", header({ signature: "h", body: new Uint8Array(4) }), /a file descriptor/],
  ];
  for (const [name, bytes, reason] of cases) {
    await against((_, peer) => peer.write(bytes), async (bus) => {
      const error = await failure(bus.call(LIST));
      expect([name, error.kind]).toEqual([name, "unavailable"]);
      expect(error.message).toMatch(/sent what is not D-Bus: /);
      expect(error.message).toMatch(reason);
      expect(await bus.closed).toMatchObject({ kind: "unavailable" });
    });
  }
});

test("random bytes in a reply never do worse than end the connection", async () => {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const whole = encodeBody("a{sv}a(sasbttttuii)", [
    new Map([["Features", { signature: "as", value: ["a", "b"] }], ["Nested", { signature: "v", value: { signature: "(yd)", value: [1, 0.5] } }]]),
    [["/bin/x", ["a"], true, 1n, 2n, 3n, 4n, 5, -6, 7]],
  ]);
  for (let round = 0; round < 300; round += 1) {
    const body = Uint8Array.from(whole, (byte) => (random() < 0.03 ? Math.floor(random() * 256) : byte));
    await against((message, peer) => peer.reply(message, { signature: "a{sv}a(sasbttttuii)", body }), async (bus) => {
      await bus.call(LIST).catch((error: unknown) => expect(error).toMatchObject({ kind: "unavailable" }));
    });
  }
});

test("messages arrive whole however the stream is cut", async () => {
  const behaviour: Behaviour = (message, peer) => {
    const stray = encodeMessage({ type: METHOD_CALL, flags: 0, serial: 9, path: "/", interface: "a.b", member: "C", body: new Uint8Array() });
    const unknown = replyTo({ ...message, serial: 4_000_000_000 });
    const bytes = Buffer.concat([stray, unknown, replyTo(message, { signature: "ss", body: encodeBody("ss", ["one", "two"]) })]);
    for (const byte of bytes) peer.write(new Uint8Array([byte]));
  };
  await against(behaviour, async (bus) => expect(await bus.call(LIST)).toEqual(["one", "two"]));
});

test("big-endian peers are understood", async () => {
  const behaviour: Behaviour = (message, peer) => {
    const fields = [5, 1, 0x75, 0, 0, 0, 0, message.serial, 8, 1, 0x67, 0, 3, 0x71, 0x74, 0x78, 0, 0, 0, 0, 0, 0, 0, 0];
    const body = [0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 255, 255, 255, 255, 255, 255, 255, 254];
    peer.write(new Uint8Array([0x42, METHOD_RETURN, 0, 1, 0, 0, 0, body.length, 0, 0, 0, 9, 0, 0, 0, 17, ...fields, ...body]));
  };
  await against(behaviour, async (bus) => expect(await bus.call(LIST)).toEqual([0x1234, 0x1_0000_0002n, -2n]));
});

test("an error reply without a text is told by its name, and control characters of one reach no terminal", async () => {
  const behaviour: Behaviour = (message, peer) =>
    message.member === "StartUnit"
      ? peer.reply(message, { type: ERROR, errorName: "org.example.Broken" })
      : peer.reply(message, { type: ERROR, errorName: "org.example.Broken", signature: "s", body: encodeBody("s", ["\u001b[31mred\n"]) });
  await against(behaviour, async (bus) => {
    expect(await failure(bus.call(START))).toMatchObject({ kind: "failed", message: "org.example.Broken" });
    expect(await failure(bus.call(LIST))).toMatchObject({ kind: "failed", message: "[31mred" });
  });
});

test("openSystemBus says what is wrong with a peer that does not let it in", async () => {
  const cases: [string | undefined, RegExp][] = [
    [undefined, /did not answer within 0.05 s/],
    ["REJECTED EXTERNAL\r\n", /does not take uid \d+ for who it is/],
    ["220 mail ready\r\n", /"220 mail ready" to authentication/],
    ["x".repeat(5000), /sent what is not D-Bus: "x{80}" to authentication/],
  ];
  for (const [greeting, reason] of cases) {
    await using peer = fakePeer({ greeting });
    const error = await failure(openSystemBus({ address: peer.address, connectTimeoutMs: 50 }).call(LIST));
    expect(error).toMatchObject({ kind: "unavailable", hint: expect.stringContaining("systemctl start dbus") });
    expect(error.message).toMatch(reason);
    expect(error.message).toContain(peer.path);
  }
});

test("closing while still connecting ends the wait", async () => {
  await using peer = fakePeer();
  const bus = openSystemBus({ address: peer.address });
  const waiting = failure(bus.call(LIST));
  bus.close();
  expect((await waiting).message).toBe("The connection was closed");
  expect(await bus.closed).toBeUndefined();
});

test("a bus that hangs at Hello is given up in the time for connecting", async () => {
  await using peer = fakePeer({ behaviour() {} });
  const error = await failure(openSystemBus({ address: peer.address, connectTimeoutMs: 50 }).call(LIST));
  expect(error.message).toContain(`${peer.path} did not answer within 0.05 s`);
});

test("openSystemBus refuses, at the first call, an address that it cannot use", async () => {
  for (const address of ["tcp:host=localhost,port=1", "unix:tmpdir=/tmp", "nonsense", "unix:path=relative"]) {
    expect(await failure(openSystemBus({ address }).call(LIST))).toMatchObject({ kind: "invalid", message: expect.stringContaining(address) });
  }
});

test("a socket that is not there, or that nobody listens on, is told so; every call fails alike", async () => {
  await using folder = scratch();
  writeFileSync(folder.file("dead"), "");
  const bus = openSystemBus({ address: `unix:path=${folder.file("none")};unix:path=${folder.file("dead")}` });
  const errors = await Promise.all([failure(bus.call(LIST)), failure(bus.call(START))]);
  for (const { message } of errors) {
    expect(message).toContain(`${folder.file("none")} is not there`);
    expect(message).toContain(`${folder.file("dead")} has nobody listening`);
  }
  expect(await bus.closed).toBe(errors[0]);
});

test("openManagerBus takes the system bus where there is one", async () => {
  await using daemon = await privateBus();
  await using pid1 = fakePeer();
  using bus = closing(openManagerBus({ address: daemon.address, privateSocket: pid1.path }));
  expect((await failure(bus.call(LIST))).kind).toBe("unavailable");
  expect([bus.peer, pid1.received]).toEqual(["system-bus", []]);
});

test("openManagerBus falls back to PID 1's private socket: no Hello, no AddMatch, no destination, and its signals are believed", async () => {
  await using hanging = fakePeer({ greeting: undefined });
  await using folder = scratch();
  await using pid1 = fakePeer({
    behaviour(message, peer) {
      peer.write(encodeMessage({ type: SIGNAL, flags: 0, serial: 3, path: "/u", interface: MANAGER.interface, member: "JobRemoved", body: new Uint8Array() }));
      peer.reply(message);
    },
  });
  for (const address of [hanging.address, `unix:path=${folder.file("none")}`]) {
    using bus = closing(openManagerBus({ address, privateSocket: pid1.path, connectTimeoutMs: 50 }));
    pid1.received.length = 0;
    const seen: string[] = [];
    {
      const match = { sender: MANAGER.destination, interface: MANAGER.interface, member: "JobRemoved" };
      await using _subscription = await bus.subscribe(match, ({ path }) => seen.push(path));
      await bus.call(START);
    }
    expect(bus.peer).toBe("private-socket");
    expect(seen).toEqual(["/u"]);
    expect(pid1.received.map(({ member, destination }) => [member, destination])).toEqual([["StartUnit", undefined]]);
  }
});

test("openManagerBus names both ways when there is neither, and tries no other systemd than the one that was named", async () => {
  await using folder = scratch();
  const both = await failure(openManagerBus({ address: `unix:path=${folder.file("bus")}`, privateSocket: folder.file("private") }).call(LIST));
  expect(both.message).toBe(
    `No way to the system's services: the system bus: ${folder.file("bus")} is not there; PID 1's private socket: ${folder.file("private")} is not there`,
  );
  const named = await failure(openManagerBus({ address: `unix:path=${folder.file("bus")}` }).call(LIST));
  expect(named.message).not.toContain("private");
});
