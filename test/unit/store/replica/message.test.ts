import { describe, expect, test } from "bun:test";
import { OpError } from "../../../../src/core/errors.ts";
import { encodeMessage, failureMessage, MessageReader, openMessage, PROTOCOL_VERSION, proveMessage, readFailure, readOpening, readProof, readStanding, standingMessage, type Message } from "../../../../src/store/replica/message.ts";
import { manifestMessage, offerMessage, readManifest, readOffer, readWanted, wantedMessage } from "../../../../src/store/replica/snapshot-message.ts";

const opening = { path: "/srv/replica", key: "op-dbus/x+00000000+AAAA", head: "op-dbus/x\n1\nAAAA\n\n— op-dbus/x BBBB\n" };
const failure = new OpError("refused", "The replica /srv/replica is on a full file system", { details: ["/srv/replica/tail: ENOSPC"], hint: "Make room" });
const manifest = { entry: 9, files: [{ path: "checkpoints/é.json", mode: "644", sha256: "0".repeat(64), sizeBytes: 7 }] };
const messages: readonly Message[] = [openMessage(opening), proveMessage([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]), { kind: "take", content: Buffer.from([0, 10, 255]) }, { kind: "take", content: Buffer.alloc(0) }, standingMessage({ size: 3, blocks: 2 }), failureMessage(failure), offerMessage([9, 4]), manifestMessage(manifest), { kind: "contents", content: Buffer.from([0, 10, 255]) }, wantedMessage([0, 3])];

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
  const [open, prove, , , standing, failed, offer, snapshot, , wanted] = messages as [Message, Message, Message, Message, Message, Message, Message, Message, Message, Message];
  expect(readOpening(open)).toEqual(opening);
  expect(readProof(prove).map((hash) => [...hash])).toEqual([Array(32).fill(1), Array(32).fill(2)]);
  expect(readStanding(standing)).toEqual({ size: 3, blocks: 2 });
  expect(readOffer(offer)).toEqual([9, 4]);
  expect(readManifest(snapshot)).toEqual(manifest);
  expect(readWanted(wanted)).toEqual([0, 3]);
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
  test.each(["bash: op-dbus: command not found\n", "open  12\n", "open 012\n", "open -1\n", "take 68157441\n", "contents 68157441\n", "snapshot 67108865\n", "offer 65537\n", "wanted 1048577\n", "open 65537\n", "standing 999999999\n", "take 9999999999\n", "\0".repeat(19), "shout 1\nxxxxxxxxxxxxxxxxxx"])("%j", (text) => {
    expect(() => read([Buffer.from(text)])).toThrow(expect.objectContaining({ kind: "invalid" }));
  });

  test.each([
    ["readOpening", readOpening, "{}"],
    ["readOpening", readOpening, '{"head":"","key":"","path":"\\u0000","version":2}'],
    ["readOpening", readOpening, '{"head":"","key":"","more":1,"path":"/x","version":2}'],
    ["readOpening", readOpening, '{"version": 2}'],
    ["readProof", readProof, '["AAAA"]'],
    ["readProof", readProof, JSON.stringify(Array(129).fill(Buffer.alloc(32).toString("base64")))],
    ["readStanding", readStanding, '{"blocks":1,"size":-1}'],
    ["readStanding", readStanding, '{"blocks":1,"size":1e300}'],
    ["readOffer", readOffer, "[-1]"],
    ["readOffer", readOffer, JSON.stringify(Array(1001).fill(1))],
    ["readWanted", readWanted, "[1,1]"],
    ["readWanted", readWanted, "[2,1]"],
    ["readManifest", readManifest, '{"entry":1,"files":{}}'],
    ["readManifest", readManifest, '{"entry":1,"files":[{"mode":"644","path":"a","sha256":"00","size":1}]}'],
    ["readManifest", readManifest, `{"entry":1,"files":[{"mode":"99","path":"a","sha256":"${"0".repeat(64)}","size":1}]}`],
  ] as const)("%s", (_, parse, text) => {
    expect(() => parse({ kind: "open", content: Buffer.from(text) })).toThrow(expect.objectContaining({ kind: "invalid" }));
  });
});

test("another version of the protocol is kind unavailable, whatever else it says", () => {
  expect(() => readOpening({ kind: "open", content: Buffer.from(`{"new":true,"version":${PROTOCOL_VERSION + 1}}`) })).toThrow(expect.objectContaining({ kind: "unavailable" }));
});
