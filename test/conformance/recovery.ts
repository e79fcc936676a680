import { describe, test } from "bun:test";
import { equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import type { StateDocument } from "../../src/core/document.ts";
import type { AuditEntry } from "../../src/core/ports.ts";
import { applyIfPossible, rollBack, type Fixture, type Subject } from "./fixture.ts";
import { onHosts } from "./laws.ts";
import { differences, expectSame, picture, type Picture } from "./picture.ts";

export type Change =
  | { readonly do: "apply"; readonly document: StateDocument }
  /** To apply, and leave it waiting to be confirmed. */
  | { readonly do: "hold"; readonly document: StateDocument }
  | { readonly do: "confirm" }
  | { readonly do: "roll back" }
  | { readonly do: "recover" };

/** A host on which a process can be made to die. How (a call that throws, kill -9) is the fixture's own. */
export interface MortalFixture<Edit> extends Fixture<Edit> {
  /**
   * Makes the change (by force, as a user would repeat it) in a process of its own that dies at its n-th instant, counted
   * from 1. False: it came to its end before. To recover is to start and end what is open, nothing else.
   */
  run(change: Change, instant: number): Promise<boolean>;
}

export interface MortalSubject<Edit = never> extends Subject<Edit> {
  make(): Promise<MortalFixture<Edit>>;
  /** Possible on a new host, with several steps: to be killed at every instant of it and of its recovery. A long walk. */
  readonly rich?: StateDocument;
}

export type RecoveryLaw = <Edit>(subject: MortalSubject<Edit>) => Promise<void>;

const overApply: RecoveryLaw = (subject) =>
  onHosts(subject, async (fixture, [document]) => {
    const ends = await endsOf(fixture, document);
    fc.pre(ends !== undefined);
    await walk(fixture, document, ends);
  });

const overRollback: RecoveryLaw = (subject) =>
  onHosts(subject, async (fixture, [document]) => {
    const ends = await endsOf(fixture, document);
    fc.pre(ends !== undefined);
    await walkRollback(fixture, document, ends);
  });

export const recovery = {
  "at every instant of an apply: ends as it was or as declared": overApply,
  "at every instant of a rollback: ends as it was or as before the apply": overRollback,
} as const satisfies Record<string, RecoveryLaw>;

/** Runs a plugin through recovery: killed at any instant, the next start ends in the before-state or the desired state. */
export function recoveryFor<Edit>(subject: MortalSubject<Edit>): void {
  const { rich, oneWay, timeoutMs = 120_000 } = subject;
  describe(`${subject.name}, killed`, () => {
    for (const [name, law] of Object.entries(recovery)) test(name, () => law(subject), timeoutMs);
    const again = "at every instant of an apply, and again at every instant of its recovery";
    if (rich === undefined) test.skip(`${again} (it has no document for so long a walk)`, () => undefined);
    else test(again, () => onRich(subject, rich), timeoutMs);
    test.each([...oneWay])("at every instant of an apply that cannot be taken back (%#)", (document) => overOneWay(subject, document), timeoutMs);
  });
}

interface Ends {
  readonly before: Picture;
  readonly after: Picture;
}

/** What the host is without and with the document, or undefined where the document changes nothing. Leaves the host as it was. */
export async function endsOf<Edit>(fixture: Fixture<Edit>, document: StateDocument): Promise<Ends | undefined> {
  const host = await fixture.open();
  const before = await picture(host);
  const applied = await applyIfPossible(host, document);
  if (applied?.checkpoint === undefined) return undefined;
  const after = await picture(host);
  await rollBack(await fixture.open());
  return differences(before, await picture(host)).length > 0 || differences(before, after).length === 0 ? undefined : { before, after };
}

async function walk<Edit>(fixture: MortalFixture<Edit>, document: StateDocument, ends: Ends): Promise<void> {
  const seen = new Set<string>();
  for (let instant = 1; await fixture.run({ do: "apply", document }, instant); instant += 1) {
    await recover(fixture);
    const end = await endReached(fixture, ends);
    seen.add(end);
    if (end === "after") await rollBack(await fixture.open());
  }
  equal(await endReached(fixture, ends), "after");
  ok(seen.has("before") && seen.has("after"), "The commit point was never passed, or always");
}

async function walkRollback<Edit>(fixture: MortalFixture<Edit>, document: StateDocument, { before, after }: Ends): Promise<void> {
  await fixture.run({ do: "apply", document }, Number.POSITIVE_INFINITY);
  for (let instant = 1; await fixture.run({ do: "roll back" }, instant); instant += 1) {
    await recover(fixture);
    if ((await endReached(fixture, { before, after })) === "before") await fixture.run({ do: "apply", document }, Number.POSITIVE_INFINITY);
  }
  equal(await endReached(fixture, { before, after }), "before");
}

async function onRich<Edit>(subject: MortalSubject<Edit>, document: StateDocument): Promise<void> {
  for (let instant = 1; ; instant += 1) {
    await using fixture = await subject.make();
    const ends = await endsOf(fixture, document);
    if (ends === undefined) throw new Error("The rich document is not possible, or changes nothing");
    for (let again = 1; ; again += 1) {
      if (!(await fixture.run({ do: "apply", document }, instant))) return;
      const died = await fixture.run({ do: "recover" }, again);
      await recover(fixture);
      if ((await endReached(fixture, ends)) === "after") await rollBack(await fixture.open());
      if (!died) break;
    }
  }
}

/** Each time on a new host: past the step there is no way back. */
async function overOneWay<Edit>(subject: MortalSubject<Edit>, document: StateDocument): Promise<void> {
  const after = await afterOneWay(subject, document);
  const seen: string[] = [];
  for (let instant = 1; ; instant += 1) {
    await using fixture = await subject.make();
    const before = await picture(await fixture.open());
    if (!(await fixture.run({ do: "apply", document }, instant))) break;
    await recover(fixture);
    seen.push(await endReached(fixture, { before, after }));
  }
  const turn = seen.indexOf("after");
  ok(turn > 0 && !seen.slice(turn).includes("before"), `Recovery turned back after it had gone forward: ${seen.join(" ")}`);
}

async function afterOneWay<Edit>(subject: MortalSubject<Edit>, document: StateDocument): Promise<Picture> {
  await using fixture = await subject.make();
  await fixture.run({ do: "apply", document }, Number.POSITIVE_INFINITY);
  return await picture(await fixture.open());
}

async function recover<Edit>(fixture: MortalFixture<Edit>): Promise<void> {
  equal(await fixture.run({ do: "recover" }, Number.POSITIVE_INFINITY), false);
}

/** Exactly one of the two, with nothing left open and the log saying the same. */
export async function endReached<Edit>(fixture: Fixture<Edit>, { before, after }: Ends): Promise<"before" | "after"> {
  const host = await fixture.open();
  equal(host.journal.pending(), undefined, "The journal is still open");
  const is = await picture(host);
  const end = differences(before, is).length === 0 ? "before" : "after";
  if (end === "after") expectSame(after, is);
  const said = endByLog([...host.audit.entries()]);
  if (said !== undefined) equal(said, end, "The log says otherwise");
  return end;
}

/** Where the latest transaction ended, as the log tells it. */
function endByLog(entries: readonly AuditEntry[]): "before" | "after" | undefined {
  const latest = entries.findLast(({ transaction }) => transaction !== undefined)?.transaction;
  const told = entries.filter(({ transaction }) => transaction === latest);
  const isRollback = told.some(({ kind, operation }) => ["plan", "recovery"].includes(kind) && operation === "rollback");
  const last = told.findLast(({ kind, outcome }) => outcome === "done" && ["commit", "rollback", "revert", "recovery"].includes(kind));
  if (last === undefined) return undefined;
  const arrived = last.kind === "recovery" ? last.detail === "desired state" : last.kind !== "revert";
  return arrived === isRollback ? "before" : "after";
}
