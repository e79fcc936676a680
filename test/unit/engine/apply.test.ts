import { describe, expect, test } from "bun:test";
import { applyTo, documentOf } from "../../conformance/fixture.ts";
import { Bench, failure } from "./in-memory.ts";

const DOCUMENT = { a: { value: "x", up: true } };

describe("Engine.apply", () => {
  test("announces each step before it, records it after it, and closes its journal", async () => {
    await using bench = new Bench();
    bench.memory.put("a", {});
    const host = await bench.open();
    await bench.apply(DOCUMENT);
    expect(bench.instants.passed.filter((instant) => instant.startsWith("after"))).toEqual([
      "after reserve",
      "after journal begin",
      "after log plan begun",
      "after journal step-begun",
      "after log action begun",
      "after set a",
      "after log action done",
      "after journal step-done",
      "after journal step-begun",
      "after log action begun",
      "after bring up a",
      "after log action done",
      "after journal step-done",
      "after log verify done",
      "after journal committing",
      "after ledger ownership",
      "after ledger checkpoint 1",
      "after ledger accept",
      "after ledger current",
      "after log commit done",
      "after journal close",
      "after free",
    ]);
    expect(host.journal.pending()).toBeUndefined();
  });

  test("makes a checkpoint named by its time, also for two in the same millisecond", async () => {
    await using bench = new Bench();
    const stopped = { now: () => new Date(0), monotonicMs: () => 0, bootTime: () => ({ boot: "b", ms: 0 }), sleep: () => Promise.resolve() };
    Object.assign(bench, { clock: stopped });
    for (const value of ["x", "y", "z"]) await bench.apply({ a: { value } });
    expect(bench.disk.checkpoints.map(({ name }) => name)).toEqual(["auto-19700101T000000.000Z", "auto-19700101T000000.000Z-2", "auto-19700101T000000.000Z-3"]);
  });

  test("with nothing to do writes nothing anywhere", async () => {
    await using bench = new Bench();
    await bench.apply(DOCUMENT);
    const [writes, kept] = [bench.writes(), bench.disk.writes];
    expect(await bench.apply(DOCUMENT)).toMatchObject({ changed: false, checkpoint: undefined });
    expect([bench.writes(), bench.disk.writes]).toEqual([writes, kept]);
  });

  test("with nothing to do, of a document that is not in force, only keeps the books", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "x", up: true });
    expect(await bench.apply(DOCUMENT)).toMatchObject({ changed: false });
    expect([bench.writes(), bench.disk.current.plugins]).toEqual([0, { memory: { items: DOCUMENT } }]);
  });

  test("keeps in force what it does not name, by plugin", async () => {
    await using bench = new Bench();
    await applyTo(await bench.open(), documentOf({ second: { items: { z: {} } } }));
    await bench.apply({ a: {} });
    expect(bench.disk.current.plugins).toEqual({ memory: { items: { a: {} } }, second: { items: { z: {} } } });
  });

  test("of one plugin changes only that one, and throws kind invalid for one there is not", async () => {
    await using bench = new Bench();
    await bench.apply(DOCUMENT, { plugin: "second" });
    expect(bench.writes()).toBe(0);
    await failure("invalid", bench.apply(DOCUMENT, { plugin: "third" }));
  });

  test("takes a step after the other plugin's that it waits for", async () => {
    await using bench = new Bench();
    const document = documentOf({ second: { items: { z: { up: true, needs: "memory:a up" } } }, memory: { items: { a: { up: true } } } });
    await applyTo(await bench.open(), document);
    const calls = bench.instants.passed.filter((instant) => instant.startsWith("after bring up"));
    expect(calls).toEqual(["after bring up a", "after bring up z"]);
  });

  test("throws what is wrong with the document at its place in it, and touches nothing", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { frozen: true, up: true });
    const error = await failure("invalid", bench.apply({ a: { value: "x", level: 2, restart: "never" } }));
    expect(error.message).toContain("memory.items.a.value: 'a' is frozen; plugins.memory.items.a.level: The level of 'a' changes only with a restart");
    expect([bench.writes(), bench.disk.writes]).toEqual([0, 0]);
  });

  test("is refused for a protected resource without --force, and the refusal is history", async () => {
    await using bench = new Bench();
    bench.memory.put("lifeline", { up: true });
    const error = await failure("refused", bench.apply({ lifeline: { up: false } }));
    expect(error.message).toBe("take down lifeline: it holds the operator. It needs --force");
    expect(bench.history).toEqual(["refusal"]);
    await bench.apply({ lifeline: { up: false } }, { force: true });
    expect(bench.memory.items.get("lifeline")?.up).toBe(false);
  });

  test("is refused while another process holds the lock, and not after that one died", async () => {
    await using bench = new Bench();
    const host = await bench.open();
    const held = await host.lock.acquire("test");
    await failure("refused", bench.apply(DOCUMENT));
    await held[Symbol.asyncDispose]();
    await bench.dying(/after set a/, () => bench.apply(DOCUMENT));
    await bench.apply(DOCUMENT, { force: true });
  });

  test("ends with what the confirmation throws, having written nothing", async () => {
    await using bench = new Bench();
    const confirm = () => {
      throw new Error("No, thank you");
    };
    await expect(bench.apply(DOCUMENT, { confirm })).rejects.toThrow("No, thank you");
    expect([bench.writes(), bench.disk.writes]).toEqual([0, 0]);
    expect((await bench.open()).lock.holder()).toBeUndefined();
  });

  test("keeps the outcome of a watcher's mistake: it is taken back like any other failure", async () => {
    await using bench = new Bench();
    const stepBegun = () => {
      throw new Error("The terminal is gone");
    };
    const engine = await bench.engine();
    const { sourced } = await import("../../conformance/fixture.ts");
    const request = { source: sourced(documentOf({ memory: { items: DOCUMENT } })), plugin: undefined, prune: false, force: false, saved: undefined };
    await failure("failed", engine.apply({ ...request, observer: { stepBegun }, recovered: () => undefined, confirm: () => Promise.resolve() }));
    expect(bench.memory.items.size).toBe(0);
  });
});
