import { describe, expect, test } from "bun:test";
import { Bench, failure } from "./in-memory.ts";

describe("Engine.rollback", () => {
  test("undoes the latest apply, and again goes one further, to the very first", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old" });
    await bench.apply({ a: { value: "x" } });
    await bench.apply({ a: { value: "y", level: 2 } });
    await bench.rollBack();
    expect(bench.memory.items.get("a")).toMatchObject({ value: "x", level: null });
    await bench.rollBack();
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old" });
    expect(bench.disk.current.plugins).toEqual({});
    expect((await failure("refused", bench.rollBack())).message).toBe("There is no apply left to roll back");
  });

  test("to a checkpoint composes the before-states, the oldest value of each key winning", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old", level: 1 });
    await bench.apply({ a: { value: "x" } });
    await bench.apply({ a: { value: "y", level: 2 } });
    await bench.apply({ a: { value: "z" }, b: { up: true } });
    await bench.rollBack(bench.disk.checkpoints[0]?.name);
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", level: 1 });
    expect(bench.memory.items.has("b")).toBe(false);
    expect(bench.owned).toEqual({});
  });

  test("leaves alone what no apply touched", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old", level: 1 });
    await bench.apply({ a: { value: "x" } });
    bench.memory.put("a", { level: 5 });
    bench.memory.put("b", { value: "theirs" });
    await bench.rollBack();
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", level: 5 });
    expect(bench.memory.items.get("b")).toMatchObject({ value: "theirs" });
  });

  test("needs --force for a key that somebody else changed since, shows it, and then takes it back too", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old", level: 1 });
    await bench.apply({ a: { value: "x", level: 2 } });
    bench.memory.put("a", { value: "theirs" });
    const error = await failure("refused", bench.rollBack());
    expect(error.message).toBe('a value is "theirs", op-dbus gave it "x": somebody changed it since. It needs --force');
    expect(error.details).toEqual([]);
    await bench.rollBack(undefined, { force: true });
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", level: 1 });
  });

  test("does not ask for --force where somebody else took the key back already", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old" });
    await bench.apply({ a: { value: "x" } });
    bench.memory.put("a", { value: "old" });
    await bench.rollBack();
    expect(bench.disk.checkpoints[0]?.applied?.undone).toBeDefined();
  });

  test("needs --force for another item by the same name, though its values are what op-dbus gave", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { value: "x" } });
    bench.memory.drop("a");
    bench.memory.put("a", { value: "x" });
    const error = await failure("refused", bench.rollBack());
    expect(error.message).toContain("a is not the one that op-dbus changed, but another by the same name");
    expect(bench.memory.items.has("a")).toBe(true);
  });

  test("leaves members that others put there, before and since", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { members: ["theirs"] });
    await bench.apply({ a: { members: ["ours"] } });
    bench.memory.put("a", { members: ["ours", "theirs", "theirs too"] });
    await bench.rollBack();
    expect(bench.memory.items.get("a")?.members).toEqual(["theirs", "theirs too"]);
  });

  test("carries the policies of the apply along", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { level: 1, up: true });
    await bench.apply({ a: { level: 2, restart: "when-needed" } });
    await bench.rollBack();
    expect(bench.memory.items.get("a")).toMatchObject({ level: 1, restarts: 2 });
  });

  test("takes back what it brings about besides, where the plugin knows how", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { up: true, pulls: "b" });
    bench.memory.put("b", { up: false });
    await bench.apply({ a: { up: false } });
    await bench.rollBack();
    expect([bench.memory.items.get("a")?.up, bench.memory.items.get("b")?.up]).toEqual([true, false]);
  });

  test("reads again after the plan was shown, and refuses when the host has moved since", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { value: "x" } });
    const engine = await bench.engine();
    const confirm = async () => {
      bench.memory.put("a", { value: "moved" });
      await bench.clock.sleep(1000);
    };
    const error = await failure("refused", engine.rollback({ to: undefined, force: false, observer: {}, recovered: () => undefined, confirm, confirmTakingBack: confirm }));
    expect(error.message).toBe("The host changed while the plan was shown");
    expect(bench.memory.items.get("a")?.value).toBe("moved");
  });

  test("throws kind invalid for a checkpoint that there is not, kind refused for one after which nothing is in force", async () => {
    await using bench = new Bench();
    await failure("invalid", bench.rollBack("auto-never"));
    await bench.apply({ a: { value: "x" } });
    const [checkpoint] = bench.disk.checkpoints;
    await bench.rollBack();
    await failure("refused", bench.rollBack(checkpoint?.name));
  });

  test("goes back to the point where a user marked a checkpoint", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { value: "x" } });
    const marked = { name: "before-lunch", sequence: 2, created: "", actor: { uid: 0, user: "tester", door: "cli" } };
    await (await bench.open()).ledger.commit({ checkpoints: [marked] });
    await bench.apply({ a: { value: "y" } });
    await bench.rollBack("before-lunch");
    expect(bench.memory.items.get("a")?.value).toBe("x");
  });

  test("never takes the log back", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { value: "x" } });
    const before = structuredClone(bench.disk.entries);
    await bench.rollBack();
    expect(bench.disk.entries.slice(0, before.length)).toEqual(before);
    expect(bench.history.at(-1)).toBe("rollback done");
  });

  test("that fails leaves the host as it was, and the apply in force", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old" });
    await bench.apply({ a: { value: "x", up: true } });
    bench.memory.failing = (call) => (call.startsWith("set") ? new Error("No") : undefined);
    await failure("failed", bench.rollBack());
    expect(bench.memory.items.get("a")).toMatchObject({ value: "x", up: true });
    expect(bench.disk.checkpoints[0]?.applied?.undone).toBeUndefined();
    expect(bench.disk.rejections).toEqual([]);
    bench.memory.failing = () => undefined;
    await bench.rollBack();
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", up: false });
  });
});
