import { describe, expect, test } from "bun:test";
import { ownedMembers, ownershipAfter, strayKeys } from "../../../src/core/ownership.ts";
import type { OwnedResources } from "../../../src/core/resource.ts";
import type { Change } from "../../../src/core/plugin.ts";
import { Bench } from "./in-memory.ts";

const taking = { now: "now", lists: { members: "members", complete: "complete" }, before: {}, after: {} } as const;

function change(path: string, from: Change["from"], to: Change["to"]): Change {
  return { resource: "a", path: [path], from, to };
}

function after(owned: OwnedResources, ...changes: Change[]): OwnedResources {
  return ownershipAfter(owned, changes, taking);
}

describe("ownershipAfter", () => {
  test("keeps the original that a key first had, over any number of changes", () => {
    const once = after({}, change("value", "old", 1));
    const thrice = after(after(once, change("value", 1, 2)), change("value", 2, 3));
    expect(thrice.a?.keys).toEqual([{ path: ["value"], value: 3, original: "old" }]);
  });

  test("lets go of a key that is back at its original, and of a resource without keys", () => {
    const both = after({}, change("value", "old", 1), change("level", null, 2));
    const one = after(both, change("value", 1, "old"));
    expect(one.a?.keys.map(({ path }) => path.join())).toEqual(["level"]);
    expect(after(one, change("level", 2, null))).toEqual({});
  });

  test("keeps since, and takes the identity that the resource has when all is done", () => {
    const first = ownershipAfter({}, [change("value", "old", 1)], { ...taking, after: { a: "7" } });
    expect(first.a).toMatchObject({ since: "now", identity: "7" });
    const second = ownershipAfter(first, [change("value", 1, 2)], { ...taking, now: "later", before: { a: "7" }, after: { a: "7" } });
    expect(second.a).toMatchObject({ since: "now", identity: "7" });
  });

  test("begins anew with another resource by the same name", () => {
    const first = ownershipAfter({}, [change("value", "old", 1)], { ...taking, after: { a: "7" } });
    const second = ownershipAfter(first, [change("level", 1, 2)], { ...taking, now: "later", before: { a: "8" }, after: { a: "8" } });
    expect(second.a).toEqual({ since: "later", identity: "8", keys: [{ path: ["level"], value: 2, original: 1 }] });
  });

  test("owns nothing of a resource that op-dbus made and removed, whatever its keys had become", () => {
    const made = after({}, change("state", "absent", "present"), change("up", null, true), change("up", true, false));
    expect(after(made, change("state", "present", "absent"))).toEqual({});
  });

  test("of a list of members owns those that op-dbus put there, not those that others put there in between", () => {
    const first = after({}, change("members", ["theirs"], ["ours", "theirs"]));
    const second = after(first, change("members", ["ours", "theirs", "theirs too"], ["new", "theirs", "theirs too"]));
    const [key] = second.a?.keys ?? [];
    expect(key?.original).toEqual(["theirs", "theirs too"]);
    expect(key === undefined ? [] : ownedMembers(key)).toEqual(["new"]);
  });

  test("of a list of members forgets those that others took away in between", () => {
    const first = after({}, change("members", ["theirs"], ["ours", "theirs"]));
    const second = after(first, change("members", ["ours"], ["more", "ours"]));
    expect(second.a?.keys[0]?.original).toEqual([]);
  });

  test("of a complete list owns all", () => {
    const first = after({}, change("complete", ["theirs"], ["ours"]));
    expect(after(first, change("complete", ["ours", "x"], ["y"])).a?.keys[0]?.original).toEqual(["theirs"]);
  });
});

describe("strayKeys", () => {
  const key = { path: ["up"], value: true, original: false };

  test("are those that the document names neither themselves nor through what implied them", () => {
    const owned = { a: { since: "", keys: [key] }, b: { since: "", keys: [{ ...key, impliedBy: "a" }] } };
    expect(strayKeys(owned, { a: { up: true } })).toEqual([]);
    expect(strayKeys(owned, { a: { value: 1 } }).map(({ resource }) => resource)).toEqual(["a"]);
    expect(strayKeys(owned, { b: { up: true } }).map(({ resource }) => resource)).toEqual(["a"]);
    expect(strayKeys(owned, {}).map(({ resource }) => resource)).toEqual(["a", "b"]);
  });
});

describe("Engine.apply and ownership", () => {
  test("keeps the first original over several applies, and lets go when the host is back at it", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old" });
    await bench.apply({ a: { value: "x" } });
    await bench.apply({ a: { value: "y" } });
    expect(bench.owned.a?.keys).toEqual([{ path: ["value"], value: "y", original: "old" }]);
    await bench.apply({ a: { value: "old" } });
    expect(bench.owned).toEqual({});
  });

  test("owns what a named item brought up, as implied by it: foreseen and reported", async () => {
    await using bench = new Bench();
    for (const name of ["a", "foreseen", "reported"]) bench.memory.put(name, {});
    bench.memory.put("a", { pulls: "foreseen", echo: "reported" });
    await bench.apply({ a: { up: true } });
    for (const name of ["foreseen", "reported"]) {
      expect(bench.owned[name]?.keys).toEqual([{ path: ["up"], value: true, original: false, impliedBy: "a" }]);
    }
  });

  test("gives an item that it made the identity that it got", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { value: "x" } });
    expect(bench.owned.a?.identity).toBe(String(bench.memory.items.get("a")?.id));
  });

  test("an item made again by somebody else is not owned: it is no stray, and --prune leaves it", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { value: "x" } });
    bench.memory.drop("a");
    bench.memory.put("a", { value: "theirs" });
    expect((await bench.plan({})).strays).toEqual({ memory: [] });
    const { plan } = await bench.apply({}, { prune: true });
    expect(plan.steps).toEqual([]);
    expect(bench.memory.items.get("a")?.value).toBe("theirs");
  });

  test("what a rollback makes again stays owned, under its new identity, also one rollback further", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { value: "x" } });
    const { since } = bench.owned.a ?? {};
    await bench.apply({ a: { level: 3 } });
    await bench.apply({ a: { state: "absent" } });
    expect(bench.owned).toEqual({});
    await bench.rollBack();
    const identity = String(bench.memory.items.get("a")?.id);
    expect(bench.owned.a).toMatchObject({ identity, since });
    await bench.rollBack();
    expect(bench.owned.a).toMatchObject({ identity, since });
    await bench.apply({}, { prune: true });
    expect(bench.memory.items.has("a")).toBe(false);
  });

  test("what a failed apply made again stays owned, under its new identity", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { value: "x" } });
    bench.memory.failing = (call) => (call.startsWith("bring up") ? new Error("No power") : undefined);
    await bench.apply({ a: { state: "absent" }, b: { up: true } }).catch(() => undefined);
    expect(bench.owned.a?.identity).toBe(String(bench.memory.items.get("a")?.id));
  });

  test("adopted keys are pruned like op-dbus's own; released ones are left alone", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "theirs" });
    const [plugin] = bench.plugins;
    const reading = (await plugin?.read({ a: {} }))?.resources.a;
    const keys = reading === undefined ? [] : (plugin?.adopt(reading) ?? []);
    const adopted = { memory: { a: { since: "now", identity: reading?.identity ?? "", keys } } };
    await (await bench.open()).ledger.commit({ ownership: adopted });
    expect((await bench.plan({})).strays.memory).toHaveLength(1);
    await (await bench.open()).ledger.commit({ ownership: {} });
    await bench.apply({}, { prune: true });
    expect(bench.memory.items.has("a")).toBe(true);
    await (await bench.open()).ledger.commit({ ownership: adopted });
    await bench.apply({}, { prune: true });
    expect(bench.memory.items.has("a")).toBe(false);
  });
});
