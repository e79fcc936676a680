import { describe, expect, test } from "bun:test";
import { Bench } from "./in-memory.ts";

describe("Engine.plan of what is owned and no longer declared", () => {
  test("lists it and leaves it alone", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old" });
    await bench.apply({ a: { value: "x", level: 2 }, b: {} });
    const { strays, steps } = await bench.plan({ a: { level: 2 } });
    expect(strays.memory?.map(({ resource, key }) => `${resource} ${key.path.join()} ${key.original}`).sort()).toEqual(["a value old", "b state absent"]);
    expect(steps).toEqual([]);
  });

  test("does not list what is gone, or what the document names", async () => {
    await using bench = new Bench();
    await bench.apply({ a: {}, b: {} });
    bench.memory.drop("a");
    expect((await bench.plan({ b: {} })).strays.memory?.map(({ resource }) => resource)).toEqual([]);
  });
});

describe("Engine.apply with --prune", () => {
  test("removes what op-dbus made, and returns what it set to what it was", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old", members: ["theirs"] });
    await bench.apply({ a: { value: "x", members: ["ours"] }, b: {} });
    await bench.apply({}, { prune: true });
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", members: ["theirs"] });
    expect([bench.memory.items.has("b"), bench.owned]).toEqual([false, {}]);
  });

  test("never removes what op-dbus did not make", async () => {
    await using bench = new Bench();
    bench.memory.put("a", {});
    await bench.apply({ a: { value: "x" } });
    await bench.apply({}, { prune: true });
    expect(bench.memory.items.has("a")).toBe(true);
  });

  test("makes again what op-dbus had removed", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old", up: true });
    await bench.apply({ a: { state: "absent" } });
    await bench.apply({}, { prune: true });
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", up: true });
    expect(bench.owned).toEqual({});
  });

  test("lets go of what somebody else took back already", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old" });
    await bench.apply({ a: { value: "x" } });
    await bench.apply({});
    bench.memory.put("a", { value: "old" });
    await bench.apply({}, { prune: true });
    expect(bench.owned).toEqual({});
    expect((await bench.plan({})).strays).toEqual({ memory: [] });
  });

  test("leaves what cannot be returned, and goes on owning it", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old", level: 1 });
    bench.memory.put("b", {});
    await bench.apply({ a: { value: "x", level: 2 } });
    bench.memory.put("a", { frozen: true });
    const { plan } = await bench.apply({ b: { up: true } }, { prune: true });
    expect(plan.notes.map(({ message }) => message)).toContain("a value is not returned to what it was: 'a' is frozen");
    expect(bench.memory.items.get("a")).toMatchObject({ value: "x", level: 1 });
    expect(bench.memory.items.get("b")?.up).toBe(true);
    expect((await bench.plan({})).strays.memory?.map(({ resource, key }) => `${resource} ${key.path.join()}`)).toContain("a value");
    expect((await bench.apply({ b: { up: true } }, { prune: true })).changed).toBe(false);
    bench.memory.put("a", { frozen: false });
    await bench.apply({ b: { up: true } }, { prune: true });
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", level: 1 });
  });

  test("keeps what is named and implied by what is named", async () => {
    await using bench = new Bench();
    bench.memory.put("b", {});
    await bench.apply({ a: { up: true, pulls: "b" } });
    await bench.apply({ a: { up: true, pulls: "b" } }, { prune: true });
    expect(bench.memory.items.get("b")?.up).toBe(true);
    await bench.apply({}, { prune: true });
    expect(bench.memory.items.get("b")?.up).toBe(false);
  });

  test("can be rolled back", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { value: "x" } });
    await bench.apply({}, { prune: true });
    await bench.rollBack();
    expect(bench.memory.items.get("a")?.value).toBe("x");
    expect(bench.owned.a?.keys).toHaveLength(2);
  });

  test("keeps what is named without its state: named is present", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { value: "x" } });
    const { plan } = await bench.apply({ a: { value: "x" } }, { prune: true });
    expect(plan.steps).toEqual([]);
    await bench.apply({ a: {} }, { prune: true });
    expect(bench.memory.items.get("a")?.value).toBeNull();
  });

  test("leaves alone the plugins that the document does not name", async () => {
    await using bench = new Bench();
    await bench.apply({ a: {} });
    await bench.apply({}, { prune: true, plugin: "second" });
    expect(bench.memory.items.has("a")).toBe(true);
  });
});
