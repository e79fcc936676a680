import { describe, expect, test } from "bun:test";
import type { Proof } from "../../../src/core/confirmation.ts";
import { OpError } from "../../../src/core/errors.ts";
import { heldHeader } from "../../../src/engine/hold.ts";
import type { Observer } from "../../../src/engine/host.ts";
import { courseOf } from "../../../src/engine/recovery.ts";
import { Bench, failure } from "./in-memory.ts";

const WITHIN_MS = 60_000;
const HELD = { confirmWithinMs: WITHIN_MS };
const DOCUMENT = { a: { value: "x", up: true } };
const YES: Proof = { proven: true, what: "at the console tty1" };
const NO: Proof = { proven: false, what: "it is an old shell" };

async function held(): Promise<Bench> {
  const bench = new Bench();
  bench.memory.put("a", { value: "old" });
  await bench.apply(DOCUMENT, HELD);
  return bench;
}

async function confirm(bench: Bench, proof = YES, { force = false } = {}) {
  return await (await bench.engine()).confirm({ force, observer: {}, recovered: (report) => void bench.recovered.push(report), prove: () => proof });
}

function outcome(bench: Bench, { observer = {}, probe }: { observer?: Observer; probe?: () => string | undefined } = {}): Promise<void> {
  const header = bench.disk.journal && heldHeader(bench.disk.journal.header);
  if (header === undefined) throw new Error("Nothing waits");
  const made = probe === undefined ? undefined : { name: "tcp:192.0.2.1:22", attempt: async () => probe() };
  return bench.engine().then((engine) => engine.outcome(header, { observer, probe: made }));
}

async function guard(bench: Bench) {
  return await (await bench.engine()).recover({ guard: true, observer: {}, recovered: () => undefined });
}

describe("a held apply", () => {
  test("is on the host, and in no book before it is confirmed", async () => {
    await using bench = await held();
    expect(bench.memory.items.get("a")?.value).toBe("x");
    expect([bench.disk.checkpoints, bench.disk.current.plugins, bench.owned]).toEqual([[], {}, {}]);
    expect(bench.disk.guards).toMatchObject({ boot: true, timer: { boot: "boot 1" } });
    expect(bench.disk.journal?.records.at(-1)).toMatchObject({ record: "waiting" });
    expect(bench.history.slice(-2)).toEqual(["verify done", "confirm begun"]);
    expect(await confirm(bench)).toMatchObject({ header: { kind: "apply" } });
    expect(bench.disk.checkpoints).toHaveLength(1);
    expect([bench.disk.journal, bench.disk.reserved, bench.guarded()]).toEqual([undefined, 0, false]);
    expect(bench.disk.entries.slice(-2)).toMatchObject([{ kind: "confirm", outcome: "done", detail: "by tester, at the console tty1" }, { kind: "commit", outcome: "done" }]);
  });

  test("is guarded before its first write, and begins nothing where there is nobody to guard it", async () => {
    await using bench = new Bench();
    for (const instant of [/arm for the next boot/, /arm for the deadline/]) {
      bench.failing(instant, () => new OpError("refused", "There is no systemd here"));
      const { message } = await failure("refused", bench.apply(DOCUMENT, HELD));
      expect(message).toStartWith("There is no systemd here");
      expect([bench.writes(), bench.disk.journal, bench.guarded()]).toEqual([0, undefined, false]);
    }
  });

  test("is not guarded any more when the host moved while its plan was shown", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old" });
    const confirm = () => {
      bench.memory.put("a", { value: "moved" });
      void bench.clock.sleep(1000);
    };
    expect((await failure("refused", bench.apply(DOCUMENT, { ...HELD, confirm }))).message).toBe("The host changed while the plan was shown");
    expect([bench.disk.journal, bench.guarded()]).toEqual([undefined, false]);
  });

  test("keeps everybody else from changing anything, and says until when and how", async () => {
    await using bench = await held();
    for (const work of [() => bench.apply({ b: { value: "y" } }), () => bench.rollBack("some")]) {
      const { message, hint, retryable } = await failure("refused", work());
      expect(message).toMatch(/^The apply of \S+ \(tester\) waits until \S+ \(\d+(\.\d)? s more\) to be confirmed$/);
      expect([hint, retryable]).toEqual(["op-dbus confirm keeps it, op-dbus rollback takes it back", true]);
      expect(bench.disk.entries.at(-1)).toMatchObject({ kind: "refusal", detail: [message] });
    }
    const engine = await bench.engine();
    await failure("refused", engine.change("adopt", { force: false, observer: {}, recovered: () => undefined }, async () => undefined));
    await failure("refused", engine.recover({ guard: false, observer: {}, recovered: () => undefined }));
    expect(await engine.refusals(await bench.plan({ b: { value: "y" } }), { force: true, held: false })).toEqual([expect.stringContaining("waits until")]);
    expect(bench.memory.items.get("a")?.value).toBe("x");
  });

  test("is kept at once where there was nothing to change", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "x" });
    expect(await bench.apply({ a: { value: "x" } }, HELD)).toMatchObject({ changed: false, waiting: undefined });
    expect([bench.disk.journal, bench.disk.checkpoints.length, bench.guarded()]).toEqual([undefined, 1, false]);
  });

  test("is refused with a step that cannot be taken back, and with --force goes back as far as it can", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { value: "old" });
    const burning = { a: { fuse: "burnt", value: "x" } };
    expect((await failure("refused", bench.apply(burning, HELD))).message).toContain("cannot be taken back, so it cannot wait to be confirmed. It needs --force");
    await bench.dying(/after burn a/, () => bench.apply(burning, { ...HELD, force: true }));
    await failure("unreverted", bench.recover());
    expect([bench.memory.items.get("a")?.value, bench.guarded()]).toEqual(["old", false]);
  });

  test("that takes all its time is taken back by itself", async () => {
    await using bench = new Bench();
    bench.plugins = bench.plugins.map((plugin) => ({ ...plugin, apply: async (step, progress) => (await bench.clock.sleep(WITHIN_MS), await plugin.apply(step, progress)) }));
    const { message } = await failure("failed", bench.apply(DOCUMENT, HELD));
    expect(message).toBe("It was not done within the 60 s in which it was to be confirmed. Everything was taken back");
    expect([bench.disk.journal, bench.guarded()]).toEqual([undefined, false]);
  });
});

describe("confirm", () => {
  test("that proves nothing is refused and logged, and with --here is logged as that", async () => {
    await using bench = await held();
    const { message } = await failure("refused", confirm(bench, NO));
    expect(message).toBe("That does not show that the host can still be reached: it is an old shell");
    expect(bench.disk.entries.at(-1)).toMatchObject({ kind: "refusal", operation: "confirm", detail: [message] });
    await confirm(bench, NO, { force: true });
    expect(bench.disk.entries.at(-2)).toMatchObject({ kind: "confirm", outcome: "done", detail: "by tester, with --here: it is an old shell" });
  });

  test("is refused where nothing waits, and where it comes too late: then the change is taken back", async () => {
    await using bench = await held();
    await bench.clock.sleep(WITHIN_MS);
    expect((await failure("refused", confirm(bench))).message).toBe("Nothing waits to be confirmed");
    expect(bench.recovered).toMatchObject([{ interrupted: false, ended: "before-state", why: "it was not confirmed within 60 s" }]);
    expect(bench.memory.items.get("a")?.value).toBe("old");
    expect(bench.disk.rejections).toMatchObject([{ why: "it was not confirmed within 60 s" }]);
    await failure("refused", confirm(bench));
  });

  test("of what a process died in after the commit point is told by the next start", async () => {
    await using bench = await held();
    await bench.dying(/after journal committing/, () => confirm(bench));
    expect(await bench.recover()).toMatchObject({ ended: "desired state", booksOnly: true });
    expect(bench.disk.entries.filter(({ kind }) => kind === "confirm").at(-1)).toMatchObject({ outcome: "done", detail: "by tester, at the console tty1" });
    expect(bench.guarded()).toBe(false);
  });
});

describe("the way back of what waits", () => {
  test("rollback takes it at once, and nothing else", async () => {
    await using bench = new Bench();
    await bench.apply({ b: { value: "kept" } });
    await bench.apply(DOCUMENT, HELD);
    expect(await bench.rollBack()).toBeUndefined();
    expect(bench.recovered).toMatchObject([{ interrupted: false, why: "it was rolled back by tester before it was confirmed" }]);
    expect([bench.memory.items.get("b")?.value, bench.memory.items.get("a")?.value ?? null]).toEqual(["kept", null]);
    expect((await failure("refused", bench.apply(DOCUMENT))).message).toContain("it was rolled back by tester before it was confirmed");
  });

  test("goes on after a crash, for the same reason", async () => {
    await using bench = await held();
    await bench.dying(/after journal reverting/, () => bench.rollBack());
    await bench.lapse("reboot");
    expect(bench.disk.rejections).toMatchObject([{ why: "it was rolled back by tester before it was confirmed" }]);
    expect([bench.memory.items.get("a")?.value, bench.guarded()]).toEqual(["old", false]);
  });

  test("has its room in the log while it waits", async () => {
    await using bench = await held();
    expect(bench.disk.reserved).toBeGreaterThan(0);
    bench.disk.logRoom = 0;
    await bench.lapse("deadline");
    expect([bench.memory.items.get("a")?.value, bench.history.at(-1)]).toEqual(["old", "recovery done"]);
  });

  test("keeps its guards while the host cannot be read, and is tried again", async () => {
    await using bench = await held();
    bench.memory.unreadable = new OpError("unavailable", "The bus is gone");
    await failure("unavailable", bench.rollBack());
    expect(bench.guarded()).toBe(true);
    bench.memory.unreadable = undefined;
    await bench.lapse("deadline");
    expect([bench.memory.items.get("a")?.value, bench.guarded()]).toEqual(["old", false]);
  });
});

describe("a held rollback", () => {
  async function rolledBack(): Promise<Bench> {
    const bench = new Bench();
    bench.memory.put("a", { value: "old" });
    await bench.apply(DOCUMENT);
    await bench.rollBack(undefined, HELD);
    return bench;
  }

  test("is kept when it is confirmed", async () => {
    await using bench = await rolledBack();
    expect([bench.memory.items.get("a")?.value, bench.disk.rejections, bench.guarded()]).toEqual(["old", [], true]);
    const over = outcome(bench);
    await confirm(bench);
    await over;
    expect(bench.disk.rejections).toMatchObject([{ why: "it was rolled back" }]);
    expect([bench.disk.journal, bench.guarded(), bench.history.at(-1)]).toEqual([undefined, false, "rollback done"]);
  });

  test("is taken back otherwise, and the apply is in force as it was", async () => {
    await using bench = await rolledBack();
    const current = bench.disk.current;
    expect((await failure("failed", outcome(bench))).message).toBe("The rollback was not kept, since it was not confirmed. Everything is as it was before it");
    expect([bench.memory.items.get("a")?.value, bench.disk.rejections, bench.disk.current]).toEqual(["x", [], current]);
    await bench.rollBack();
    expect(bench.memory.items.get("a")?.value).toBe("old");
  });
});

describe("outcome", () => {
  test("returns when it was confirmed by somebody", async () => {
    await using bench = await held();
    const waiting = (leftMs: number) => void (leftMs < WITHIN_MS - 1000 && bench.disk.journal !== undefined && (confirmed ??= confirm(bench)));
    let confirmed: Promise<unknown> | undefined;
    await outcome(bench, { observer: { waiting } });
    await confirmed;
    expect(bench.disk.checkpoints).toHaveLength(1);
  });

  test("fails when it was taken back, with the reason", async () => {
    await using bench = await held();
    const waiting = (leftMs: number) => void (leftMs === 0 && (guarded ??= guard(bench)));
    let guarded: Promise<unknown> | undefined;
    const { message } = await failure("failed", outcome(bench, { observer: { waiting } }));
    await guarded;
    expect(message).toBe("The apply was not kept: it was not confirmed within 60 s. Everything was taken back");
  });

  test("takes it back itself where those do not whose task it is", async () => {
    await using bench = await held();
    await failure("failed", outcome(bench));
    expect([bench.memory.items.get("a")?.value, bench.disk.journal]).toEqual(["old", undefined]);
  });

  test("takes it back when the one who waits gives up", async () => {
    await using bench = await held();
    const waiting = () => {
      throw new OpError("refused", "Interrupted by SIGINT");
    };
    const told: string[] = [];
    const { message } = await failure("failed", outcome(bench, { observer: { waiting, reverting: (why) => void told.push(why) } }));
    expect([message, told]).toEqual(["The apply was not kept: Interrupted by SIGINT. Everything was taken back", ["Interrupted by SIGINT"]]);
  });

  test("confirms when the probe succeeds, and says until then why it does not", async () => {
    await using bench = await held();
    const answers = ["no answer within 2 s", undefined];
    const probed: (string | undefined)[] = [];
    await outcome(bench, { probe: () => answers.shift(), observer: { waiting: (_, said) => void probed.push(said) } });
    expect(probed).toEqual([undefined, "no answer within 2 s"]);
    expect(bench.disk.entries.at(-2)).toMatchObject({ kind: "confirm", outcome: "done", detail: "by the probe tcp:192.0.2.1:22" });
  });

  test("says when not everything could be taken back", async () => {
    await using bench = await held();
    bench.memory.failing = (call) => (call === "set a" ? new Error("No") : undefined);
    const waiting = (leftMs: number) => void (leftMs === 0 && (guarded ??= failure("unreverted", guard(bench))));
    let guarded: Promise<unknown> | undefined;
    expect((await failure("unreverted", outcome(bench, { observer: { waiting } }))).hint).toBe("op-dbus rollback tries again");
    await guarded;
  });
});

describe("courseOf", () => {
  test("waits in its boot before its deadline, and goes back otherwise", async () => {
    await using bench = await held();
    const { header, records } = bench.disk.journal ?? {};
    if (header?.hold === undefined || records === undefined) throw new Error("Nothing waits");
    const { boot, ms } = header.hold.deadline;
    const course = (at: { boot: string; ms: number }) => courseOf({ header, records }, at);
    expect(course({ boot, ms: ms - 1 }).go).toBe("wait");
    expect(course({ boot, ms })).toMatchObject({ go: "back", why: "it was not confirmed within 60 s" });
    expect(course({ boot: "another", ms: 0 })).toMatchObject({ go: "back", why: "the host was started anew before it was confirmed" });
  });
});
