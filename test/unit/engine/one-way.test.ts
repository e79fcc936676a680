import { describe, expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import { Bench, failure } from "./in-memory.ts";

const DOCUMENT = { a: { value: "x", fuse: "burnt" }, b: { up: true } };

function made(): Bench {
  const bench = new Bench();
  bench.memory.put("a", { value: "old" });
  bench.memory.put("b", {});
  return bench;
}

describe("a one-way step", () => {
  test("is marked in the plan and comes last, across plugins", async () => {
    await using bench = made();
    const { steps } = await bench.plan(DOCUMENT);
    expect(steps.map(({ name, oneWay }) => [name, oneWay])).toEqual([["set", undefined], ["bring up", undefined], ["burn", "burn"]]);
  });

  test("is not taken when a step before it fails", async () => {
    await using bench = made();
    bench.memory.failing = (call) => (call.startsWith("bring up") ? new Error("No") : undefined);
    await failure("failed", bench.apply(DOCUMENT));
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", fuse: "intact" });
  });

  test("that fails before it did anything leaves everything as it was", async () => {
    await using bench = made();
    bench.memory.failing = (call) => (call.startsWith("burn") ? new Error("Wet") : undefined);
    await failure("failed", bench.apply(DOCUMENT));
    expect([bench.memory.items.get("a")?.value, bench.memory.items.get("b")?.up]).toEqual(["old", false]);
  });

  test.each([/before burn a/, /after burn a/, /after journal step-done/, /after log verify/])("makes recovery go forward, killed %s", async (instant) => {
    await using bench = made();
    let passed = 0;
    // The third step is the one.
    const at = instant.source === "after journal step-done" ? { test: (call: string) => instant.test(call) && ++passed === 3 } : instant;
    await bench.dying(at, () => bench.apply(DOCUMENT));
    expect(await bench.recover()).toMatchObject({ ended: "desired state", why: "'burn' had begun and cannot be taken back" });
    expect(bench.memory.items.get("a")).toMatchObject({ value: "x", fuse: "burnt" });
    expect(bench.disk.checkpoints).toHaveLength(1);
  });

  test("makes recovery go forward again, when it dies on the way", async () => {
    await using bench = made();
    await bench.dying(/before burn a/, () => bench.apply(DOCUMENT));
    await bench.dying(/after burn a/, () => bench.recover());
    expect(await bench.recover()).toMatchObject({ ended: "desired state" });
    expect(bench.memory.items.get("a")?.fuse).toBe("burnt");
  });

  test("does not make recovery turn round when the host cannot be read: it stays open and goes forward later", async () => {
    await using bench = made();
    await bench.dying(/after burn a/, () => bench.apply(DOCUMENT));
    bench.memory.unreadable = new OpError("unavailable", "The bus is gone");
    await failure("unavailable", bench.recover());
    bench.memory.unreadable = undefined;
    expect(await bench.recover()).toMatchObject({ ended: "desired state" });
  });

  test("is told as left when the apply fails after it, and all else is taken back", async () => {
    await using bench = made();
    bench.memory.put("echoed", {});
    bench.memory.put("b", { echo: "echoed" });
    const error = await failure("unreverted", bench.apply({ ...DOCUMENT, echoed: { up: false } }));
    expect(error.details).toContain("Left: a: The fuse of 'a' is burnt");
    expect([bench.memory.items.get("a")?.value, bench.memory.items.get("b")?.up]).toEqual(["old", false]);
  });

  test("needs --force to be rolled back over: what it did is shown, and stays; the rest is taken back", async () => {
    await using bench = made();
    await bench.apply(DOCUMENT);
    const error = await failure("refused", bench.rollBack());
    expect(error.message).toBe("a fuse cannot be brought back and would stay as it is: The fuse of 'a' is burnt. It needs --force");
    await bench.rollBack(undefined, { force: true });
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", fuse: "burnt" });
    expect(bench.memory.items.get("b")?.up).toBe(false);
  });
});
