import { describe, expect, test } from "bun:test";
import { diskFull } from "../../conformance/instants.ts";
import { expectSame, picture } from "../../conformance/picture.ts";
import { courseOf } from "../../../src/engine/recovery.ts";
import { Bench, failure } from "./in-memory.ts";

const DOCUMENT = { a: { value: "x", up: true } };

function made(): Bench {
  const bench = new Bench();
  bench.memory.put("a", { value: "old" });
  return bench;
}

describe("recover", () => {
  test("says nothing and writes nothing where nothing was left open", async () => {
    await using bench = made();
    expect(await bench.recover()).toBeUndefined();
    expect(bench.history).toEqual([]);
  });

  test.each([
    [/after journal begin/, "before-state", "nothing had been changed"],
    [/after journal step-begun/, "before-state", "it had not been committed"],
    [/after set a/, "before-state", "it had not been committed"],
    [/after log verify/, "before-state", "it had not been committed"],
    [/after journal committing/, "desired state", "all was done but the bookkeeping"],
    [/before ledger current/, "desired state", "all was done but the bookkeeping"],
    [/before journal close/, "desired state", "all was done but the bookkeeping"],
  ] as const)("killed %s, ends in the %s: %s", async (instant, ended, why) => {
    await using bench = made();
    await bench.dying(instant, () => bench.apply(DOCUMENT));
    expect(await bench.recover()).toMatchObject({ kind: "apply", ended, why });
    expect(bench.memory.items.get("a")?.value).toBe(ended === "desired state" ? "x" : "old");
    expect(bench.disk.entries.at(-1)).toMatchObject({ kind: "recovery", operation: "apply", outcome: "done", detail: ended });
  });

  test("takes back what was reported to have changed besides, once that was in the journal", async () => {
    await using bench = made();
    bench.memory.put("echoed", {});
    bench.memory.put("a", { echo: "echoed" });
    await bench.dying(/after journal step-done/, () => bench.apply({ a: { up: true } }));
    await bench.recover();
    expect(bench.memory.items.get("echoed")?.up).toBe(false);
  });

  test("cannot know what was to be reported by a step that it died in: that stays", async () => {
    await using bench = made();
    bench.memory.put("echoed", {});
    bench.memory.put("a", { echo: "echoed" });
    await bench.dying(/after bring up a/, () => bench.apply({ a: { up: true } }));
    await bench.recover();
    expect([bench.memory.items.get("a")?.up, bench.memory.items.get("echoed")?.up]).toEqual([false, true]);
  });

  test("takes back what the way back brings about besides, also when it dies in it", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { up: true, pulls: "pulled" });
    bench.memory.put("pulled", {});
    const was = await picture(await bench.open());
    await bench.dying(/after take down a/, () => bench.apply({ a: { up: false } }));
    await bench.dying(/after bring up a/, () => bench.recover());
    await bench.recover();
    expectSame(was, await picture(await bench.open()));
  });

  test("goes back on a full disk too, and then begins nothing else", async () => {
    await using bench = made();
    await bench.dying(/after set a/, () => bench.apply(DOCUMENT));
    const mended = bench.failing(/^log/, diskFull);
    const error = await failure("refused", bench.apply({ b: {} }));
    expect(error.message).toBe("An interrupted apply was ended, but that could not be recorded");
    expect(bench.memory.items.get("a")?.value).toBe("old");
    expect(bench.memory.items.has("b")).toBe(false);
    mended();
    await bench.apply({ b: {} });
    expect(bench.history).toContain("revert done late");
  });

  test("throws kind unreverted with what is left where it cannot go back, and rollback tries again", async () => {
    await using bench = made();
    await bench.dying(/after set a/, () => bench.apply(DOCUMENT));
    bench.memory.failing = () => new Error("Jammed");
    const error = await failure("unreverted", bench.recover());
    expect(error.details).toContain('Left: a value is "x", declared "old"');
    bench.memory.failing = () => undefined;
    expect(await bench.recover()).toBeUndefined();
    await bench.rollBack();
    expect(bench.memory.items.get("a")?.value).toBe("old");
  });

  test("comes before anything else that changes, and its report before the confirmation", async () => {
    await using bench = made();
    await bench.dying(/after set a/, () => bench.apply(DOCUMENT));
    let told = 0;
    await bench.apply({ b: {} }, { confirm: () => void (told = bench.recovered.length) });
    expect(told).toBe(1);
  });
});

describe("Engine.rollback after recovery", () => {
  test("has nothing more to do when recovery took the interrupted apply back", async () => {
    await using bench = made();
    await bench.apply({ a: { level: 2 } });
    await bench.dying(/after set a/, () => bench.apply(DOCUMENT));
    expect(await bench.rollBack()).toBeUndefined();
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", level: 2 });
  });

  test("goes on when recovery only took back a rollback that was interrupted", async () => {
    await using bench = made();
    await bench.apply(DOCUMENT);
    await bench.dying(/after set a/, () => bench.rollBack());
    expect(await bench.rollBack()).toBeDefined();
    expect(bench.recovered).toMatchObject([{ kind: "rollback", ended: "before-state" }]);
    expect(bench.memory.items.get("a")?.value).toBe("old");
  });

  test("does not go one further when recovery ended the rollback that was asked for", async () => {
    await using bench = made();
    await bench.apply({ a: { level: 2 } });
    await bench.apply(DOCUMENT);
    await bench.dying(/after journal committing/, () => bench.rollBack());
    expect(await bench.rollBack()).toBeUndefined();
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", level: 2 });
  });

  test("goes one further when the apply had been taken back by itself, and only the books were open", async () => {
    await using bench = made();
    await bench.apply({ a: { level: 2 } });
    bench.memory.failing = (call) => (call === "bring up a" ? new Error("No") : undefined);
    await bench.dying(/after journal reverted/, () => bench.apply(DOCUMENT));
    expect(await bench.rollBack()).toBeDefined();
    expect(bench.recovered).toMatchObject([{ ended: "before-state", booksOnly: true }]);
    expect(bench.memory.items.get("a")).toMatchObject({ value: "old", level: null });
  });
});

describe("courseOf", () => {
  const header = { steps: [{ oneWay: undefined }, { oneWay: "burn", name: "burn" }] } as never;
  const begun = (step: number) => ({ record: "step-begun", phase: "apply", step }) as const;
  const reverting = { record: "reverting", why: "" } as const;
  const now = { boot: "this", ms: 5000 };

  test("is decided by the journal alone", () => {
    expect(courseOf({ header, records: [] }, now).go).toBe("close");
    expect(courseOf({ header, records: [begun(0)] }, now).go).toBe("back");
    expect(courseOf({ header, records: [begun(0), begun(1)] }, now).go).toBe("forward");
    expect(courseOf({ header, records: [begun(0), begun(1), reverting] }, now).go).toBe("back");
    expect(courseOf({ header, records: [begun(0), { record: "committing", commit: {} }] }, now).go).toBe("record");
    expect(courseOf({ header, records: [begun(0), reverting, { record: "reverted", commit: {}, left: [] }] }, now).go).toBe("record-revert");
  });
});
