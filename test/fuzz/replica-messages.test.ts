import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { OpError } from "../../src/core/errors.ts";
import { encodeMessage, MessageReader, readFailure, readOpening, readProof, readStanding, type MessageKind } from "../../src/store/replica/message.ts";
import { readManifest, readOffer, readWanted } from "../../src/store/replica/snapshot-message.ts";
import { FIRST, SECOND, snapshotted } from "../unit/store/sample-snapshots.ts";
import { converse, filesIn, logged, serve, verifiedSize } from "../unit/store/replica/sample-replica.ts";
import { scratch } from "../unit/sys/scratch.ts";

/*
 * What keeps a replica, given anything: it ends with an OpError or none, writes in no folder but the one that is asked for, and what is in
 * that one verifies.
 */

const NAMES = /^(checkpoint|tail|verifier-key|replica\.lock|blocks|tile|snapshots)$/;

/** A change to some bytes: others in their place, or some of them twice. */
const changes = fc.array(fc.record({ at: fc.nat(), length: fc.nat({ max: 40 }), instead: fc.oneof(fc.uint8Array({ maxLength: 6 }), fc.constantFrom(..."\n|{|}|\"|0|9|open |take |contents |..|/|../".split("|")).map((text) => Buffer.from(text))), doubled: fc.boolean() }), { minLength: 1, maxLength: 4 });

function changed(bytes: Buffer, each: { at: number; length: number; instead: Uint8Array; doubled: boolean }[]): Buffer {
  return each.reduce((before, { at, length, instead, doubled }) => {
    const from = at % (before.length + 1);
    const cut = before.subarray(from, from + length);
    return Buffer.concat([before.subarray(0, from), ...(doubled ? [cut, cut] : [instead]), before.subarray(from + length)]);
  }, bytes);
}

/** The messages of a conversation, to be changed one by one with their lengths put right. */
function messagesOf(said: Buffer): { kind: MessageKind; content: Buffer }[] {
  const reader = new MessageReader();
  reader.push(said);
  const found = [];
  for (let message = reader.next(); message !== undefined; message = reader.next()) found.push(message);
  return found;
}

async function prepared(folder: { file(...names: string[]): string }) {
  const [root, path] = [folder.file("root"), folder.file("replica")];
  await logged(root, [1, 4, 260, 2]);
  await snapshotted(root, FIRST, { lock: "1", "current.json": "{}", "checkpoints/a.json": "a" });
  await snapshotted(root, SECOND, { lock: "2", "current.json": "{}", "checkpoints/b.json": "b" });
  const { said } = await converse(root, path);
  const before = filesIn(root);
  return {
    said,
    async expectSafe(bytes: Uint8Array): Promise<void> {
      rmSync(path, { recursive: true, force: true });
      const error = await serve(bytes, folder.file());
      if (error !== undefined) expect(error).toBeInstanceOf(OpError);
      expect((error as OpError | undefined)?.kind).not.toBe("internal");
      // A changed path may be that of another folder that is not there: it must be one of ours.
      const beside = readdirSync(folder.file()).filter((name) => !["root", "replica"].includes(name));
      for (const name of ["replica", ...beside]) {
        const names = existsSync(folder.file(name)) ? readdirSync(folder.file(name)) : [];
        expect(names.filter((each) => !NAMES.test(each))).toEqual([]);
        const tail = join(folder.file(name), "tail");
        if (existsSync(tail)) expect([0, 1, 5, 265, 267, 268, 269]).toContain(verifiedSize(folder.file(name), root));
        const snapshots = join(folder.file(name), "snapshots");
        // Each that is there was just verified.
        if (existsSync(snapshots)) expect(readdirSync(snapshots).filter((each) => ![FIRST, SECOND].includes(each))).toEqual([]);
        if (name !== "replica") rmSync(folder.file(name), { recursive: true });
      }
      expect(filesIn(root)).toEqual(before);
    },
  };
}

test("serveReplica of a conversation with some of its bytes changed: safe", async () => {
  await using folder = scratch();
  const { said, expectSafe } = await prepared(folder);
  await fc.assert(fc.asyncProperty(changes, async (each) => await expectSafe(changed(said, each))), { numRuns: 500 });
}, 300_000);

test("serveReplica of messages that are changed, left out, repeated or reordered: safe", async () => {
  await using folder = scratch();
  const { said, expectSafe } = await prepared(folder);
  const messages = messagesOf(said);
  const order = fc.array(fc.tuple(fc.nat({ max: messages.length - 1 }), fc.option(changes)), { maxLength: 6 });
  const usual = fc.tuple(...messages.map((_, index) => fc.tuple(fc.constant(index), fc.option(changes, { freq: 3 }))));
  await fc.assert(
    fc.asyncProperty(fc.oneof(order, usual), async (chosen) => {
      const sent = chosen.map(([index, each]) => {
        const { kind, content } = messages[index] as (typeof messages)[number];
        return encodeMessage({ kind, content: each === null ? content : changed(content, each) });
      });
      await expectSafe(Buffer.concat(sent));
    }),
    { numRuns: 500 },
  );
}, 300_000);

test("what is read from the other end: a value or an OpError of kind invalid or unavailable, from bytes in any pieces", () => {
  const readers = [readOpening, readProof, readStanding, readOffer, readManifest, readWanted, (message: Parameters<typeof readStanding>[0]) => readFailure(message, "x")];
  const soup = fc.array(fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.tuple(fc.constantFrom("open", "prove", "take", "offer", "snapshot", "contents", "standing", "wanted", "failure"), fc.json()).map(([kind, text]) => encodeMessage({ kind, content: Buffer.from(text) } as never)), fc.constantFrom("open 9", "standing 2\n{}", "take 67108864\n").map((text) => Buffer.from(text))), { maxLength: 8 });
  fc.assert(
    fc.property(soup, (chunks) => {
      const reader = new MessageReader();
      try {
        for (const chunk of chunks) {
          reader.push(chunk);
          for (let message = reader.next(); message !== undefined; message = reader.next()) {
            for (const read of readers) {
              try {
                read(message);
              } catch (error) {
                expect(["invalid", "unavailable"]).toContain((error as OpError).kind);
              }
            }
          }
        }
      } catch (error) {
        expect((error as OpError).kind).toBe("invalid");
      }
    }),
    { numRuns: 5_000 },
  );
});
