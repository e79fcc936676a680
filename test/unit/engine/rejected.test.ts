import { describe, expect, test } from "bun:test";
import { Bench, failure } from "./in-memory.ts";

const DOCUMENT = { a: { value: "x" } };

async function failingOnce(bench: Bench): Promise<void> {
  bench.memory.failing = () => new Error("No");
  await failure("failed", bench.apply(DOCUMENT));
  bench.memory.failing = () => undefined;
}

describe("a rejected document", () => {
  test("is one that failed: refused with who, when and why, and nothing is written", async () => {
    await using bench = new Bench();
    await failingOnce(bench);
    const writes = bench.writes();
    const error = await failure("refused", bench.apply(DOCUMENT));
    expect(error.message).toMatch(/^This document was rejected on 2026-11-20T\S+ \(tester\): No\. Change it, or give --force$/);
    expect([bench.writes(), bench.history.at(-1)]).toEqual([writes, "refusal"]);
  });

  test("is one that was rolled back", async () => {
    await using bench = new Bench();
    await bench.apply(DOCUMENT);
    await bench.rollBack();
    expect((await failure("refused", bench.apply(DOCUMENT))).message).toContain("it was rolled back");
  });

  test("is each one that a rollback over several applies undid", async () => {
    await using bench = new Bench();
    await bench.apply(DOCUMENT);
    await bench.apply({ a: { value: "y" } });
    await bench.rollBack(bench.disk.checkpoints[0]?.name);
    expect(bench.disk.rejections).toHaveLength(2);
  });

  test("is one whose process died", async () => {
    await using bench = new Bench();
    await bench.dying(/after set a/, () => bench.apply(DOCUMENT));
    await failure("refused", bench.apply(DOCUMENT));
    expect(bench.recovered).toMatchObject([{ ended: "before-state" }]);
  });

  test("passes when it was changed", async () => {
    await using bench = new Bench();
    await failingOnce(bench);
    await bench.apply({ a: { value: "y" } });
    expect(bench.memory.items.get("a")?.value).toBe("y");
  });

  test("passes with --force, and after that success without it", async () => {
    await using bench = new Bench();
    await failingOnce(bench);
    await bench.apply(DOCUMENT, { force: true });
    expect(bench.disk.rejections).toEqual([]);
    bench.memory.put("a", { value: "drifted" });
    await bench.apply(DOCUMENT);
    expect(bench.memory.items.get("a")?.value).toBe("x");
  });

  test("stays rejected when it fails by --force as well", async () => {
    await using bench = new Bench();
    await failingOnce(bench);
    bench.memory.failing = () => new Error("Still no");
    await failure("failed", bench.apply(DOCUMENT, { force: true }));
    expect(bench.disk.rejections).toMatchObject([{ why: "Still no" }]);
  });
});

describe("Engine.refusals", () => {
  test("tells before an apply why it would be refused", async () => {
    await using bench = new Bench();
    await failingOnce(bench);
    const engine = await bench.engine();
    const plan = await bench.plan(DOCUMENT);
    expect(await engine.refusals(plan, { force: false, held: false })).toHaveLength(1);
    expect(await engine.refusals(plan, { force: true, held: false })).toEqual([]);
  });
});
