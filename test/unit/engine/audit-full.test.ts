import { describe, expect, test } from "bun:test";
import { diskFull } from "../../conformance/instants.ts";
import { expectSame, picture } from "../../conformance/picture.ts";
import { Bench, failure } from "./in-memory.ts";

const DOCUMENT = { a: { value: "x", up: true } };

async function made(): Promise<Bench> {
  const bench = new Bench();
  bench.memory.put("a", { value: "old" });
  await bench.open();
  return bench;
}

describe("Engine.apply when the log takes no entry any more", () => {
  test("changes nothing more and takes back what it did, with the room that was set aside", async () => {
    await using bench = await made();
    bench.disk.logRoom = 32 + 2;
    const error = await failure("failed", bench.apply(DOCUMENT));
    expect(error.message).toStartWith("ENOSPC");
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", up: false });
    expect(bench.history.slice(-2)).toEqual(["action done", "revert done"]);
    expect(bench.disk.journal).toBeUndefined();
  });

  test("takes back what it did also when not even the way back can be logged; the next start logs it, late", async () => {
    await using bench = await made();
    const was = await picture(await bench.open());
    const mended = bench.failing(/^log action done/, diskFull);
    const error = await failure("failed", bench.apply(DOCUMENT));
    expect(error.details).toContain("The audit log could not be written: ENOSPC: no space left on device");
    expectSame(was, await picture(await bench.open()));
    expect(bench.history).toEqual(["plan begun", "action begun"]);
    mended();
    expect(await bench.recover()).toMatchObject({ ended: "before-state", booksOnly: true });
    expect(bench.history.slice(2)).toEqual([
      "action done late", "revert begun late", "action begun late", "action done late", "revert done late", "recovery begun", "recovery done",
    ]);
    expect(bench.disk.journal).toBeUndefined();
  });

  test("says that a step was done, not that it failed, when only its log entry did", async () => {
    await using bench = await made();
    const mended = bench.failing(/^log action done/, diskFull);
    await failure("failed", bench.apply({ a: { value: "x" } }));
    mended();
    await bench.recover();
    expect(bench.history).not.toContain("action failed late");
    expect(bench.history).toContain("action done late");
  });

  test("begins nothing at the next start while the log still takes no entry, and does not take back twice", async () => {
    await using bench = await made();
    bench.failing(/^log action done/, diskFull);
    await failure("failed", bench.apply(DOCUMENT));
    const writes = bench.writes();
    bench.memory.put("a", { value: "changed by hand since" });
    await expect(bench.apply({ b: {} })).rejects.toThrow("ENOSPC");
    bench.failing(/never/, diskFull);
    await bench.recover();
    expect([bench.writes(), bench.memory.items.get("a")?.value]).toEqual([writes, "changed by hand since"]);
  });

  test("does not lose the late entries of a process before it", async () => {
    await using bench = await made();
    bench.failing(/^log action done/, diskFull);
    await failure("failed", bench.apply(DOCUMENT));
    for (let start = 0; start < 3; start += 1) await bench.recover().catch(() => undefined);
    bench.failing(/never/, diskFull);
    await bench.recover();
    expect(bench.history.filter((line) => line === "revert done late")).toHaveLength(1);
    expect(bench.history.filter((line) => line === "action done late").length).toBeGreaterThan(0);
  });
});

describe("Engine.apply when the ledger takes nothing any more", () => {
  test("after the commit point says that the host is as declared; the next start records it", async () => {
    await using bench = await made();
    const mended = bench.failing(/^ledger/, diskFull);
    const error = await failure("unreverted", bench.apply(DOCUMENT));
    expect(error.message).toStartWith("The host is in the declared state, but that could not be recorded");
    expect(bench.memory.items.get("a")?.value).toBe("x");
    mended();
    expect(await bench.recover()).toMatchObject({ ended: "desired state", booksOnly: true });
    expect([bench.disk.checkpoints.length, bench.disk.current.plugins]).toEqual([1, { memory: { items: DOCUMENT } }]);
    expect(bench.history.at(-2)).toBe("commit done");
  });

  test("says so as well when there was nothing to change but the books", async () => {
    await using bench = await made();
    const document = { a: { value: "old" } };
    const mended = bench.failing(/^ledger current/, diskFull);
    await failure("unreverted", bench.apply(document));
    mended();
    await bench.recover();
    expect(bench.disk.current.plugins).toEqual({ memory: { items: document } });
  });

  test("on the way back keeps the journal: the next start records the rejection, and does not take back twice", async () => {
    await using bench = await made();
    const mended = bench.failing(/^ledger/, diskFull);
    bench.memory.failing = (call) => (call === "bring up a" ? new Error("No") : undefined);
    const error = await failure("failed", bench.apply(DOCUMENT));
    expect(error.details.join()).toContain("That could not be recorded: ENOSPC");
    mended();
    const writes = bench.writes();
    await failure("refused", bench.apply(DOCUMENT));
    expect([bench.writes(), bench.disk.rejections.length, bench.disk.journal]).toEqual([writes, 1, undefined]);
  });
});
