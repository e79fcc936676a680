import { describe, test } from "bun:test";
import { equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import { onHosts } from "./laws.ts";
import { expectSame, picture } from "./picture.ts";
import { endReached, endsOf, type MortalFixture, type MortalSubject } from "./recovery.ts";

/** How a change that waits comes to its end when nobody does anything about it. */
export type Lapse = "deadline" | "reboot";

/** A host that holds changes until they are confirmed. */
export interface HeldFixture<Edit> extends MortalFixture<Edit> {
  /**
   * Lets the deadline pass, or starts the host anew, and runs what was set up for that, if anything was, in a process that dies at its
   * n-th instant and is then run again. Nobody else does anything. False: that process came to its end before.
   */
  lapse(how: Lapse, instant?: number): Promise<boolean>;
  /** What is still set up. */
  guarded(): boolean;
}

export interface HeldSubject<Edit = never> extends MortalSubject<Edit> {
  make(): Promise<HeldFixture<Edit>>;
}

/** Runs a store and an engine through commit-confirm: killed at any instant, and with nobody there, a change that was not confirmed is taken back. */
export function heldFor<Edit>(subject: HeldSubject<Edit>): void {
  const { timeoutMs = 120_000 } = subject;
  describe(`${subject.name}, held`, () => {
    for (const how of ["deadline", "reboot"] as const) {
      test(`killed at every instant of a held apply: as it was after the ${how}, with nobody there`, () => overHeldApply(subject, how), timeoutMs);
      test(`killed at every instant of what takes it back after the ${how}: as it was`, () => overWayBack(subject, how), timeoutMs);
      test(`killed at every instant of a confirmation: kept, or as it was after the ${how}`, () => overConfirmation(subject, how), timeoutMs);
    }
  });
}

function overHeldApply<Edit>(subject: HeldSubject<Edit>, how: Lapse): Promise<void> {
  return onHosts(subject, async (fixture, [document]) => {
    const ends = await endsOf(fixture, document);
    fc.pre(ends !== undefined);
    for (let instant = 1; ; instant += 1) {
      const killed = await fixture.run({ do: "hold", document }, instant);
      await fixture.lapse(how);
      const host = await fixture.open();
      expectSame(ends.before, await picture(host));
      // What had not begun has nobody to watch over it, and nothing to take back.
      await fixture.run({ do: "recover" }, Number.POSITIVE_INFINITY);
      equal(await endReached(fixture, ends), "before");
      if (!killed) break;
    }
    equal(fixture.guarded(), false, "A guard is still there");
  });
}

function overWayBack<Edit>(subject: HeldSubject<Edit>, how: Lapse): Promise<void> {
  return onHosts(subject, async (fixture, [document]) => {
    const ends = await endsOf(fixture, document);
    fc.pre(ends !== undefined);
    for (let instant = 1, killed = true; killed; instant += 1) {
      await fixture.run({ do: "hold", document }, Number.POSITIVE_INFINITY);
      killed = await fixture.lapse(how, instant);
      equal(await endReached(fixture, ends), "before");
      equal(fixture.guarded(), false, "A guard is still there");
    }
  });
}

function overConfirmation<Edit>(subject: HeldSubject<Edit>, how: Lapse): Promise<void> {
  return onHosts(subject, async (fixture, [document]) => {
    const ends = await endsOf(fixture, document);
    fc.pre(ends !== undefined);
    const seen = new Set<string>();
    for (let instant = 1, killed = true; killed; instant += 1) {
      await fixture.run({ do: "hold", document }, Number.POSITIVE_INFINITY);
      killed = await fixture.run({ do: "confirm" }, instant);
      await fixture.lapse(how);
      const end = await endReached(fixture, ends);
      equal(fixture.guarded(), false, "A guard is still there");
      seen.add(end);
      if (end === "after") await fixture.run({ do: "roll back" }, Number.POSITIVE_INFINITY);
    }
    ok(seen.has("before") && seen.has("after"), "The commit point was never passed, or always");
  });
}
