import { describe, expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import { toJson, type Json } from "../../../src/core/json.ts";
import { commitmentsIn, isSealed } from "../../../src/core/secret.ts";
import { tellingNo } from "../../../src/engine/discretion.ts";
import { documentOf, sourced } from "../../conformance/fixture.ts";
import { Bench, failure } from "./in-memory.ts";

const [OLD, NEW] = ["s3cret-old", "s3cret-new"];

/** The one action on a password that a plan has. */
async function passwordAction(bench: Bench, items: Json) {
  const { steps } = await bench.plan(items);
  const actions = steps.flatMap((step) => step.actions).filter(({ path }) => path?.join() === "password");
  expect(actions).toHaveLength(1);
  return { from: actions[0]?.from, to: actions[0]?.to };
}

describe("a secret in a document", () => {
  test("reaches the host as it is, and every book sealed", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { password: OLD });
    await bench.apply({ a: { password: NEW, keys: [OLD, NEW] } });
    expect(bench.memory.items.get("a")).toMatchObject({ password: NEW, keys: [OLD, NEW] });
    const { current, ownership, checkpoints, entries } = bench.disk;
    for (const book of [current, ownership, checkpoints, entries]) {
      expect(commitmentsIn(toJson(book)).length).toBeGreaterThan(0);
      expect(JSON.stringify(book)).not.toContain("s3cret");
    }
    expect([...bench.disk.secrets.values()].map(({ value }) => value).sort()).toEqual([NEW, NEW, OLD, OLD]);
    await bench.rollBack();
    expect(bench.memory.items.get("a")).toMatchObject({ password: OLD, keys: [] });
  });

  test("is the same document when it is said again, as text or as commitment", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { password: NEW } });
    const { current } = structuredClone(bench.disk);
    const writes = bench.disk.writes;
    const commitment = commitmentsIn(toJson(current))[0] ?? "";
    expect((await bench.apply({ a: { password: NEW } })).changed).toBe(false);
    expect((await bench.apply({ a: { password: { secret: commitment } } })).changed).toBe(false);
    expect([bench.disk.current, bench.disk.writes]).toEqual([current, writes]);
  });

  test("taken over from another key is sealed anew for its own", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { password: NEW } });
    const [commitment = ""] = commitmentsIn(toJson(bench.disk.current));
    await bench.apply({ b: { password: { secret: commitment } } });
    expect(bench.memory.items.get("b")?.password).toBe(NEW);
    expect(commitmentsIn(toJson(bench.disk.current))).not.toContain(commitment);
    expect(await bench.plan({ b: { password: NEW } })).toMatchObject({ steps: [] });
  });

  test("under a commitment that nobody here knows is refused at its place", async () => {
    await using bench = new Bench();
    const error = await failure("invalid", bench.plan({ a: { password: { secret: "0".repeat(64) } } }));
    expect(error.message).toBe("plugins.memory.items.a.password: This host knows no secret of that commitment");
  });

  test("writes nothing by being planned, queried or declined; a kept plan keeps it for the process that applies it", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { password: OLD });
    const engine = await bench.engine();
    const plan = await engine.plan(sourced(documentOf({ memory: { items: { a: { password: NEW } } } })), { plugin: undefined, prune: false });
    await engine.query(undefined);
    await failure("refused", bench.apply({ a: { password: NEW } }, { confirm: () => { throw new OpError("refused", "No"); } }));
    expect(bench.disk.secrets.size).toBe(0);
    await engine.keepSecrets(plan);
    expect([...bench.disk.secrets.values()].map(({ value }) => value).sort()).toEqual([NEW, OLD]);
    const kept = JSON.parse(JSON.stringify({ id: "p", hash: plan.hash, basis: plan.basis, document: plan.document }));
    const applied = await (await bench.engine()).apply({
      source: sourced(kept.document), plugin: undefined, prune: false, force: false, saved: kept,
      observer: {}, recovered: () => undefined, confirm: () => Promise.resolve(),
    });
    expect([applied.changed, bench.memory.items.get("a")?.password]).toEqual([true, NEW]);
  });

  test("that is kept no more cannot be rolled back to: that key stays, and the rest goes back", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { password: OLD, level: 1 });
    await bench.apply({ a: { password: NEW, level: 2 } });
    for (const [commitment, { value }] of bench.disk.secrets) if (value === OLD) bench.disk.secrets.delete(commitment);
    await bench.engine();
    const plan = await bench.rollBack(undefined, { force: true });
    expect(plan?.barred.map(({ message }) => message)).toEqual([expect.stringMatching(/^What the secret [0-9a-f]{64} is to is not kept here any more$/)]);
    expect(bench.memory.items.get("a")).toMatchObject({ password: NEW, level: 1 });
  });
});

describe("a secret on the host", () => {
  test("is shown by query once op-dbus had to do with it, and before that only seen to be there", async () => {
    await using bench = new Bench();
    const { id } = bench.memory.put("a", { password: OLD });
    const item = async () => {
      const { document } = await (await bench.engine()).query("memory");
      return (document.plugins.memory as { items: Record<string, Record<string, Json>> }).items.a ?? {};
    };
    expect(await item()).toMatchObject({ observed: { id, secrets: ["password"] } });
    expect(Object.hasOwn(await item(), "password")).toBe(false);
    await bench.apply({ a: { password: NEW } });
    const { password, observed } = await item();
    expect([isSealed(password), observed]).toEqual([true, { id, restarts: 0 }]);
    expect(JSON.stringify(await item())).not.toContain("s3cret");
  });

  test("that somebody else changed is drift", async () => {
    await using bench = new Bench();
    await bench.apply({ a: { password: NEW } });
    bench.memory.put("a", { password: OLD });
    const { from, to } = await passwordAction(bench, { a: { password: NEW } });
    expect([isSealed(from ?? null), isSealed(to ?? null), JSON.stringify(from) === JSON.stringify(to)]).toEqual([true, true, false]);
  });
});

describe("a secret that its host does not tell", () => {
  test("cannot be declared: nobody could say whether it is there", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { password: OLD, discreet: true });
    const error = await failure("invalid", bench.apply({ a: { password: NEW } }));
    expect(error.message).toContain("There is a secret that this host does not tell");
    expect(bench.memory.items.get("a")?.password).toBe(OLD);
  });

  test("is taken away one-way, as the plan says before", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { password: OLD, discreet: true, level: 1 });
    bench.memory.put("b", { password: OLD, discreet: true });
    const gone: Json = { a: { password: null, level: 2 }, b: { state: "absent" } };
    const steps = (await bench.plan(gone)).steps.map(({ name, oneWay }) => [name, oneWay]);
    expect(steps).toEqual([["remove", "unreadable-secret"], ["set", "unreadable-secret"]]);
    await bench.apply(gone);
    const plan = await bench.rollBack(undefined, { force: true });
    expect(plan?.barred.map(({ resource, path, message }) => [resource, path.join(), message])).toEqual([
      ["b", "password", "What the secret was could not be read before it was taken away"],
      ["a", "password", "What the secret was could not be read before it was taken away"],
    ]);
    expect([bench.memory.items.get("a")?.level, bench.memory.items.get("b")?.password]).toEqual([1, null]);
  });

  test("is left alone where the document does not name it", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { password: OLD, discreet: true });
    await bench.apply({ a: { level: 2 } });
    await bench.rollBack();
    expect(bench.memory.items.get("a")).toMatchObject({ password: OLD, level: null });
  });
});

describe("what a plugin says of a step with secrets", () => {
  test("is told and logged without them, whoever asks for causes", async () => {
    await using bench = new Bench();
    bench.memory.put("a", { password: OLD });
    bench.memory.failing = (call) => (call === "set a" ? new OpError("failed", `'${NEW}' in place of "${OLD}" is weak`, { details: [NEW], hint: `Not ${NEW}`, cause: new Error(NEW) }) : undefined);
    const error = await failure("failed", bench.apply({ a: { password: NEW } }));
    expect(error.message).toBe("'<secret>' in place of \"<secret>\" is weak. Everything was taken back");
    expect(error.details).toEqual(["<secret>"]);
    expect(Bun.inspect(error) + bench.stored()).not.toContain("s3cret");
  });

  test("is passed on as it is where it tells none", () => {
    const error = new Error("No such item", { cause: new Error("ENOENT") });
    expect(tellingNo(["s3cret"]).error(error)).toBe(error);
    expect(tellingNo([]).error("x")).toBe("x");
  });

  test("is rid of every form of them, the longest first", () => {
    const { text, error } = tellingNo(["pass", 'pass"word', ""]);
    expect(text('pass"word pass pass\\"word')).toBe("<secret> <secret> <secret>");
    const told = error(new Error("other", { cause: new Error("pass") })) as OpError;
    const hidden = error(Object.assign(new AggregateError([new Error("pass")], "many"), { said: "pass" })) as OpError;
    expect([hidden.kind, hidden.message]).toEqual(["internal", "many"]);
    expect([told.kind, told.message, told.cause]).toEqual(["internal", "other", undefined]);
  });
});
