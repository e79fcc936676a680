import { describe, expect, test } from "bun:test";
import { OpError } from "../../../../src/core/errors.ts";
import { encodeMessage, failureMessage, MessageReader, openMessage, proveMessage, readFailure, readOpening, readProof, readStanding, standingMessage, type Message } from "../../../../src/store/replica/message.ts";

const opening = { path: "/srv/replica", key: "op-dbus/x+00000000+AAAA", head: "op-dbus/x\n1\nAAAA\n\n— op-dbus/x BBBB\n" };
const failure = new OpError("refused", "The replica /srv/replica is on a full file system", { details: ["/srv/replica/tail: ENOSPC"], hint: "Make room" });
const messages: readonly Message[] = [openMessage(opening), proveMessage([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]), { kind: "take", content: Buffer.from([0, 10, 255]) }, { kind: "take", content: Buffer.alloc(0) }, standingMessage({ size: 3, blocks: 2 }), failureMessage(failure)];

function read(chunks: readonly Uint8Array[]): Message[] {
  const reader = new MessageReader();
  return chunks.flatMap((chunk) => {
    reader.push(chunk);
    const found: Message[] = [];
    for (let message = reader.next(); message !== undefined; message = reader.next()) found.push(message);
    return found;
  });
}

test("messages come out as they went in, in one piece or byte by byte", () => {
  const bytes = Buffer.concat(messages.map(encodeMessage));
  expect(read([bytes])).toEqual([...messages]);
  expect(read([...bytes].map((byte) => Buffer.of(byte)))).toEqual([...messages]);
});

test("what is in them comes out as it went in", () => {
  const [open, prove, , , standing, failed] = messages as [Message, Message, Message, Message, Message, Message];
  expect(readOpening(open)).toEqual(opening);
  expect(readProof(prove).map((hash) => [...hash])).toEqual([Array(32).fill(1), Array(32).fill(2)]);
  expect(readStanding(standing)).toEqual({ size: 3, blocks: 2 });
  const { kind, message, details, hint } = readFailure(failed, "backup");
  expect({ kind, message, details, hint }).toEqual({ kind: "refused", message: "backup: The replica /srv/replica is on a full file system", details: ["/srv/replica/tail: ENOSPC"], hint: "Make room" });
});

test("an error of any length fits into a message", () => {
  const long = "\u0000🚀".repeat(100_000);
  const { content } = failureMessage(new OpError("internal", long, { details: Array(1000).fill(long), hint: long }));
  expect(read([encodeMessage({ kind: "failure", content })])).toHaveLength(1);
  expect(readFailure({ kind: "failure", content }, "x").details).toHaveLength(10);
});

describe("what is no message is kind invalid, before any of it is waited for", () => {
  test.each(["bash: op-dbus: command not found\n", "open  12\n", "open 012\n", "open -1\n", "take 68157441\n", "open 65537\n", "standing 999999999\n", "take 9999999999\n", "\0".repeat(19), "shout 1\nxxxxxxxxxxxxxxxxxx"])("%j", (text) => {
    expect(() => read([Buffer.from(text)])).toThrow(expect.objectContaining({ kind: "invalid" }));
  });

  test.each([
    ["readOpening", readOpening, "{}"],
    ["readOpening", readOpening, '{"head":"","key":"","path":"\\u0000","version":1}'],
    ["readOpening", readOpening, '{"head":"","key":"","more":1,"path":"/x","version":1}'],
    ["readOpening", readOpening, '{"version": 1}'],
    ["readProof", readProof, '["AAAA"]'],
    ["readProof", readProof, JSON.stringify(Array(129).fill(Buffer.alloc(32).toString("base64")))],
    ["readStanding", readStanding, '{"blocks":1,"size":-1}'],
    ["readStanding", readStanding, '{"blocks":1,"size":1e300}'],
  ] as const)("%s", (_, parse, text) => {
    expect(() => parse({ kind: "open", content: Buffer.from(text) })).toThrow(expect.objectContaining({ kind: "invalid" }));
  });
});

test("another version of the protocol is kind unavailable, whatever else it says", () => {
  expect(() => readOpening({ kind: "open", content: Buffer.from('{"new":true,"version":2}') })).toThrow(expect.objectContaining({ kind: "unavailable" }));
});
