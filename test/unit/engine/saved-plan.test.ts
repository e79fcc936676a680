import { describe, expect, test } from "bun:test";
import type { Plan } from "../../../src/core/plan.ts";
import { whatMoved } from "../../../src/core/plan.ts";
import type { SavedPlan } from "../../../src/engine/requests.ts";
import { Bench, failure } from "./in-memory.ts";

const DOCUMENT = { a: { value: "x" } };

function saved({ hash, basis }: Plan): SavedPlan {
  return { id: "plan-1", hash, basis: structuredClone(basis) };
}

describe("Plan.basis", () => {
  test("holds exactly the keys named, with ownership, identity and facts", async () => {
    await using bench = new Bench();
    const { id } = bench.memory.put("a", { value: "old", level: 3, frozen: true });
    bench.memory.put("unnamed", {});
    expect((await bench.plan({ a: { level: 2 } })).basis).toEqual({
      memory: { a: { state: { level: 3 }, identity: String(id), facts: { frozen: true } } },
    });
    await bench.apply({ a: { level: 2 } });
    const { basis } = await bench.plan({ a: { level: 2, up: true } });
    expect(basis.memory?.a).toMatchObject({ state: { level: 2, up: false }, owned: { keys: [{ value: 2, original: 3 }] } });
  });

  test("says null for a key, and for a resource, that is not there", async () => {
    await using bench = new Bench();
    expect((await bench.plan({ a: { value: "x", properties: { p: 1 } } })).basis.memory?.a?.state).toEqual({ value: null, properties: { p: null } });
  });

  test("has what --prune adds", async () => {
    await using bench = new Bench();
    await bench.apply(DOCUMENT);
    expect(Object.keys((await bench.plan({}, { prune: true })).basis.memory ?? {})).toEqual(["a"]);
    expect((await bench.plan({})).basis).toEqual({});
  });

  test("does not change with what the document does not name", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { level: 1 });
    const { hash } = await bench.plan(DOCUMENT);
    bench.memory.put("a", { level: 2, up: true });
    bench.memory.put("b", {});
    expect((await bench.plan(DOCUMENT)).hash).toBe(hash);
  });
});

describe("whatMoved", () => {
  test("names the key, the identity, the fact, the ownership, with what they were and are", () => {
    const then = { memory: { a: { state: { value: 1, properties: { p: 1 } }, identity: "1", facts: { frozen: true } } } };
    const now = { memory: { a: { state: { value: 2, properties: { p: 2 } }, identity: "2", owned: { since: "s" } } } };
    expect(whatMoved(then, now).map(({ what, then: was, now: is }) => [what, was, is])).toEqual([
      ["value", 1, 2],
      ["properties.p", 1, 2],
      ["identity", "1", "2"],
      ["facts.frozen", true, null],
      ["owned.since", null, "s"],
    ]);
  });

  test("finds nothing between equals, and what only one of them has", () => {
    const basis = { memory: { a: { state: { value: 1 } } } };
    expect(whatMoved(basis, structuredClone(basis))).toEqual([]);
    expect(whatMoved({}, basis)).toEqual([{ plugin: "memory", resource: "a", what: "value", then: null, now: 1 }]);
  });
});

describe("Engine.apply of a saved plan", () => {
  test("carries it out once: the second time it is spent", async () => {
    await using bench = new Bench();
    const plan = saved(await bench.plan(DOCUMENT));
    await bench.apply(DOCUMENT, { saved: plan });
    expect(bench.memory.items.get("a")?.value).toBe("x");
    const error = await failure("refused", bench.apply(DOCUMENT, { saved: plan }));
    expect(error.message).toBe("This plan was applied already");
  });

  test("refuses it when the host has moved, saying what, and changes nothing", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old" });
    const plan = saved(await bench.plan(DOCUMENT));
    bench.memory.put("a", { value: "moved" });
    const error = await failure("refused", bench.apply(DOCUMENT, { saved: plan }));
    expect(error.details).toEqual(['a value was "old", is "moved"']);
    expect(bench.writes()).toBe(0);
  });

  test("refuses it when the resource is another one by the same name with the same values", async () => {
    await using bench = new Bench();
    const { id } = bench.memory.put("a", { value: "old" });
    const plan = saved(await bench.plan(DOCUMENT));
    bench.memory.drop("a");
    bench.memory.put("a", { value: "old" });
    const { details } = await failure("refused", bench.apply(DOCUMENT, { saved: plan }));
    expect(details).toEqual([`a identity was "${id}", is "${id + 1}"`]);
  });

  test("refuses it for another document, even where that would do the same", async () => {
    await using bench = new Bench();
    const plan = saved(await bench.plan(DOCUMENT));
    const error = await failure("refused", bench.apply({ a: { value: "y" } }, { saved: plan }));
    expect(error.message).toBe("This plan is not the one that was made for this host");
  });

  test("is spent also when there was nothing to change, and when it failed", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "x" });
    await bench.apply(DOCUMENT, { saved: saved(await bench.plan(DOCUMENT)) });
    expect(bench.disk.spent).toEqual(["plan-1"]);
    const failing = { a: { value: "y" } };
    const plan = { ...saved(await bench.plan(failing)), id: "plan-2" };
    bench.memory.failing = () => new Error("No");
    await failure("failed", bench.apply(failing, { saved: plan }));
    expect(bench.disk.spent).toEqual(["plan-1", "plan-2"]);
  });
});

describe("Engine.apply of a plan not saved", () => {
  test("reads again after the plan was shown, and refuses when the host has moved since", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old" });
    const confirm = () => {
      bench.memory.put("a", { value: "moved" });
      void bench.clock.sleep(1000);
    };
    const error = await failure("refused", bench.apply(DOCUMENT, { confirm }));
    expect(error.message).toBe("The host changed while the plan was shown");
    expect(bench.memory.items.get("a")?.value).toBe("moved");
    expect(bench.history).toEqual(["refusal"]);
  });
});
