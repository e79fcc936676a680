import { expect, test } from "bun:test";
import { decodeAcknowledgement } from "../../../src/protocols/netlink/acknowledgement.ts";
import { ProtocolViolation } from "../../../src/protocols/netlink/attribute.ts";
import { encodeMessage, messagesIn, NLM_F, NLMSG_DONE, NLMSG_ERROR } from "../../../src/protocols/netlink/message.ts";

const message = (payload: string, type = 16) => ({ type, flags: 2, sequence: 7, port: 9, payload: Buffer.from(payload) });

test("messagesIn takes the messages of a piece apart, with and without padding after the last", () => {
  const piece = Buffer.concat([encodeMessage(message("abc")), encodeMessage(message("")), encodeMessage(message("12345"))]);
  const expected = [message("abc"), message(""), message("12345")];
  expect(messagesIn(piece)).toEqual(expected);
  expect(messagesIn(piece.subarray(0, -3))).toEqual(expected);
  expect(messagesIn(new Uint8Array(0))).toEqual([]);
});

test("messagesIn refuses what is cut off, and what follows the last message", () => {
  const whole = encodeMessage(message("12345678"));
  for (let length = 1; length < whole.length; length += 1) expect(() => messagesIn(whole.subarray(0, length))).toThrow(ProtocolViolation);
  for (const rest of [[0], [1, 2, 3, 4], Array(16).fill(0), Array(16).fill(255)]) expect(() => messagesIn(Buffer.concat([whole, Buffer.from(rest)]))).toThrow(ProtocolViolation);
});

/** NLMSG_ERROR with an error, the request's header, as much of its payload, and remarks. */
function refusal(errno: number, { flags = 0, request = 0, remarks = Buffer.alloc(0) }): ReturnType<typeof messagesIn>[number] {
  const payload = Buffer.alloc(4 + 16 + request);
  payload.writeInt32LE(-errno, 0);
  payload.writeUInt32LE(16 + request, 4);
  return { type: NLMSG_ERROR, flags, sequence: 1, port: 1, payload: Buffer.concat([payload, remarks]) };
}

const TEXT = Buffer.from("0700010068690000", "hex");
const OFFSET = Buffer.from("0800020028000000", "hex");

test("decodeAcknowledgement finds the remarks after the request, whole or its header alone", () => {
  const flags = NLM_F.ACK_TLVS;
  expect(decodeAcknowledgement(refusal(22, { flags: flags | NLM_F.CAPPED, remarks: TEXT }))).toEqual({ errno: 22, text: "hi" });
  expect(decodeAcknowledgement(refusal(22, { flags, request: 24, remarks: Buffer.concat([TEXT, OFFSET]) }))).toEqual({ errno: 22, text: "hi", offset: 40 });
  expect(decodeAcknowledgement(refusal(0, { flags: flags | NLM_F.CAPPED, remarks: TEXT }))).toEqual({ errno: 0, text: "hi" });
  expect(decodeAcknowledgement(refusal(17, { request: 24 }))).toEqual({ errno: 17 });
});

test("decodeAcknowledgement of the end of a dump: without anything, with an error, with remarks", () => {
  const done = (hex: string, flags = 0) => decodeAcknowledgement({ type: NLMSG_DONE, flags, sequence: 1, port: 1, payload: Buffer.from(hex, "hex") });
  expect([done(""), done("00000000"), done("eaffffff"), done(`feffffff${TEXT.toString("hex")}`, NLM_F.ACK_TLVS)]).toEqual([{ errno: 0 }, { errno: 0 }, { errno: 22 }, { errno: 2, text: "hi" }]);
});

test("decodeAcknowledgement refuses what is cut off, and an error that is none", () => {
  const whole = refusal(22, { flags: NLM_F.ACK_TLVS, request: 24, remarks: TEXT });
  for (let length = 0; length < whole.payload.length; length += 1) {
    if (length === whole.payload.length - TEXT.length || length >= whole.payload.length - 1) continue;
    expect(() => decodeAcknowledgement({ ...whole, payload: whole.payload.subarray(0, length) })).toThrow(ProtocolViolation);
  }
  expect(() => decodeAcknowledgement(refusal(-5, {}))).toThrow(ProtocolViolation);
});
