import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { OpError } from "../../src/core/errors.ts";
import { decodeAcknowledgement } from "../../src/protocols/netlink/acknowledgement.ts";
import { ADDRESS } from "../../src/protocols/netlink/address.ts";
import { ProtocolViolation } from "../../src/protocols/netlink/attribute.ts";
import { openNetlink } from "../../src/protocols/netlink/client.ts";
import { netlinkError } from "../../src/protocols/netlink/errors.ts";
import { LINK } from "../../src/protocols/netlink/link.ts";
import { createLink } from "../../src/protocols/netlink/link-changes.ts";
import { messagesIn } from "../../src/protocols/netlink/message.ts";
import { NEIGHBOUR } from "../../src/protocols/netlink/neighbour.ts";
import type { Request } from "../../src/protocols/netlink/netlink.ts";
import { dumpAddresses, dumpLinks, dumpNeighbours, dumpRoutes, dumpRules, getLink } from "../../src/protocols/netlink/reads.ts";
import { ROUTE } from "../../src/protocols/netlink/route.ts";
import { RULE } from "../../src/protocols/netlink/rule.ts";
import { eventsIn } from "../../src/protocols/netlink/subscription.ts";
import { acknowledged, done, FakeKernel } from "../unit/netlink/fake-kernel.ts";

/*
 * What two kernels sent (golden/netlink), with some of it changed: each decoder gives a value that can be written again, or throws
 * ProtocolViolation; a client's request has an answer or an OpError.
 */

const FOLDER = join(import.meta.dir, "../golden/netlink");
const captures = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".bin")).sort().map((file) => readFileSync(join(FOLDER, file)));
const FORMS = [LINK, ADDRESS, ROUTE, RULE, NEIGHBOUR] as readonly { decode(payload: Buffer): unknown; bytes(value: never, operation: string): Buffer }[];
const HEADER_BYTES = 16;

interface Mutation {
  readonly at: number;
  readonly length: number;
  readonly instead: Uint8Array;
}

/** Lengths and types are two bytes at even places: what is put there is often one that means something. */
const telling = fc.constantFrom([0, 0], [1, 0], [3, 0], [4, 0], [5, 0], [8, 0], [0xff, 0xff], [0, 0x80], [12, 0x80], [0xfc, 0xff]).map((bytes) => Uint8Array.from(bytes));
const mutation: fc.Arbitrary<Mutation> = fc.record({ at: fc.nat({ max: 4000 }), length: fc.nat({ max: 8 }), instead: fc.oneof(telling, fc.uint8Array({ maxLength: 8 })) });
const mutated = fc.tuple(fc.constantFrom(...captures), fc.array(mutation, { minLength: 1, maxLength: 5 }), fc.boolean()).map(([capture, mutations, sameLength]) => changed(capture, mutations, sameLength));

/** With the message's own length put right, so that what is inside is reached. */
function changed(capture: Buffer, mutations: readonly Mutation[], sameLength: boolean): Buffer {
  const bytes = mutations.reduce((before, { at, length, instead }) => {
    const from = HEADER_BYTES + ((at & ~1) % Math.max(1, before.length - HEADER_BYTES));
    return Buffer.concat([before.subarray(0, from), instead, before.subarray(from + (sameLength ? instead.length : length))]);
  }, capture);
  bytes.writeUInt32LE(bytes.length, 0);
  return bytes;
}

function valueOrViolation(action: () => void): void {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolViolation);
  }
}

test("each decoder, given captures with some bytes changed: a value that can be written again, or ProtocolViolation", () => {
  expect(captures.length).toBeGreaterThan(60);
  let values = 0;
  fc.assert(
    fc.property(mutated, (bytes) => {
      valueOrViolation(() => void eventsIn(bytes));
      for (const message of messagesIn(bytes)) {
        valueOrViolation(() => void decodeAcknowledgement(message));
        for (const form of FORMS) {
          valueOrViolation(() => {
            const value = form.decode(message.payload);
            values += 1;
            form.decode(form.bytes(value as never, "write it again"));
          });
        }
      }
    }),
    { numRuns: 5_000 },
  );
  expect(values).toBeGreaterThan(1_000);
}, 60_000);

test("messagesIn and the decoders, given anything: a value or ProtocolViolation", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      valueOrViolation(() => void eventsIn(bytes));
      for (const form of FORMS) valueOrViolation(() => void form.decode(Buffer.from(bytes)));
    }),
    { numRuns: 5_000 },
  );
});

test("a refusal that points anywhere is told as an OpError", () => {
  const request = createLink({ name: "br0", linkInfo: { kind: "vxlan", vxlan: { id: 5, local: "10.0.0.1" } } });
  const place = fc.oneof(fc.nat({ max: 120 }), fc.constantFrom(0xffff_ffff, 0x8000_0000));
  const remarks = fc.record({ offset: place, missing: place, missingNest: place, text: fc.string() }, { requiredKeys: [] });
  fc.assert(fc.property(fc.nat({ max: 200 }), remarks, (errno, each) => expect(netlinkError({ errno, ...each }, request)).toBeInstanceOf(OpError)));
});

test("a client whose kernel sends changed captures: an answer or an OpError, and no wait longer than its limit", async () => {
  const requests: readonly Request<unknown>[] = [dumpLinks(), dumpAddresses(), dumpRoutes(), dumpRules(), dumpNeighbours(), getLink({ index: 1 })];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...requests), fc.array(mutated, { maxLength: 3 }), fc.boolean(), async (request, pieces, ends) => {
      const open = () =>
        new FakeKernel((message) => {
          for (const piece of pieces) {
            // As if it were for this request, which is where it would do most.
            piece.writeUInt32LE(message.sequence, 8);
            piece.writeUInt32LE(message.port, 12);
          }
          return [...pieces, ...(ends ? [done(message), acknowledged(message)] : [])];
        });
      const netlink = openNetlink({ open, timeoutMs: 1, answerLimitBytes: 8_000 });
      try {
        await netlink.send(request);
      } catch (error) {
        expect(error).toBeInstanceOf(OpError);
        expect(["unavailable", "failed", "refused"]).toContain((error as OpError).kind);
      } finally {
        netlink.close();
      }
    }),
    { numRuns: 1_000 },
  );
}, 120_000);
