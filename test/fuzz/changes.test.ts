import { test } from "bun:test";
import { equal } from "node:assert/strict";
import * as fc from "fast-check";
import { parseDocument, type StateDocument } from "../../src/core/document.ts";
import { OpError } from "../../src/core/errors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { applyIfPossible, applyTo, isPossible, planFor, rollBack } from "../conformance/fixture.ts";
import { documents, edits, unforeseeable, type Edit } from "../conformance/memory-documents.ts";
import { MemoryWorld } from "../conformance/memory-subject.ts";
import { differences, expectSame, keyOf, picture, toldBesides, type Picture } from "../conformance/picture.ts";

/** What is known of a host besides what it says itself: how it was before each apply in force, and whether others meddled since. */
interface Model {
  applies: { readonly before: Picture; meddled: boolean }[];
}

type Command = fc.AsyncCommand<Model, MemoryWorld>;

/** Holds after every command. */
async function checkHost(world: MemoryWorld): Promise<void> {
  const host = await world.open();
  equal(host.journal.pending(), undefined, "The journal is still open");
  const { document } = await new Engine(host).query(undefined);
  parseDocument({ name: "query", text: JSON.stringify(document), format: "json" }, host.plugins);
  const applied = host.ledger.checkpoints().map(({ sequence }) => sequence);
  equal(applied.join(), applied.map((_, index) => index + 1).join(), "Checkpoints are out of order");
}

class Apply implements Command {
  readonly document: StateDocument;
  readonly prune: boolean;

  constructor(document: StateDocument, prune: boolean) {
    this.document = document;
    this.prune = prune;
  }

  check = () => true;

  async run(model: Model, world: MemoryWorld): Promise<void> {
    const host = await world.open();
    const before = await picture(host);
    if (this.prune && !(await isPrunable(world, this.document))) return;
    const applied = await applyIfPossible(host, this.document, { force: true, prune: this.prune });
    if (applied === undefined) return expectSame(before, await picture(host));
    equal((await planFor(host, this.document)).steps.length, 0, "There is a difference after an apply");
    if (applied.checkpoint !== undefined) model.applies.push({ before, meddled: false });
    await checkHost(world);
  }

  toString = () => `apply${this.prune ? " --prune" : ""} ${JSON.stringify(this.document.plugins)}`;
}

class KilledApply implements Command {
  readonly document: StateDocument;
  readonly instant: number;

  constructor(document: StateDocument, instant: number) {
    this.document = document;
    this.instant = instant;
  }

  check = () => true;

  async run(model: Model, world: MemoryWorld): Promise<void> {
    if (!(await isPossible(await world.open(), this.document))) return;
    const before = await picture(await world.open());
    const known = world.disk.checkpoints.length;
    const died = await world.run({ do: "apply", document: this.document }, this.instant).catch(failedOnly);
    await world.run({ do: "recover" }, Number.POSITIVE_INFINITY);
    const committed = world.disk.checkpoints.length > known;
    if (committed) model.applies.push({ before, meddled: false });
    else if (died) expectSame(before, await picture(await world.open()));
    if (committed) equal((await planFor(await world.open(), this.document)).steps.length, 0, "It ended in between");
    await checkHost(world);
  }

  toString = () => `apply, killed at ${this.instant}: ${JSON.stringify(this.document.plugins)}`;
}

class FailingApply implements Command {
  readonly document: StateDocument;
  readonly write: number;

  constructor(document: StateDocument, write: number) {
    this.document = document;
    this.write = write;
  }

  check = () => true;

  async run(model: Model, world: MemoryWorld): Promise<void> {
    const host = await world.open();
    if (!(await isPossible(host, this.document))) return;
    const before = await picture(host);
    let left = this.write;
    world.memory.failing = () => (--left === 0 ? new Error("Failed") : undefined);
    const applied = await applyTo(host, this.document, { force: true }).catch(failedOnly);
    world.memory.failing = () => undefined;
    if (applied === false) expectSame(before, await picture(host));
    else if (applied.checkpoint !== undefined) model.applies.push({ before, meddled: false });
    await checkHost(world);
  }

  toString = () => `apply, failing at write ${this.write}: ${JSON.stringify(this.document.plugins)}`;
}

class RollBack implements Command {
  readonly applies: number;

  constructor(applies: number) {
    this.applies = applies;
  }

  check = ({ applies }: Readonly<Model>) => applies.length >= this.applies;

  async run(model: Model, world: MemoryWorld): Promise<void> {
    const host = await world.open();
    const inForce = host.ledger.checkpoints().filter(({ applied }) => applied !== undefined && applied.undone === undefined);
    equal(inForce.length, model.applies.length);
    const was = await picture(host);
    const plan = await rollBack(host, inForce.at(-this.applies)?.name, { force: true }).catch(failedOnly);
    const is = await picture(host);
    if (typeof plan === "boolean") return expectSame(was, is);
    const undone = model.applies.splice(-this.applies);
    const barred = plan.barred.map(({ plugin, resource, path }) => keyOf(plugin, resource, path));
    const besides = new Set([...toldBesides(plan.found.steps, host), ...barred]);
    if (besides.size > 0) for (const apply of model.applies) apply.meddled = true;
    // What others did in between stays, or is told, and so does what a one-way step did; but for that everything is exactly as it was.
    if (undone.every(({ meddled }) => !meddled) && undone[0] !== undefined) expectSame(undone[0].before, is, besides);
    await checkHost(world);
  }

  toString = () => `roll back ${this.applies}`;
}

class Meddle implements Command {
  readonly edit: Edit;

  constructor(edit: Edit) {
    this.edit = edit;
  }

  check = () => true;

  async run(model: Model, world: MemoryWorld): Promise<void> {
    const was = await picture(await world.open());
    await world.edit(this.edit);
    if (differences(was, await picture(await world.open())).length === 0) return;
    for (const apply of model.applies) apply.meddled = true;
  }

  toString = () => `meddle ${JSON.stringify(this.edit)}`;
}

async function isPrunable(world: MemoryWorld, document: StateDocument): Promise<boolean> {
  return await planFor(await world.open(), document, { prune: true }).then(() => true, failedOnly);
}

/** Documents may contradict themselves, which is found out by verifying; and what was burnt cannot be made whole. */
function failedOnly(error: unknown): false {
  if (error instanceof OpError && ["failed", "invalid"].includes(error.kind)) return false;
  throw error;
}

test("Engine: any sequence of applies, kills, rollbacks and foreign changes keeps to the laws", async () => {
  const commands = fc.commands(
    [
      fc.tuple(documents, fc.boolean()).map(([document, prune]) => new Apply(document, prune)),
      fc.tuple(documents, fc.integer({ min: 1, max: 60 })).map(([document, instant]) => new KilledApply(document, instant)),
      fc.tuple(documents, fc.integer({ min: 1, max: 4 })).map(([document, write]) => new FailingApply(document, write)),
      fc.integer({ min: 1, max: 3 }).map((applies) => new RollBack(applies)),
      edits.map((edit) => new Meddle(edit)),
    ],
    { maxCommands: 25, size: "max" },
  );
  const property = fc.asyncProperty(commands, (each) => fc.asyncModelRun(() => ({ model: { applies: [] }, real: new MemoryWorld() }), each));
  await fc.assert(property, { numRuns: 200 });
}, 120_000);

test("Engine.apply: one that fails leaves everything as it was, also what no plan could foresee", async () => {
  const property = fc.asyncProperty(fc.array(edits, { maxLength: 6 }), fc.array(unforeseeable, { minLength: 1, maxLength: 3 }), async (made, each) => {
    const world = new MemoryWorld();
    for (const edit of made) await world.edit(edit);
    for (const document of each) await applyIfPossible(await world.open(), document, { force: true });
  });
  await fc.assert(property, { numRuns: 500 });
}, 120_000);
