import { describe, test } from "bun:test";
import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import { parseDocument, type StateDocument } from "../../src/core/document.ts";
import type { Plan } from "../../src/core/plan.ts";
import type { Plugin } from "../../src/core/plugin.ts";
import { keyName, leavesOf } from "../../src/core/resource.ts";
import { Engine } from "../../src/engine/engine.ts";
import { pluginOf, type Host } from "../../src/engine/host.ts";
import { applyIfPossible, applyTo, documentOf, isPossible, planFor, rollBack, sourced, type Fixture, type Subject } from "./fixture.ts";
import { expectSame, keyOf, keysOf, picture, toldBesides, type Picture } from "./picture.ts";

/** One law of DESIGN.md, The flow. It throws, with the seed of the case, where the subject breaks it. */
export type Law = <Edit>(subject: Subject<Edit>) => Promise<void>;

const roundTrip: Law = (subject) =>
  onHosts(subject, async (fixture, [document]) => {
    const host = await fixture.open();
    await applyIfPossible(host, document);
    const { document: queried } = await new Engine(host).query(undefined);
    const text = JSON.stringify(queried);
    const { document: parsed } = parseDocument({ name: "query", text, format: "json" }, host.plugins);
    deepEqual((await planFor(host, parsed)).steps, [], "What query prints is a difference");
  });

const idempotence: Law = (subject) =>
  onHosts(subject, async (fixture, [document]) => {
    const host = await fixture.open();
    fc.pre((await applyIfPossible(host, document)) !== undefined);
    deepEqual((await planFor(host, document)).steps, [], "There is a difference after an apply");
    const [writes, entries] = [fixture.writes(), host.audit.size()];
    const { changed } = await applyTo(await fixture.open(), document);
    deepEqual([changed, fixture.writes(), host.audit.size()], [false, writes, entries], "The second apply wrote something");
  });

const reversal: Law = (subject) =>
  onHosts(subject, async (fixture, documents) => {
    const host = await fixture.open();
    const before = await applyAll(fixture, documents);
    const besides = new Set<string>();
    for (const was of before.toReversed()) {
      // What an earlier rollback brought about besides looks like somebody else's doing to the next.
      const plan = await rollBack(await fixture.open(), undefined, { force: besides.size > 0 });
      for (const key of toldBesides(plan.found.steps, host)) besides.add(key);
      expectSame(was, await picture(host), besides);
    }
  });

const reversalToCheckpoint: Law = (subject) =>
  onHosts(subject, async (fixture, documents) => {
    const host = await fixture.open();
    for (const [index] of documents.entries()) {
      const known = host.ledger.checkpoints().length;
      const before = await applyAll(fixture, documents, { force: true });
      const made = host.ledger.checkpoints().slice(known);
      equal(made.length, before.length, "An apply made no checkpoint");
      const [target, was] = [made[index], before[index]];
      if (target === undefined || was === undefined) return;
      const plan = await rollBack(await fixture.open(), target.name);
      expectSame(was, await picture(host), toldBesides(plan.found.steps, host));
      const [first] = made;
      if (index > 0 && first !== undefined) await rollBack(await fixture.open(), first.name, { force: true });
    }
  });

const purity: Law = (subject) =>
  onHosts(subject, async (fixture, documents) => {
    const host = await fixture.open();
    await applyAll(fixture, documents.slice(1));
    const [document] = documents;
    fc.pre(await isPossible(host, document));
    const [writes, entries, was] = [fixture.writes(), host.audit.size(), await picture(host)];
    const engine = new Engine(host);
    await engine.refusals(await planFor(host, document), { force: false, held: false });
    await planFor(host, document, { prune: true });
    await engine.query(undefined);
    if ((await planFor(host, document)).steps.length > 0) await declined(host, document);
    deepEqual([fixture.writes(), host.audit.size()], [writes, entries], "Something was written");
    expectSame(was, await picture(host));
  });

const restraint: Law = (subject) =>
  onHosts(subject, async (fixture, [document]) => {
    const host = await fixture.open();
    const was = await picture(host);
    const applied = await applyIfPossible(host, document);
    fc.pre(applied !== undefined);
    const changes = host.ledger.checkpoints().find(({ name }) => name === applied.checkpoint)?.applied?.changes ?? {};
    const is = await picture(host);
    const touched = withWholes(new Set([...namedKeys(document, host.plugins, subject), ...keysOf(changes)]), [...was.keys(), ...is.keys()]);
    expectSame(was, is, new Set([...touched, ...[...touched].map((key) => `owned ${key}`)]));
    for (const [key, members] of foreignMembers(was, host.plugins)) {
      const now = is.get(key);
      const lost = Array.isArray(now) ? members.filter((member) => !now.includes(member) && subject.claims?.(document, key, member) !== true) : [];
      deepEqual(lost, [], `Foreign members of ${key} are gone`);
    }
  });

const prune: Law = (subject) =>
  onHosts(subject, async (fixture, documents) => {
    const host = await fixture.open();
    const was = await picture(host);
    const before = await applyAll(fixture, documents);
    if (before.length === 0) return;
    const last = host.ledger.current();
    await applyTo(host, last, { prune: true });
    deepEqual((await planFor(host, last)).steps, [], "What is declared was pruned");
    const bare = documentOf(Object.fromEntries(host.plugins.map((plugin) => [plugin.name, plugin.section({})])));
    const kept = await picture(host);
    await applyTo(host, bare);
    expectSame(kept, await picture(host));
    const { plan } = await applyTo(host, bare, { prune: true });
    const brought = toldBesides(plan.steps, host);
    const left = (await planFor(host, bare)).strays;
    const besides = [...brought, ...notReturned(left, plan)];
    expectSame(was, await picture(host), new Set([...besides, ...besides.map((key) => `owned ${key}`)]));
  });

/** What a prune left: each key that it was to return, and of which a note says that it was not. */
function notReturned(left: Plan["strays"], { notes }: Plan): string[] {
  return Object.entries(left).flatMap(([plugin, strays]) =>
    strays.flatMap(({ resource, key }) => {
      const told = notes.some((note) => note.resource === resource && note.message.startsWith(`${resource} ${keyName(key.path)} is not returned`));
      return told ? [keyOf(plugin, resource, key.path)] : [];
    }),
  );
}

const oneWaySteps: Law = (subject) =>
  onHosts({ ...subject, documents: fc.oneof(subject.documents, ...subject.oneWay.map((each) => fc.constant(each))) }, async (fixture, [document]) => {
    const host = await fixture.open();
    fc.pre(await isPossible(host, document));
    for (const { plugin, oneWay } of (await planFor(host, document)).steps) {
      if (oneWay === undefined) continue;
      const listed = Object.hasOwn(pluginOf(host.plugins, plugin).oneWay, oneWay);
      equal(listed, true, `'${oneWay}' is not among the one-way steps of '${plugin}'`);
    }
  });

async function readme<Edit>(subject: Subject<Edit>): Promise<void> {
  await using fixture = await subject.make();
  for (const { name, oneWay } of (await fixture.open()).plugins) {
    const text = await Bun.file(subject.readmes[name] ?? "").text();
    const section = /^#+ One-way steps$([^#]*)/m.exec(text)?.[1] ?? "";
    const listed = [...section.matchAll(/^- `([^`]+)`/gm)].map((match) => match[1] ?? "");
    deepEqual(listed.sort(), Object.keys(oneWay).sort(), `The one-way steps of '${name}' and of its README differ`);
  }
}

/** Every law but recovery, which `recovery.ts` has. */
export const LAWS = {
  "round trip: what query prints is a valid document, and planning it gives no action": roundTrip,
  "idempotence: a second apply writes nothing, on the wire or in the books": idempotence,
  "reversal: applies rolled back one by one leave query and ownership as they were": reversal,
  "reversal: a rollback to each listed checkpoint leaves query and ownership as they were then": reversalToCheckpoint,
  "purity: plan, query and a declined apply write nothing": purity,
  "restraint: what a document does not name is left alone": restraint,
  "restraint: what is no longer declared stays until --prune returns it to what it was": prune,
  "one-way: a step that cannot be taken back is of a listed kind": oneWaySteps,
  "one-way: the README lists exactly the one-way kinds": readme,
} as const satisfies Record<string, Law>;

/** Runs a plugin through all the laws. */
export function lawsFor<Edit>(subject: Subject<Edit>): void {
  describe(subject.name, () => {
    for (const [name, law] of Object.entries(LAWS)) test(name, () => law(subject), subject.timeoutMs ?? 60_000);
  });
}

type Case = [StateDocument, ...StateDocument[]];

/** Tries `check` on new hosts that others have changed first, with one to three documents. */
export function onHosts<Edit, F extends Fixture<Edit>>(
  subject: Omit<Subject<Edit>, "make"> & { make(): Promise<F> },
  check: (fixture: F, documents: Case) => Promise<void>,
): Promise<void> {
  const edits = subject.edits === undefined ? fc.constant<Edit[]>([]) : fc.array(subject.edits, { maxLength: 6 });
  const documents = fc.array(subject.documents, { minLength: 1, maxLength: 3 });
  const property = fc.asyncProperty(edits, documents, async (made, [first, ...others]) => {
    await using fixture = await subject.make();
    for (const edit of made) await fixture.edit(edit);
    if (first !== undefined) await check(fixture, [first, ...others]);
  });
  return fc.assert(property, { numRuns: subject.runs, ...(subject.seed === undefined ? {} : { seed: subject.seed }) });
}

/** Applies those of the documents that the host can be brought to and that change it. Returns what the host was before each. */
async function applyAll<Edit>(fixture: Fixture<Edit>, documents: readonly StateDocument[], { force = false } = {}): Promise<Picture[]> {
  const before: Picture[] = [];
  for (const document of documents) {
    const host = await fixture.open();
    const was = await picture(host);
    const applied = await applyIfPossible(host, document, { force });
    if (applied?.checkpoint !== undefined) before.push(was);
  }
  return before;
}

async function declined(host: Host, document: StateDocument): Promise<void> {
  const no = new Error("No, thank you");
  const confirm = () => Promise.reject(no);
  const request = { plugin: undefined, prune: false, force: true, saved: undefined, observer: {}, recovered: () => undefined, confirm };
  const reason = await new Engine(host).apply({ ...request, source: sourced(document) }).catch((error: unknown) => error);
  equal(reason, no, "An apply went on without consent");
}

/** With what they hide. */
function namedKeys<Edit>(document: StateDocument, plugins: readonly Plugin[], { hides }: Subject<Edit>): string[] {
  return Object.entries(document.plugins).flatMap(([name, section]) =>
    Object.entries(pluginOf(plugins, name).resources(section)).flatMap(([resource, state]) =>
      leavesOf(state).flatMap(({ path }) => [path, ...(hides?.(path) ?? [])].map((each) => keyOf(name, resource, each))),
    ),
  );
}

/** A resource that came or went did so with all its keys. */
function withWholes(touched: ReadonlySet<string>, all: readonly string[]): Set<string> {
  const wholes = [...touched].filter((key) => key.endsWith(" state")).map((key) => key.slice(0, -"state".length));
  return new Set([...touched, ...all.filter((key) => wholes.some((whole) => key.startsWith(whole)))]);
}

function foreignMembers(was: Picture, plugins: readonly Plugin[]): [string, readonly unknown[]][] {
  return [...was].flatMap(([key, value]) => {
    const lists = plugins.find(({ name }) => key.startsWith(`${name}:`))?.lists ?? {};
    const last = key.split(/[ .]/).at(-1) ?? "";
    return lists[last] === "members" && Array.isArray(value) && !key.startsWith("owned ") ? [[key, value]] : [];
  });
}
