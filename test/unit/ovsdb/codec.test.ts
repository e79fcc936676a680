import { expect, test } from "bun:test";
import { localAddress, nameOf, remoteOf } from "../../../src/protocols/ovsdb/address.ts";
import { DEPTH_LIMIT, Framer, MESSAGE_LIMIT_BYTES } from "../../../src/protocols/ovsdb/framer.ts";
import { parseWire, ProtocolViolation, wireText, type Wire } from "../../../src/protocols/ovsdb/json.ts";
import { decodeMessage } from "../../../src/protocols/ovsdb/message.ts";
import { encodeOperation, type Operation } from "../../../src/protocols/ovsdb/operation.ts";
import { decodeSchema, readColumn, shapeOf, type ColumnType } from "../../../src/protocols/ovsdb/schema.ts";
import { atomsOf, decodeValue, EMPTY, encodeValue, mapOf, sameValue, type Value } from "../../../src/protocols/ovsdb/value.ts";

const A = "00000000-0000-4000-8000-00000000000a";
const B = "00000000-0000-4000-8000-00000000000b";

function framed(chunks: readonly Uint8Array[]): string[] {
  const framer = new Framer();
  const texts: string[] = [];
  for (const chunk of chunks) {
    framer.push(chunk);
    for (let text = framer.next(); text !== undefined; text = framer.next()) texts.push(text);
  }
  return texts;
}

test("Framer cuts by brackets and strings, wherever the stream is split", () => {
  const texts = [
    '{"id":1,"result":["}{][\\"\\\\",{"a":[[]]}],"error":null}',
    '{"id":null,"method":"update","params":["ä☃😀\\u00e4",{"\\\\":"\\\\\\""}]}',
    "{}",
    '{\n  "with": [ "spaces" ],\t"and": "lines" }',
  ];
  const bytes = Buffer.from(texts.join(" \r\n\t"));
  for (let at = 0; at <= bytes.length; at += 1) expect(framed([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(texts);
  expect(framed([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(texts);
  expect(framed([bytes])).toEqual(texts);
});

test("Framer goes on message after message", () => {
  const framer = new Framer();
  const chunk = Buffer.from(`{"a":"${"x".repeat(1000)}"}`);
  for (let count = 0; count < 5000; count += 1) {
    framer.push(chunk);
    expect(framer.next()).toHaveLength(chunk.length);
    expect(framer.next()).toBeUndefined();
  }
});

test("Framer refuses what is no object, too deep, too long, or no UTF-8", () => {
  const cases: [string, Uint8Array, string][] = [
    ["text", Buffer.from("HTTP/1.1 400"), "a message that begins with byte 72"],
    ["a list", Buffer.from("[1]"), "a message that begins with byte 91"],
    ["closing first", Buffer.from("}"), "a message that begins with byte 125"],
    ["deep", Buffer.from(`{"a":${"[".repeat(DEPTH_LIMIT)}`), "a message nested more than 64 deep"],
    ["no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), "text that is not UTF-8"],
    ["half a surrogate pair", Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d]), "text that is not UTF-8"],
  ];
  for (const [name, bytes, message] of cases) expect([name, problem(() => framed([bytes]))]).toEqual([name, message]);
  const framer = new Framer();
  const piece = Buffer.alloc(MESSAGE_LIMIT_BYTES / 4, "x");
  framer.push(Buffer.from('{"a":"'));
  for (let count = 0; count < 3; count += 1) {
    framer.push(piece);
    expect(framer.next()).toBeUndefined();
  }
  framer.push(piece);
  expect(problem(() => framer.next())).toBe(`a message of more than ${MESSAGE_LIMIT_BYTES} bytes`);
});

test("parseWire and wireText keep integers of 64 bits, and the order of members", () => {
  for (const text of ["[9223372036854775807,-9223372036854775808,9007199254740991,9007199254740993,0,-5]", '{"z":1,"a":[true,null,"x\\n"],"__proto__":2}', "1.5"]) {
    expect(wireText(parseWire(text))).toBe(text);
  }
  expect(parseWire('["a4e999",1e-999,1e308]')).toEqual(["a4e999", 0, 1e308]);
  expect(parseWire("[9007199254740993,1e3,1.0,12345678901234567890.5]")).toEqual([9007199254740993n, 1000, 1, 12345678901234567890.5]);
  expect(() => wireText(Infinity)).toThrow(RangeError);
  const none = ["", "{", '{"a":1,}', "{'a':1}", '{"a":\u0001"x"}', "undefined", "NaN", "1e999", "[-1e309]", '{"a":12345678901234567890123e300}', '["e",1.5E+400]'];
  for (const text of none) expect(() => parseWire(text)).toThrow(ProtocolViolation);
});

test("decodeMessage takes JSON-RPC as the RFC and as ovsdb-server spell it, and nothing else", () => {
  expect(decodeMessage('{"id":1,"result":null,"error":null}')).toEqual({ kind: "reply", id: 1, result: null });
  expect(decodeMessage('{"id":1,"result":null,"error":"canceled"}')).toEqual({ kind: "error", id: 1, error: "canceled" });
  expect(decodeMessage('{"id":1,"error":{"error":"unknown database"}}')).toEqual({ kind: "error", id: 1, error: { error: "unknown database" } });
  expect(decodeMessage('{"id":"echo","method":"echo","params":[]}')).toEqual({ kind: "request", id: "echo", method: "echo", params: [] });
  const wrong = [
    ...["{}", "[]", '{"id":1}', '{"result":1,"error":null}', '{"id":1,"result":1,"error":2}', '{"id":1,"error":null}', '{"id":1,"method":"echo"}'],
    ...['{"method":"echo","params":[]}', '{"id":1,"method":"echo","params":{}}', '{"id":1,"method":5,"params":[]}', '{"id":1,"method":"a","params":[],"result":1}'],
  ];
  for (const text of wrong) expect([text, problem(() => decodeMessage(text))]).toEqual([text, `${JSON.stringify(text)}, which is no message`]);
});

test("values: each spelling goes out as it came in", () => {
  const cases: [Wire, Value][] = [
    [5, 5],
    [-9223372036854775808n, -9223372036854775808n],
    [1.5, 1.5],
    [true, true],
    ["", ""],
    [["uuid", A], { uuid: A }],
    [["named-uuid", "row1"], { namedUuid: "row1" }],
    [["set", []], { set: [] }],
    [["set", [5]], { set: [5] }],
    [["set", [["uuid", A], ["uuid", B]]], { set: [{ uuid: A }, { uuid: B }] }],
    [["map", []], { map: [] }],
    [["map", [["a", "b"], ["c", "d"]]], { map: [["a", "b"], ["c", "d"]] }],
    [["map", [[1, ["uuid", A]]]], { map: [[1, { uuid: A }]] }],
  ];
  for (const [wire, value] of cases) {
    expect(decodeValue(wire)).toEqual(value);
    expect(encodeValue(value)).toEqual(wire);
  }
});

test("values: what is none is refused, in both directions", () => {
  const long = 2n ** 63n;
  const wrong: Wire[] = [
    ...[null, {}, [], ["set"], ["set", 5], ["set", [], 1], ["set", [["set", []]]], ["set", [null]], ["map", [["a"]]], ["map", [["a", "b", "c"]]], ["map", ["a"]]],
    ...[["uuid", "x"], ["uuid", 5], ["uuid", A, A], ["named-uuid", "1a"], ["list", []], long, ["map", [["a", ["set", []]]]]],
  ];
  for (const wire of wrong) expect(() => decodeValue(wire)).toThrow(ProtocolViolation);
  for (const value of ["a\0b", "\ud800", NaN, Infinity, long, { set: [-Infinity] }, mapOf({ a: "\udc00" })]) {
    expect(() => encodeValue(value)).toThrow(expect.objectContaining({ kind: "invalid" }));
  }
});

test("sameValue sees through spelling and order", () => {
  const same: [Value, Value][] = [
    [5, { set: [5] }],
    [5, 5n],
    [{ set: [1, 2, 3] }, { set: [3, 1, 2] }],
    [{ set: [1, 1, 2] }, { set: [2, 1] }],
    [{ uuid: A }, { set: [{ uuid: A.toUpperCase() }] }],
    [mapOf({ a: "1", b: "2" }), mapOf({ b: "2", a: "1" })],
    [EMPTY, { set: [] }],
    ["\ud800", { set: ["\ud800"] }],
    [{ namedUuid: "a" }, { set: [{ namedUuid: "a" }] }],
  ];
  const different: [Value, Value][] = [
    [5, "5"],
    [1, true],
    [EMPTY, { map: [] }],
    [EMPTY, ""],
    [{ set: [1] }, { set: [1, 2] }],
    [{ uuid: A }, { uuid: B }],
    [{ uuid: A }, A],
    [{ namedUuid: "a" }, "a"],
    [mapOf({ a: "1" }), mapOf({ a: "2" })],
    [mapOf({ 'a":"b': "c" }), mapOf({ a: 'b":"c' })],
  ];
  for (const [a, b] of same) expect([a, b, sameValue(a, b), sameValue(b, a)]).toEqual([a, b, true, true]);
  for (const [a, b] of different) expect([a, b, sameValue(a, b), sameValue(b, a)]).toEqual([a, b, false, false]);
  expect(atomsOf({ set: [1] })).toEqual(atomsOf(1));
});

test("decodeSchema gives a column's shape, and readColumn its value in any spelling", () => {
  const schema = decodeSchema({
    name: "S",
    version: "1.0.0",
    tables: {
      T: {
        maxRows: 1,
        isRoot: true,
        indexes: [["name"]],
        columns: {
          name: { type: "string", mutable: false },
          tag: { type: { key: { type: "integer", minInteger: 0, maxInteger: 4095 }, min: 0 } },
          trunks: { type: { key: "integer", min: 0, max: 4096 } },
          ports: { type: { key: { type: "uuid", refTable: "T", refType: "weak" }, min: 0, max: "unlimited" } },
          mode: { type: { key: { type: "string", enum: ["set", ["a", "b"]] } }, ephemeral: true },
          ids: { type: { key: "string", value: "string", min: 0, max: "unlimited" } },
        },
      },
    },
  });
  const table = schema.tables.get("T");
  const typeOf = (column: string): ColumnType => table?.columns.get(column)?.type ?? { key: { type: "boolean" }, min: 1, max: 1 };
  const shapes = [...(table?.columns.keys() ?? [])].map((column) => `${column} ${shapeOf(typeOf(column))}`);
  expect(shapes).toEqual(["name scalar", "tag optional", "trunks set", "ports set", "mode scalar", "ids map"]);
  expect(typeOf("mode").key.enum).toEqual(["a", "b"]);
  expect(typeOf("ports")).toEqual({ key: { type: "uuid", refTable: "T", refType: "weak" }, min: 0, max: Infinity });
  expect([table?.maxRows, table?.isRoot, table?.indexes, table?.columns.get("name")?.mutable, table?.columns.get("mode")?.ephemeral]).toEqual([1, true, [["name"]], false, true]);
  const read = (column: string, value: Value) => readColumn(typeOf(column), value);
  expect([read("name", "x"), read("name", { set: ["x"] })]).toEqual([{ shape: "scalar", atom: "x" }, { shape: "scalar", atom: "x" }]);
  expect([read("tag", EMPTY), read("tag", 5), read("tag", { set: [5] })].map((datum) => "atom" in datum && datum.atom)).toEqual([undefined, 5, 5]);
  expect([read("trunks", EMPTY), read("trunks", 5), read("trunks", { set: [1, 2] })].map((datum) => "atoms" in datum && datum.atoms)).toEqual([[], [5], [1, 2]]);
  expect(read("ids", mapOf({ a: "b" }))).toEqual({ shape: "map", map: new Map([["a", "b"]]) });
  const unfit: [string, Value][] = [
    ["name", EMPTY],
    ["name", 5],
    ["tag", { set: [1, 2] }],
    ["tag", 1.5],
    ["trunks", mapOf({})],
    ["ids", EMPTY],
    ["ids", { map: [["a", 1]] }],
    ["ports", A],
  ];
  for (const [column, value] of unfit) {
    expect(() => read(column, value)).toThrow(ProtocolViolation);
  }
});

test("decodeSchema refuses what is no schema, with its place", () => {
  const column = (type: Wire): Wire => ({ name: "S", version: "1", tables: { T: { columns: { c: { type } } } } });
  for (const wire of [null, [], {}, column("text"), column({ key: "string", max: 0 }), column({ key: "string", min: 2 }), column({ key: { type: "string", enum: ["set", [null]] } })]) {
    expect(() => decodeSchema(wire)).toThrow(ProtocolViolation);
  }
  expect(problem(() => decodeSchema(column("text")))).toStartWith("a schema that is none: tables.T.columns.c.type ");
});

test("encodeOperation spells every operation as RFC 7047 5.2 does", () => {
  const where = [["name", "==", "x"]] as const;
  const rows = { table: "T", where: [["name", "==", "x"]] };
  const cases: [Operation, Wire][] = [
    [{ op: "insert", table: "T", row: { a: 1 }, uuidName: "n" }, { op: "insert", table: "T", row: { a: 1 }, "uuid-name": "n" }],
    [{ op: "insert", table: "T", row: {} }, { op: "insert", table: "T", row: {} }],
    [{ op: "select", table: "T", where, columns: ["a"] }, { op: "select", ...rows, columns: ["a"] }],
    [{ op: "update", table: "T", where, row: { a: EMPTY } }, { op: "update", ...rows, row: { a: ["set", []] } }],
    [{ op: "mutate", table: "T", where, mutations: [["n", "+=", 1]] }, { op: "mutate", ...rows, mutations: [["n", "+=", 1]] }],
    [{ op: "mutate", table: "T", where, mutations: [["m", "insert", mapOf({ k: "v" })]] }, { op: "mutate", ...rows, mutations: [["m", "insert", ["map", [["k", "v"]]]]] }],
    [{ op: "delete", table: "T", where }, { op: "delete", ...rows }],
    [{ op: "wait", table: "T", where, columns: ["a"], until: "!=", rows: [{ a: 1 }], timeoutMs: 0 }, { op: "wait", ...rows, columns: ["a"], until: "!=", rows: [{ a: 1 }], timeout: 0 }],
    [{ op: "wait", table: "T", where: [], columns: [], until: "==", rows: [] }, { op: "wait", table: "T", where: [], columns: [], until: "==", rows: [] }],
    [{ op: "commit", durable: true }, { op: "commit", durable: true }],
    [{ op: "abort" }, { op: "abort" }],
    [{ op: "comment", comment: "c" }, { op: "comment", comment: "c" }],
    [{ op: "assert", lock: "l" }, { op: "assert", lock: "l" }],
  ];
  for (const [operation, wire] of cases) expect(encodeOperation(operation)).toEqual(wire);
});

test("remoteOf reads addresses as ovs-vsctl does", () => {
  expect(remoteOf(localAddress(undefined))).toEqual({ kind: "unix", path: "/run/openvswitch/db.sock" });
  expect(remoteOf(localAddress("/x"))).toEqual({ kind: "unix", path: "/x/db.sock" });
  expect(remoteOf("tcp:127.0.0.1")).toEqual({ kind: "tcp", host: "127.0.0.1", port: 6640 });
  expect(remoteOf("ssl:[2001:db8::1]:6641")).toEqual({ kind: "ssl", host: "2001:db8::1", port: 6641 });
  for (const address of ["unix:/a b", "tcp:db.example.org:1", "ssl:[::1]:65535"]) expect(nameOf(remoteOf(address))).toBe(address);
  for (const address of ["", "unix:", "/run/db.sock", "pssl:6640", "tcp:", "tcp:x:0", "tcp:x:65536", "tcp:::1:6640", "tcp:[x]", "unix:/a\0b"]) {
    expect(() => remoteOf(address)).toThrow(expect.objectContaining({ kind: "invalid" }));
  }
});

function problem(action: () => unknown): string {
  try {
    action();
    return "none";
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolViolation);
    return (error as Error).message;
  }
}
