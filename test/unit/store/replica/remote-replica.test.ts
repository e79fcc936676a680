import { expect, test } from "bun:test";
import { OpError } from "../../../../src/core/errors.ts";
import { encodeMessage, openMessage, standingMessage } from "../../../../src/store/replica/message.ts";
import { RemoteReplica, type Line } from "../../../../src/store/replica/remote-replica.ts";
import { clock } from "../samples.ts";

const opening = { path: "/srv/replica", key: "key", head: "head" };

/** An other end that says these things and then nothing more, while it stays there; and a clock that waits until it is told. */
function silentAfter(...said: readonly Uint8Array[]) {
  const left = [...said];
  const { promise: forever } = Promise.withResolvers<never>();
  const waits: { ms: number; end(): void }[] = [];
  const events: string[] = [];
  const line: Line = {
    who: "backup",
    read: async () => left.shift() ?? (await forever),
    write: async () => undefined,
    trouble: async () => new OpError("unavailable", "It ended"),
    [Symbol.asyncDispose]: async () => void events.push("closed"),
  };
  const patience = { ...clock, sleep: (ms: number) => new Promise<void>((end) => waits.push({ ms, end })) };
  return { line, patience, waits, events };
}

const message = "Nothing has come from backup for 10 minutes";

test("who stays connected and says nothing is waited for, but not for ever: unavailable, and the line is closed", async () => {
  const { line, patience, waits, events } = silentAfter();
  const opened = RemoteReplica.open(line, { ...opening, clock: patience });
  expect(waits.map(({ ms }) => ms)).toEqual([600_000 + openMessage(opening).content.length / 10]);
  waits[0]?.end();
  await expect(opened).rejects.toMatchObject({ kind: "unavailable", message, retryable: true });
  expect(events).toEqual(["closed"]);
});

test("each answer has its own time, one that does not listen too", async () => {
  const { line, patience, waits } = silentAfter(encodeMessage(standingMessage({ size: 0, blocks: 0 })));
  const replica = await RemoteReplica.open(line, { ...opening, clock: patience });
  waits[0]?.end();
  const { promise: stuck } = Promise.withResolvers<void>();
  line.write = () => stuck;
  const taken = replica.take(Buffer.alloc(1));
  expect(waits).toHaveLength(2);
  waits[1]?.end();
  await expect(taken).rejects.toMatchObject({ kind: "unavailable", message });
});
