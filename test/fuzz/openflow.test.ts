import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { Framer } from "../../src/core/framer.ts";
import { parseFlow, printFlow } from "../../src/protocols/openflow/flow-text.ts";
import { decodeMessage, encodeMessage, messageLength } from "../../src/protocols/openflow/message.ts";
import { NUMBERS_ONLY } from "../../src/protocols/openflow/port-names.ts";
import { SpellingError } from "../../src/protocols/openflow/spelling-error.ts";
import { bufferOf, ProtocolViolation } from "../../src/protocols/openflow/wire.ts";
import { FLOWS, PORTS } from "../golden/openflow/flows.ts";
import { read } from "../golden/openflow/reading.ts";

/*
 * Captured messages and written flows, changed: each is taken or refused, and what is taken means itself again.
 */

const FOLDER = join(import.meta.dir, "../golden/openflow");
const captured = readdirSync(FOLDER).filter((file) => file.endsWith(".bin")).map((file) => readFileSync(join(FOLDER, file)));

const byteChanges = fc.array(fc.record({ at: fc.nat(), length: fc.nat({ max: 24 }), instead: fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.constantFrom("ffff", "0000", "0008", "ffffffff").map((hex) => Buffer.from(hex, "hex"))) }), { minLength: 1, maxLength: 4 });
const textChanges = fc.array(fc.record({ at: fc.nat(), length: fc.nat({ max: 5 }), instead: fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom(..."( ) , = : -> [ ] / + - | \" ct( 0x ff 4294967295 tcp, ip, raw= raw: write_actions( exec( reg0[] IN_PORT".split(" "))) }), { minLength: 1, maxLength: 4 });

function changed(bytes: Buffer, each: readonly { at: number; length: number; instead: Uint8Array }[]): Buffer {
  return each.reduce((before, { at, length, instead }) => {
    const from = at % (before.length + 1);
    return Buffer.concat([before.subarray(0, from), instead, before.subarray(from + length)]);
  }, bytes);
}

function changedText(text: string, each: readonly { at: number; length: number; instead: string }[]): string {
  return each.reduce((before, { at, length, instead }) => {
    const from = at % (before.length + 1);
    return before.slice(0, from) + instead + before.slice(from + length);
  }, text);
}

/** The message with its length put right, so that what is in it is looked at. */
function framed(bytes: Buffer): Buffer {
  const whole = bytes.length < 8 ? Buffer.concat([bytes, Buffer.alloc(8)]) : Buffer.from(bytes);
  whole.writeUInt16BE(whole.length, 2);
  return whole;
}

test("a changed message is read or refused, and what is read is written as it was read", () => {
  fc.assert(
    fc.property(fc.constantFrom(...captured), byteChanges, (bytes, changes) => {
      try {
        const { says, again } = read(decodeMessage(framed(changed(bytes, changes))));
        // A port's name that is not UTF-8 cannot be said again.
        if (!JSON.stringify(says, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)).includes("\ufffd")) expect(read(decodeMessage(encodeMessage(again))).says).toEqual(says);
      } catch (error) {
        // The last two are this suite's own: another version, and a message of no bundle.
        if (!(error instanceof ProtocolViolation) && !(error instanceof TypeError && /is not spoken|No bundle/.test(error.message))) throw error;
      }
    }),
    { numRuns: 5_000 },
  );
});

test("a stream of changed messages is cut into messages or refused, in pieces of any size", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...captured), { minLength: 1, maxLength: 5 }), byteChanges, fc.integer({ min: 1, max: 99 }), (messages, changes, size) => {
      const stream = changed(Buffer.concat(messages), changes);
      const framer = new Framer(messageLength);
      let cut = 0;
      try {
        for (let at = 0; at < stream.length; at += size) {
          framer.push(stream.subarray(at, at + size));
          for (let message = framer.next(); message !== undefined; message = framer.next()) {
            expect(decodeMessage(message).body.length).toBe(message.length - 8);
            expect(bufferOf(stream).subarray(cut, cut + message.length).equals(message)).toBeTrue();
            cut += message.length;
          }
        }
      } catch (error) {
        if (!(error instanceof ProtocolViolation)) throw error;
      }
    }),
    { numRuns: 1_000 },
  );
});

test("a changed flow is understood or refused with its place, and what is understood is printed as itself", () => {
  fc.assert(
    fc.property(fc.constantFrom(...FLOWS), textChanges, (text, changes) => {
      const asked = changedText(text, changes);
      let printed: string;
      try {
        printed = printFlow(parseFlow(asked, PORTS), NUMBERS_ONLY);
      } catch (error) {
        if (!(error instanceof SpellingError)) throw error;
        expect(error.message).not.toBe("");
        expect(error.at).toBeWithin(0, asked.length + 1);
        return;
      }
      expect(printFlow(parseFlow(printed, PORTS), NUMBERS_ONLY)).toBe(printed);
    }),
    { numRuns: 5_000 },
  );
});
