import { describe, expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import { applyTo, documentOf } from "../../conformance/fixture.ts";
import { diskFull } from "../../conformance/instants.ts";
import { expectSame, picture } from "../../conformance/picture.ts";
import { Bench, failure } from "./in-memory.ts";

const DOCUMENT = { a: { value: "x", up: true }, b: { state: "absent" } };

function made(): Bench {
  const bench = new Bench();
  bench.memory.put("a", { value: "old" });
  bench.memory.put("b", { value: 7, up: true, members: ["m"], properties: { p: 1 } });
  return bench;
}

describe("Engine.apply when a step fails", () => {
  test("throws kind failed with the reason, and the host and the books are as they were", async () => {
    await using bench = made();
    const was = await picture(await bench.open());
    bench.memory.failing = (call) => (call === "bring up a" ? new OpError("failed", "a would not come up", { details: ["last words"], hint: "Look" }) : undefined);
    const error = await failure("failed", bench.apply(DOCUMENT));
    expect(error).toMatchObject({ message: "a would not come up. Everything was taken back", details: ["last words"], hint: "Look" });
    expectSame(was, await picture(await bench.open()));
    expect([bench.disk.journal, bench.disk.checkpoints, bench.disk.current.plugins]).toEqual([undefined, [], {}]);
  });

  test("tells the log what was begun, done, failed, and taken back", async () => {
    await using bench = made();
    bench.memory.failing = (call) => (call === "bring up a" ? new Error("No") : undefined);
    await failure("failed", bench.apply({ a: { value: "x", up: true } }));
    expect(bench.history).toEqual(["plan begun", "action begun", "action done", "action begun", "action failed", "revert begun", "action begun", "action done", "revert done"]);
  });

  test("stops the other plugin's steps, and takes back those that were taken", async () => {
    await using bench = made();
    bench.second.failing = () => new Error("No");
    const document = documentOf({ memory: { items: DOCUMENT }, second: { items: { z: { value: 1 } } } });
    const was = await picture(await bench.open());
    await failure("failed", applyTo(await bench.open(), document));
    expectSame(was, await picture(await bench.open()));
    expect(bench.second.writes).toBe(0);
  });

  test("takes back what a step did before it failed in the middle", async () => {
    await using bench = made();
    bench.memory.put("c", { value: "old" });
    bench.memory.failing = (call) => (call === "set c" ? new Error("No") : undefined);
    await failure("failed", bench.apply({ a: { value: "x" }, c: { value: "x" } }));
    expect(bench.memory.items.get("a")?.value).toBe("old");
  });

  test("takes back what was reported to have changed besides, and what the way back itself brings about", async () => {
    await using bench = made();
    for (const name of ["echoed", "pulled"]) bench.memory.put(name, {});
    bench.memory.put("a", { echo: "echoed" });
    bench.memory.put("d", { up: true, pulls: "pulled" });
    const was = await picture(await bench.open());
    bench.second.failing = () => new Error("No");
    const document = documentOf({ memory: { items: { a: { up: true }, d: { up: false } } }, second: { items: { z: {} } } });
    await failure("failed", applyTo(await bench.open(), document));
    expectSame(was, await picture(await bench.open()));
  });

  test("takes members back that it had put there, and only those", async () => {
    await using bench = made();
    bench.memory.put("a", { members: ["theirs"] });
    bench.memory.failing = (call) => (call === "bring up a" ? new Error("No") : undefined);
    await failure("failed", bench.apply({ a: { members: ["ours"], up: true } }));
    expect(bench.memory.items.get("a")?.members).toEqual(["theirs"]);
  });
});

describe("Engine.apply when the host does not come to show the declared state", () => {
  test("reads again with growing pauses, and takes all back when that was not enough", async () => {
    await using bench = made();
    bench.memory.put("pulled", {});
    bench.memory.put("a", { echo: "pulled" });
    const error = await failure("failed", bench.apply({ a: { up: true }, pulled: { up: false } }));
    expect(error.details).toEqual(["pulled up is true, declared false"]);
    expect(bench.memory.items.get("a")?.up).toBe(false);
  });

  test("waits for what settles slowly", async () => {
    await using bench = made();
    bench.memory.settlesAfterReads = 4;
    await bench.apply({ a: { value: "x" } });
    expect(bench.memory.writes).toBe(1);
  });

  test("takes back what was done before it showed", async () => {
    await using bench = made();
    bench.memory.settlesAfterReads = 4;
    bench.memory.failing = (call) => (call === "bring up a" ? new Error("No") : undefined);
    await failure("failed", bench.apply({ a: { value: "x", up: true } }));
    expect([bench.memory.items.get("a")?.value, bench.memory.writes]).toEqual(["old", 2]);
  });

  test("takes back after a crash what was done before it showed", async () => {
    await using bench = made();
    bench.memory.settlesAfterReads = 4;
    await bench.dying(/before bring up a/, () => bench.apply({ a: { value: "x", up: true } }));
    await bench.recover();
    expect(bench.memory.items.get("a")?.value).toBe("old");
  });
});

describe("Engine.apply when the way back fails too", () => {
  async function stuck(bench: Bench): Promise<OpError> {
    let tries = 0;
    bench.memory.failing = (call) => (call === "bring up a" || (call === "set a" && ++tries > 1) ? new Error("Jammed") : undefined);
    return await failure("unreverted", bench.apply(DOCUMENT));
  }

  test("throws kind unreverted with what is left, having taken back the rest", async () => {
    await using bench = made();
    const error = await stuck(bench);
    expect(error.message).toBe("Jammed. Not everything could be taken back");
    expect(error.details).toContain('Left: a value is "x", declared "old"');
    expect(bench.memory.items.get("b")).toMatchObject({ value: 7, up: true });
    expect(bench.disk.journal).toBeUndefined();
  });

  test("keeps on record what it changed, so that a later rollback ends it", async () => {
    await using bench = made();
    const was = await picture(await bench.open());
    await stuck(bench);
    bench.memory.failing = () => undefined;
    await bench.rollBack();
    expectSame(was, await picture(await bench.open()));
    await failure("refused", bench.apply(DOCUMENT));
  });

  test("does not claim to own what it never came to", async () => {
    await using bench = made();
    bench.memory.failing = (call) => (call === "remove b" ? new Error("No") : undefined);
    bench.memory.put("a", { up: true });
    const jam = { a: { up: false }, b: { state: "absent" }, c: { value: 1 } };
    bench.memory.failing = (call) => (["remove b", "bring up a"].includes(call) ? new Error("No") : undefined);
    await failure("unreverted", bench.apply(jam));
    const { c } = bench.owned;
    expect(c?.keys.map(({ path }) => path.join()) ?? []).toEqual(["state"]);
  });
});

describe("Engine.apply when the host can no longer be read", () => {
  test("throws kind unreverted and leaves the journal: the next start takes it back", async () => {
    await using bench = made();
    const was = await picture(await bench.open());
    bench.memory.failing = (call) => {
      if (call !== "bring up a") return undefined;
      bench.memory.unreadable = new OpError("unavailable", "The bus is gone");
      return new Error("No");
    };
    const error = await failure("unreverted", bench.apply(DOCUMENT));
    expect(error.message).toBe("No. It could not be taken back: The bus is gone");
    await failure("unavailable", bench.recover());
    bench.memory.unreadable = undefined;
    bench.memory.failing = () => undefined;
    expect(await bench.recover()).toMatchObject({ ended: "before-state", booksOnly: false });
    expectSame(was, await picture(await bench.open()));
  });
});

describe("Engine.apply when nothing was begun", () => {
  test.each([/^reserve/, /^journal begin/, /^log plan begun/, /^journal step-begun/, /^log action begun/])("throws kind refused when %s fails, and writes nothing to the host", async (calls) => {
    await using bench = made();
    const mended = bench.failing(calls, diskFull);
    const error = await failure("refused", bench.apply(DOCUMENT));
    expect(error.message).toBe("ENOSPC: no space left on device. Nothing was changed");
    expect([bench.writes(), bench.disk.journal, bench.disk.rejections]).toEqual([0, undefined, []]);
    mended();
    await bench.apply(DOCUMENT);
  });
});
