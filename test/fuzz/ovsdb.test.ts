import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { OpError } from "../../src/core/errors.ts";
import { Framer } from "../../src/protocols/ovsdb/framer.ts";
import { parseWire, ProtocolViolation, wireText, type Wire } from "../../src/protocols/ovsdb/json.ts";
import { decodeMessage, encodeMessage, type Message } from "../../src/protocols/ovsdb/message.ts";
import type { Operation } from "../../src/protocols/ovsdb/operation.ts";
import type { Ovsdb } from "../../src/protocols/ovsdb/ovsdb.ts";
import { decodeSchema, readColumn, type DatabaseSchema } from "../../src/protocols/ovsdb/schema.ts";
import { readResults } from "../../src/protocols/ovsdb/transaction.ts";
import { decodeUpdates } from "../../src/protocols/ovsdb/updates.ts";
import { decodeValue, encodeValue, sameValue, type Row } from "../../src/protocols/ovsdb/value.ts";
import { readVswitch } from "../../src/protocols/ovsdb/vswitch.ts";
import { operationOf } from "../golden/ovsdb/operations.ts";

/*
 * Whatever an ovsdb-server sends is a value or an error: a ProtocolViolation, which ends the connection, or an OpError. What is sent are the
 * captures of test/golden/ovsdb, changed.
 */

const FOLDER = join(import.meta.dir, "../golden/ovsdb");
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".bin"));
const captures = await Promise.all(files.map(async (file) => Buffer.from(await Bun.file(join(FOLDER, file)).bytes())));
const schemaFile = files.findIndex((file) => file === "schema-4-got-reply.bin");
const schemaReply = decodeMessage(captures[schemaFile]?.toString() ?? "");
const schema = decodeSchema("result" in schemaReply ? schemaReply.result : null);
const sent: readonly (readonly Operation[])[] = captures.flatMap((bytes) => {
  const message = decodeMessage(bytes.toString());
  return message.kind === "request" && message.method === "transact" ? [message.params.slice(1).map(operationOf)] : [];
});

const TOKENS = [
  ...["{", "}", "[", "]", ",", ":", '"', "\\", "null", "true", "-1", "1e999", "9223372036854775808", "0.5", '["set",[]]', '["map",[]]', '["uuid","x"]', '"error":', '"id":'],
  ...['"__proto__":', '"\\u0000"', '"\\ud800"', "[".repeat(80), `"${"x".repeat(3000)}"`],
];
const changes = fc.array(
  fc.record({
    at: fc.nat(),
    length: fc.nat({ max: 40 }),
    instead: fc.oneof(fc.uint8Array({ maxLength: 6 }), fc.constantFrom(...TOKENS).map((text) => Buffer.from(text))),
    doubled: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);
const changed = fc.tuple(fc.constantFrom(...captures), changes).map(([bytes, each]) =>
  each.reduce((before, { at, length, instead, doubled }) => {
    const from = at % (before.length + 1);
    const cut = before.subarray(from, from + length);
    return Buffer.concat([before.subarray(0, from), ...(doubled ? [cut, cut] : [instead]), before.subarray(from + length)]);
  }, bytes),
);

/** Any JSON that a server could put where a value is looked for, most of it nearly right. */
const wires: fc.Arbitrary<Wire> = fc.letrec<{ wire: Wire }>((tie) => ({
  wire: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      ...[fc.constant(null), fc.boolean(), fc.integer(), fc.bigInt(-(2n ** 64n), 2n ** 64n), fc.double({ noDefaultInfinity: true, noNaN: true })],
      ...[fc.string(), fc.constantFrom("set", "map", "uuid", "named-uuid", "row1", "4f05b597-ad1a-40fa-b1d6-62d879bd67d8")],
    ),
    fc.tuple(fc.constantFrom("set", "map", "uuid", "named-uuid"), tie("wire")),
    fc.array(tie("wire"), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("error", "rows", "uuid", "count", "tables", "columns", "type", "key", "old", "new")), tie("wire"), { maxKeys: 4 }),
  ),
})).wire;

/** Does it, and lets nothing but the two errors through. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) expect(error).toBeInstanceOf(OpError);
    if (error instanceof OpError) expect(error.kind).not.toBe("internal");
    return undefined;
  }
}

function messagesIn(chunks: readonly Uint8Array[]): Message[] {
  const framer = new Framer();
  const messages: Message[] = [];
  attempt(() => {
    for (const chunk of chunks) {
      framer.push(chunk);
      for (let text = framer.next(); text !== undefined; text = framer.next()) messages.push(decodeMessage(text));
    }
  });
  return messages;
}

/** Has every codec that could be handed it look at it. */
function decodeAll(wire: Wire): void {
  for (const operations of sent) attempt(() => readResults(operations, wire));
  attempt(() => decodeUpdates(wire));
  const other = attempt(() => decodeSchema(wire));
  const value = attempt(() => decodeValue(wire));
  if (value === undefined) return;
  expect(sameValue(value, value)).toBe(true);
  const encoded = attempt(() => encodeValue(value));
  if (encoded !== undefined) expect(wireText(encoded)).toBe(wireText(wire));
  for (const { tables } of [schema, other ?? schema] satisfies DatabaseSchema[]) {
    for (const { columns } of tables.values()) for (const { type } of columns.values()) attempt(() => readColumn(type, value));
  }
}

test("changed captures, in any pieces: messages or a ProtocolViolation, and what is a message is one again", () => {
  fc.assert(
    fc.property(fc.array(changed, { minLength: 1, maxLength: 3 }), fc.array(fc.nat({ max: 5000 }), { maxLength: 4 }), (parts, cuts) => {
      const bytes = Buffer.concat(parts);
      const places = [0, ...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const messages = messagesIn(places.slice(1).map((end, index) => bytes.subarray(places[index], end)));
      expect(messages).toEqual(messagesIn([bytes]));
      for (const message of messages) {
        const text = attempt(() => encodeMessage(message));
        if (text !== undefined && !text.includes("e+")) expect(encodeMessage(decodeMessage(text))).toBe(text);
      }
    }),
    { numRuns: 2_000 },
  );
}, 300_000);

test("changed captures in every codec: a value or an error", () => {
  fc.assert(
    fc.property(changed, (bytes) => {
      for (const message of messagesIn([bytes])) {
        const wires = "params" in message ? message.params : ["result" in message ? message.result : message.error];
        for (const wire of wires) decodeAll(wire);
      }
    }),
    { numRuns: 3_000 },
  );
}, 300_000);

test("JSON that was never a capture in every codec: a value or an error", () => {
  fc.assert(fc.property(wires, decodeAll), { numRuns: 3_000 });
}, 300_000);

test("any text in parseWire: a value that goes out as it came, or a ProtocolViolation", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), wires.map(wireText)), (text) => {
      const value = attempt(() => parseWire(text));
      if (value !== undefined) expect(parseWire(wireText(value))).toEqual(value);
    }),
    { numRuns: 3_000 },
  );
});

test("any rows in readVswitch: Open vSwitch, or an OpError", async () => {
  const columns = ["_uuid", "name", "type", "ports", "interfaces", "bridges", "other_config", "external_ids", "ovs_version", "__proto__"];
  const row = fc.dictionary(fc.constantFrom(...columns), wires, { maxKeys: 10 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(row, { maxLength: 2 }), { maxLength: 5 }), async (tables) => {
      const results = tables.map((rows) => ({ rows: rows.map((each) => attempt(() => rowOf(each)) ?? {}) }));
      const ovsdb = { transact: async () => results } as unknown as Ovsdb;
      const error = await readVswitch(ovsdb).then(() => undefined, (reason: unknown) => reason);
      if (error !== undefined) expect(error).toBeInstanceOf(OpError);
    }),
    { numRuns: 1_000 },
  );
});

function rowOf(wire: Readonly<Record<string, Wire>>): Row {
  return Object.fromEntries(Object.entries(wire).map(([column, value]) => [column, decodeValue(value)]));
}
