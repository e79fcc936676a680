import { describe, expect, test } from "bun:test";
import type { StateDocument } from "../../../src/core/document.ts";
import { inForceAt, inForceAtCheckpoint } from "../../../src/engine/in-force.ts";
import { Bench, failure } from "./in-memory.ts";

/** A bench that remembers what was in force after each change, by the instant. */
class Witness extends Bench {
  readonly seen: { readonly at: Date; readonly document: StateDocument }[] = [];

  see(): void {
    this.seen.push({ at: this.clock.now(), document: this.disk.current });
  }

  async at(instant: Date): Promise<StateDocument> {
    return inForceAt(await this.open(), instant);
  }

  /** Every instant that was seen is told as it was. */
  async expectTold(): Promise<void> {
    for (const { at, document } of this.seen) expect(await this.at(at)).toEqual(document);
  }

  /** The reason why an instant cannot be told. */
  async reason(instant: Date | undefined): Promise<string | undefined> {
    if (instant === undefined) throw new Error("Nothing was seen");
    return (await failure("refused", this.at(instant))).details[0];
  }
}

/** Three applies, then two rollbacks and one to the first checkpoint, with an apply in between. */
async function busy(): Promise<Witness> {
  const bench = new Witness();
  await bench.apply({ a: { value: "x" } });
  bench.see();
  await bench.apply({ a: { value: "y" } });
  bench.see();
  await bench.apply({ b: { up: true } });
  bench.see();
  await bench.rollBack();
  bench.see();
  await bench.rollBack();
  bench.see();
  await bench.apply({ a: { value: "z" } });
  bench.see();
  await bench.rollBack(bench.disk.checkpoints[0]?.name);
  bench.see();
  return bench;
}

describe("inForceAt", () => {
  test("applies and rollbacks, one or many at once: each instant as it was", async () => {
    await using bench = await busy();
    expect(new Set(bench.seen.map(({ document }) => JSON.stringify(document))).size).toBe(5);
    await bench.expectTold();
  });

  test("an apply that failed changes nothing, one that died is in force from its record on", async () => {
    await using bench = new Witness();
    await bench.apply({ a: { value: "x" } });
    bench.see();
    const mend = bench.failing(/^set a/, () => new Error("no"));
    await failure("failed", bench.apply({ a: { value: "y" } }));
    mend();
    bench.see();
    await bench.dying(/before journal close/, () => bench.apply({ a: { value: "v" } }));
    bench.see();
    await bench.recover();
    bench.see();
    await bench.apply({ a: { value: "w" } });
    await bench.expectTold();
  });

  test("an instant before the log began, or in an empty log", async () => {
    await using bench = new Witness();
    expect(await bench.reason(bench.clock.now())).toBe("The audit log is empty");
    const before = bench.clock.now();
    await bench.apply({ a: { value: "x" } });
    expect(await bench.reason(before)).toBe(`The audit log begins on ${bench.disk.entries[0]?.time}`);
  });

  test("a checkpoint that was deleted: what its apply or rollback found is not told, all else is", async () => {
    await using bench = await busy();
    const commits = bench.disk.entries.filter(({ kind }) => kind === "commit" || kind === "rollback");
    bench.disk.checkpoints.splice(2, 1);
    const [gone, undone] = bench.seen.splice(1, 2);
    expect(await bench.reason(gone?.at)).toBe(`What the apply of ${commits[2]?.time} found in force was kept in a checkpoint that is not there any more`);
    expect(await bench.reason(undone?.at)).toBe(`What the rollback of ${commits[3]?.time} found in force was kept in a checkpoint that is not there any more`);
    await bench.expectTold();
  });

  test("an instant that the clock passed twice", async () => {
    await using bench = await busy();
    const [first] = bench.seen;
    const last = bench.disk.entries.length - 1;
    bench.disk.entries = bench.disk.entries.map((entry, index) => (index === last ? { ...entry, time: "2026-11-20T12:00:00.000Z" } : entry));
    expect(await bench.reason(first?.at)).toContain("The clock was set back: entry ");
  });

  test("a change that is not recorded to its end", async () => {
    await using bench = new Witness();
    await bench.apply({ a: { value: "x" } });
    await bench.dying(/before log commit done/, () => bench.apply({ a: { value: "y" } }));
    expect(await bench.reason(bench.clock.now())).toMatch(/^The apply of .* is not recorded to its end$/);
    await bench.recover();
    expect(await bench.at(bench.clock.now())).toEqual(bench.disk.current);
  });
});

test("inForceAtCheckpoint: before its apply, or as it was when it was marked", async () => {
  await using bench = new Witness();
  await bench.apply({ a: { value: "x" } });
  const then = bench.disk.current;
  const mark = { name: "mark", sequence: 2, created: bench.clock.now().toISOString(), actor: { uid: 0, user: "tester", door: "cli" } };
  bench.disk.checkpoints.push(mark);
  await bench.rollBack();
  await bench.apply({ b: { up: true } });
  const [first, , second] = bench.disk.checkpoints;
  const host = await bench.open();
  if (first === undefined || second === undefined) throw new Error("A checkpoint is missing");
  expect(inForceAtCheckpoint(host, mark)).toEqual(then);
  expect([inForceAtCheckpoint(host, first), inForceAtCheckpoint(host, second)].map(({ plugins }) => plugins)).toEqual([{}, {}]);
});
