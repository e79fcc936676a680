import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { OpError } from "../../src/core/errors.ts";
import { isWireList, isWireObject, type Wire } from "../../src/protocols/ovsdb/json.ts";
import { decodeMessage, encodeMessage, type Message } from "../../src/protocols/ovsdb/message.ts";
import { encodeOperation } from "../../src/protocols/ovsdb/operation.ts";
import { decodeSchema } from "../../src/protocols/ovsdb/schema.ts";
import { readResults } from "../../src/protocols/ovsdb/transaction.ts";
import { decodeUpdates } from "../../src/protocols/ovsdb/updates.ts";
import { operationOf } from "./ovsdb/operations.ts";

const FOLDER = join(import.meta.dir, "ovsdb");
const names = readdirSync(FOLDER).filter((file) => file.endsWith(".bin"));

/** JSON with what JSON has no words for: bigints, maps, endlessness and errors. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (value === Infinity) return { $number: "Infinity" };
  if (value instanceof OpError) return { $error: { kind: value.kind, message: value.message, retryable: value.retryable } };
  if (value instanceof Map) return { $map: [...value].map(plain) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}

function textOf(name: string): Promise<string> {
  return Bun.file(join(FOLDER, name)).text();
}

async function sentOperations(conversation: string): Promise<readonly Wire[]> {
  const name = names.find((each) => each.startsWith(conversation) && each.endsWith("-sent-transact.bin"));
  if (name === undefined) return [];
  const message = decodeMessage(await textOf(name));
  return "params" in message ? message.params.slice(1) : [];
}

/** What the message is about, as the room's other codecs have it; undefined where they do not. */
async function contentOf(name: string, message: Message): Promise<unknown> {
  if (message.kind === "request" && message.method === "transact") return message.params.slice(1).map(operationOf);
  if (message.kind === "notification") return decodeUpdates(message.params[1]);
  if (message.kind !== "reply") return undefined;
  if (name.startsWith("monitor")) return decodeUpdates(message.result);
  if (isWireObject(message.result) && message.result.tables !== undefined) return decodeSchema(message.result);
  const sent = await sentOperations(name.replace(/-\d+-got-.*/, "-"));
  if (sent.length === 0) return undefined;
  try {
    return readResults(sent.map(operationOf), message.result);
  } catch (error) {
    return error;
  }
}

/** The messages as ovs-vsctl, ovsdb-client and ovsdb-server 3.1 had them on the wire (ovsdb/capture.ts). */
for (const name of names) {
  test(`ovsdb/${name}: decode gives the JSON, encode gives the bytes`, async () => {
    const text = await textOf(name);
    const message = decodeMessage(text);
    expect(encodeMessage(message)).toBe(text);
    if (message.kind === "request" && message.method === "transact") {
      const operations = message.params.slice(1);
      expect(operations.map(operationOf).map(encodeOperation)).toEqual([...operations]);
    }
    const golden = Bun.file(join(FOLDER, name.replace(/bin$/, "json")));
    const decoded = plain((await contentOf(name, message)) ?? message);
    if (process.env.UPDATE_GOLDEN === "1") await golden.write(`${JSON.stringify(decoded, null, 1)}\n`);
    expect(decoded).toEqual(await golden.json());
  });
}

test("the captures hold every spelling of a set", async () => {
  const spellings = new Set<string>();
  const look = (wire: Wire): void => {
    if (isWireList(wire) && wire[0] === "set" && isWireList(wire[1])) spellings.add(wire[1].length > 1 ? "set of many" : `set of ${wire[1].length}`);
    if (isWireList(wire) && wire[0] === "uuid") spellings.add("bare atom");
    for (const inner of typeof wire === "object" && wire !== null ? Object.values(wire) : []) look(inner);
  };
  for (const name of names) {
    const message = decodeMessage(await textOf(name));
    look("params" in message ? message.params : message.kind === "reply" ? message.result : null);
  }
  expect([...spellings].sort()).toEqual(["bare atom", "set of 0", "set of 1", "set of many"]);
});
