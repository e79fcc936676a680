import { expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import { openOvsdb, type OvsdbOptions } from "../../../src/protocols/ovsdb/client.ts";
import { ovsdbErrorName } from "../../../src/protocols/ovsdb/errors.ts";
import type { Wire } from "../../../src/protocols/ovsdb/json.ts";
import type { Message } from "../../../src/protocols/ovsdb/message.ts";
import type { Operation } from "../../../src/protocols/ovsdb/operation.ts";
import type { Ovsdb } from "../../../src/protocols/ovsdb/ovsdb.ts";
import type { TableUpdates } from "../../../src/protocols/ovsdb/updates.ts";
import { fakePeer, methodOf, type Behaviour, type FakePeer } from "./fake-peer.ts";

const SELECT: Operation = { op: "select", table: "Bridge", where: [], columns: ["name"] };
const INSERT: Operation = { op: "insert", table: "Bridge", row: { name: "br0" } };
const HINT = "Start Open vSwitch with 'systemctl start openvswitch-switch'";
const ROW = "00000000-0000-4000-8000-00000000000a";

async function failure(action: Promise<unknown>): Promise<OpError> {
  const error = await action.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(OpError);
  return error as OpError;
}

/** A client whose peer does this. */
async function against(behaviour: Behaviour, use: (ovsdb: Ovsdb, peer: FakePeer) => Promise<void>, options: OvsdbOptions = {}): Promise<void> {
  await using peer = fakePeer(behaviour);
  const ovsdb = openOvsdb({ address: peer.address, timeoutMs: 5000, ...options });
  using _ = { [Symbol.dispose]: () => ovsdb.close() };
  await use(ovsdb, peer);
}

/** Answers every transaction with these results. */
function answering(...results: Wire[]): Behaviour {
  return (message, peer) => peer.reply(message, results);
}

function update(id: Wire, name: string): Message {
  return { kind: "notification", method: "update", params: [id, { Bridge: { [ROW]: { new: { name } } } }] };
}

function namesIn(updates: TableUpdates): unknown[] {
  return [...(updates.get("Bridge")?.values() ?? [])].map((row) => row.new?.["name"]);
}

test("transact gives each operation's result, and counts reads and writes", async () => {
  await against(
    (message, peer) => peer.reply(message, "params" in message && message.params.length === 2 ? [{ rows: [{ name: "br0" }] }] : [{ uuid: ["uuid", ROW] }, { count: 2 }, {}]),
    async (ovsdb, peer) => {
      expect(await ovsdb.transact([SELECT])).toEqual([{ rows: [{ name: "br0" }] }]);
      const mutate: Operation = { op: "mutate", table: "Bridge", where: [], mutations: [["ports", "delete", { uuid: ROW }]] };
      expect(await ovsdb.transact([INSERT, mutate, { op: "comment", comment: "why" }])).toEqual([{ uuid: { uuid: ROW } }, { count: 2 }, {}]);
      expect(ovsdb.counts).toEqual({ reads: 1, writes: 1 });
      expect(peer.received.map((message) => "params" in message && message.params[0])).toEqual(["Open_vSwitch", "Open_vSwitch"]);
    },
  );
});

test("an operation that fails is named by number and table; a commit that fails is not one of them", async () => {
  const wrong = { error: "constraint violation", details: "bad is not one of the allowed values." };
  const cases: [Wire[], string][] = [
    [[{ rows: [] }, wrong, null], "Operation 2 of 3, insert into Bridge (br0): constraint violation: bad is not one of the allowed values"],
    [[wrong, null, null], "Operation 1 of 3, select of Bridge: constraint violation: bad is not one of the allowed values"],
    [[{ rows: [] }, { error: "aborted" }], "Operation 2 of 3, insert into Bridge (br0): aborted"],
    [
      [{ rows: [] }, { uuid: ["uuid", ROW] }, {}, { error: "referential integrity violation", details: "1\nremaining" }],
      "Commit of the 3 operations: referential integrity violation: 1 remaining",
    ],
  ];
  for (const [answer, message] of cases) {
    await against(answering(...answer), async (ovsdb) => {
      const error = await failure(ovsdb.transact([SELECT, INSERT, { op: "comment", comment: "" }]));
      expect([error.kind, error.message]).toEqual(["failed", message]);
    });
  }
});

test("errors become OpErrors of the right kind and keep their name", async () => {
  const kinds = {
    "constraint violation": "failed",
    "syntax error": "failed",
    "I/O error": "failed",
    "timed out": "failed",
    "resources exhausted": "unavailable",
    "permission error": "refused",
    "not owner": "refused",
    constructor: "failed",
  };
  for (const [name, kind] of Object.entries(kinds)) {
    await against(answering({ error: name }), async (ovsdb) => {
      const error = await failure(ovsdb.transact([SELECT]));
      expect([error.kind, ovsdbErrorName(error)]).toEqual([kind as OpError["kind"], name]);
    });
  }
  const refused: Behaviour = (message, peer) => peer.send({ kind: "error", id: "id" in message ? message.id : null, error: { error: "unknown database", details: "no S" } });
  await against(refused, async (ovsdb) => {
    const error = await failure(ovsdb.transact([SELECT]));
    expect([error.kind, error.message, ovsdbErrorName(error)]).toEqual(["unavailable", "transact on Open_vSwitch: unknown database: no S", "unknown database"]);
  });
});

test("a value that the database cannot hold is told before anything is sent", async () => {
  await against(answering(), async (ovsdb, peer) => {
    const error = await failure(ovsdb.transact([SELECT, { op: "insert", table: "Bridge", row: { name: "a\0b" } }]));
    expect([error.kind, error.message]).toEqual(["invalid", `Open vSwitch's database cannot hold "a\\u0000b": it has a NUL or half a character in it`]);
    expect((await failure(ovsdb.transact([{ op: "comment", comment: "\ud800" }]))).kind).toBe("invalid");
    expect(peer.received).toEqual([]);
  });
});

test("a server that never answers is given up in time, and the transaction canceled", async () => {
  const silent: Behaviour = (message, peer) => {
    if (methodOf(message) === "list_dbs") peer.reply(message, ["Open_vSwitch"]);
  };
  await against(silent, async (ovsdb, peer) => {
    const error = await failure(ovsdb.transact([INSERT], { timeoutMs: 20 }));
    expect(error).toMatchObject({ kind: "unavailable", operation: "transact", retryable: true, hint: undefined });
    expect(error.message).toBe(`ovsdb-server at ${peer.address} did not answer within 0.02 s: transact`);
    expect(await ovsdb.databases()).toEqual(["Open_vSwitch"]);
    expect(peer.received.map(methodOf)).toEqual(["transact", "cancel", "list_dbs"]);
    const [sent, cancel] = peer.received;
    expect(cancel).toEqual({ kind: "notification", method: "cancel", params: [sent !== undefined && "id" in sent ? sent.id : null] });
  });
});

test("an answer that comes too late, or was never asked for, is nobody's", async () => {
  let late: Message | undefined;
  const behaviour: Behaviour = (message, peer) => {
    if (methodOf(message) === "transact") late = message;
    if (methodOf(message) !== "list_dbs" || late === undefined) return;
    peer.reply(late, [{}]);
    peer.send({ kind: "reply", id: "nobody's", result: [] });
    peer.reply(message, ["mine"]);
  };
  await against(behaviour, async (ovsdb) => {
    await failure(ovsdb.transact([INSERT], { timeoutMs: 20 }));
    expect(await ovsdb.databases()).toEqual(["mine"]);
  });
});

test("a connection torn in the middle of an answer rejects what is in flight and what follows, and says what to start", async () => {
  let received = 0;
  const tearAtTheTenth: Behaviour = (_, peer) => {
    if (++received < 10) return;
    peer.write('{"id":1,"result":[');
    peer.end();
  };
  await against(tearAtTheTenth, async (ovsdb, { address }) => {
    const monitor = failure(ovsdb.monitor({ Bridge: ["name"] }));
    const errors = await Promise.all(Array.from({ length: 9 }, () => failure(ovsdb.transact([INSERT]))));
    for (const error of errors) {
      expect(error).toMatchObject({ kind: "unavailable", hint: HINT, message: `ovsdb-server at ${address} closed the connection: transact` });
    }
    expect((await monitor).message).toBe(`ovsdb-server at ${address} closed the connection: monitor`);
    expect(await ovsdb.closed).toMatchObject({ kind: "unavailable", message: `ovsdb-server at ${address} closed the connection`, hint: HINT });
    expect((await failure(ovsdb.databases())).message).toBe(`ovsdb-server at ${address} closed the connection`);
  });
});

test("a server that is not there is named, with what to start", async () => {
  const ovsdb = openOvsdb({ address: "unix:/nonexistent/db.sock" });
  expect(await failure(ovsdb.databases())).toMatchObject({ kind: "unavailable", message: "ovsdb-server at unix:/nonexistent/db.sock is not there", hint: HINT });
  expect(await ovsdb.closed).toMatchObject({ kind: "unavailable" });
  expect(ovsdb.counts).toEqual({ reads: 0, writes: 0 });
});

test("close rejects what is in flight, ends monitors, and resolves closed with nothing", async () => {
  const behaviour: Behaviour = (message, peer) => {
    if (methodOf(message) === "monitor") peer.reply(message, {});
  };
  await against(behaviour, async (ovsdb) => {
    const monitor = (await ovsdb.monitor({ Bridge: ["name"] }))[Symbol.asyncIterator]();
    expect(await monitor.next()).toEqual({ done: false, value: new Map() });
    const [waiting, asked] = [failure(monitor.next()), failure(ovsdb.databases())];
    await Promise.resolve();
    ovsdb.close();
    expect((await waiting).message).toBe("The connection was closed");
    expect(await asked).toMatchObject({ kind: "unavailable", message: expect.stringContaining("the connection was closed"), hint: undefined });
    expect(await ovsdb.closed).toBeUndefined();
    expect((await failure(ovsdb.databases())).message).toBe("The connection was closed");
  });
});

test("ssl: without a CA, or with one that is none, is refused before anything is connected to", async () => {
  const bare = openOvsdb({ address: "ssl:127.0.0.1:1" });
  const error = await failure(bare.databases());
  expect([error.kind, error.message]).toEqual(["invalid", "ssl:127.0.0.1:1 cannot be told from an impostor without a CA certificate"]);
  const garbled = openOvsdb({ address: "ssl:127.0.0.1:1", tls: { ca: "no certificate" } });
  expect(await failure(garbled.databases())).toMatchObject({ kind: "invalid", message: expect.stringContaining("The certificates for ssl:127.0.0.1:1 cannot be used") });
});

test("an echo is answered, by what it asked", async () => {
  const answered = Promise.withResolvers<Message>();
  const behaviour: Behaviour = (message, peer) => {
    if (message.kind === "reply") return answered.resolve(message);
    peer.send({ kind: "request", id: "echo", method: "echo", params: ["some", 9223372036854775807n] });
    peer.send({ kind: "request", id: 1, method: "unknown", params: [] });
    peer.reply(message, []);
  };
  await against(behaviour, async (ovsdb) => {
    await ovsdb.databases();
    expect(await answered.promise).toEqual({ kind: "reply", id: "echo", result: ["some", 9223372036854775807n] });
  });
});

test("an idle server is asked for an echo, kept while it answers, and given up when it does not", async () => {
  let echoes = 0;
  const behaviour: Behaviour = (message, peer) => {
    if (methodOf(message) === "list_dbs") return peer.reply(message, []);
    if (methodOf(message) === "echo" && (echoes += 1) === 1) peer.reply(message, []);
  };
  await against(behaviour, async (ovsdb, { address }) => {
    await ovsdb.databases();
    expect(await ovsdb.closed).toMatchObject({ kind: "unavailable", message: `ovsdb-server at ${address} did not answer an echo within 0.2 s` });
    expect(echoes).toBe(2);
    expect(ovsdb.counts).toEqual({ reads: 3, writes: 0 });
  }, { idleMs: 200 });
});

test("monitor gives what is there, then each change, although the first comes along with the answer", async () => {
  const behaviour: Behaviour = (message, peer) => {
    if (message.kind !== "request") return;
    if (message.method === "monitor_cancel") return peer.reply(message, {});
    const id = message.params[1] ?? null;
    expect(message.params[2]).toEqual({ Bridge: { columns: ["name"] } });
    peer.reply(message, { Bridge: { [ROW]: { new: { name: "there" } } } });
    peer.send(update("another's", "not ours"));
    peer.send(update(id, "first"));
    peer.send(update(id, "second"));
  };
  await against(behaviour, async (ovsdb, peer) => {
    const names: unknown[] = [];
    {
      await using monitor = await ovsdb.monitor({ Bridge: ["name"] });
      for await (const updates of monitor) {
        names.push(...namesIn(updates));
        if (names.length === 3) break;
      }
    }
    expect(names).toEqual(["there", "first", "second"]);
    expect(peer.received.map(methodOf)).toEqual(["monitor", "monitor_cancel"]);
    expect(ovsdb.counts).toEqual({ reads: 2, writes: 0 });
  });
});

test("two monitors are told apart, and one that was disposed ends", async () => {
  const ids: Wire[] = [];
  const behaviour: Behaviour = (message, peer) => {
    if (message.kind !== "request") return;
    peer.reply(message, {});
    if (message.method === "monitor") ids.push(message.params[1] ?? null);
    if (message.method === "list_dbs") for (const [index, id] of ids.entries()) peer.send(update(id, `of ${index}`));
  };
  await against(behaviour, async (ovsdb) => {
    const [one, two] = [await ovsdb.monitor({ Bridge: ["name"] }), await ovsdb.monitor({ Bridge: ["name"] })];
    const [first, second] = [one[Symbol.asyncIterator](), two[Symbol.asyncIterator]()];
    await Promise.all([first.next(), second.next()]);
    const waiting = first.next();
    await one[Symbol.asyncDispose]();
    expect((await waiting).done).toBe(true);
    void failure(ovsdb.databases());
    const { value } = await second.next();
    expect(value && namesIn(value)).toEqual(["of 1"]);
  });
});

test("what is not OVSDB ends the connection with what was wrong, and nothing crashes", async () => {
  const reply = (result: string) => `{"id":1,"result":${result},"error":null}`;
  const cases: [string, string | Uint8Array, RegExp][] = [
    ["text", "HTTP/1.1 400 Bad Request\r\n\r\n", /a message that begins with byte 72/],
    ["no JSON", "{]", /text that is not JSON: "\{\]"/],
    ["no message", '{"hello":1}', /which is no message/],
    ["nested", `{"id":${"[".repeat(100)}`, /nested more than 64 deep/],
    ["no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /text that is not UTF-8/],
    ["no results", reply("{}"), /an answer to transact that is no list/],
    ["too few results", reply("[]"), /0 results of 1 operations/],
    ["too many results", reply('[{"rows":[]},{}]'), /2 results of 1 operations/],
    ["null for a result", reply("[null]"), /a result that is not one of select of Bridge/],
    ["another's result", reply('[{"count":1}]'), /a result that is not one of select of Bridge/],
    ["a row of nulls", reply('[{"rows":[{"name":null}]}]'), /"null" instead of a value/],
    ["a set in a set", reply('[{"rows":[{"name":["set",[["set",[]]]]}]}]'), /instead of a value/],
    ["a number beyond numbers", reply('[{"rows":[{"name":1e999}]}]'), /text that is not JSON/],
  ];
  for (const [name, bytes, reason] of cases) {
    await against((_, peer) => peer.write(bytes), async (ovsdb) => {
      const error = await failure(ovsdb.transact([SELECT]));
      expect([name, error.kind, error.hint]).toEqual([name, "unavailable", undefined]);
      expect(error.message).toMatch(/sent what is not OVSDB: /);
      expect(error.message).toMatch(reason);
      expect(await ovsdb.closed).toMatchObject({ kind: "unavailable" });
    });
  }
});

test("an update that is none ends the connection, and the monitor with it", async () => {
  const behaviour: Behaviour = (message, peer) => {
    if (message.kind !== "request") return;
    peer.reply(message, {});
    peer.send({ kind: "notification", method: "update", params: [message.params[1] ?? null, { Bridge: { [ROW]: 5 } }] });
  };
  await against(behaviour, async (ovsdb) => {
    const monitor = await ovsdb.monitor({ Bridge: ["name"] });
    const seen: TableUpdates[] = [];
    const error = await failure((async () => {
      for await (const updates of monitor) seen.push(updates);
    })());
    expect(seen).toEqual([new Map()]);
    expect(error.message).toEndWith("sent what is not OVSDB: an update of a row that is no object");
  });
});
