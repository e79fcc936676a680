import { expect, test } from "bun:test";
import fc from "fast-check";
import { Reach, retained, type Retention } from "../../../src/store/retention.ts";
import { coveredPlaces, keptPlaces } from "./retention-oracle.ts";

// Where days have 23 and 25 hours: nothing of it may be seen.
process.env["TZ"] = "Europe/Vienna";

interface Snapshot {
  readonly number: number;
  readonly at: Date;
}

const HOUR_MS = 3_600_000;
const RULES: Retention = { hourly: 24, daily: 7, weekly: 5, quarterly: 4 };

/** Makes a snapshot at each instant, lets go after each one, and compares what is left with the oracle's view of the whole history. */
function simulate(instants: readonly number[], rules: Retention): readonly Snapshot[] {
  const history: Snapshot[] = [];
  let present: Snapshot[] = [];
  for (const [number, ms] of instants.entries()) {
    const snapshot = { number, at: new Date(ms) };
    history.push(snapshot);
    present.push(snapshot);
    const kept = retained(present, ({ at }) => at, rules);
    present = present.filter((each) => kept.has(each));
    if (number % 971 !== 0 && number !== instants.length - 1) continue;
    expect(present.map((each) => each.number)).toEqual(keptPlaces(history.map(({ at }) => at), rules));
  }
  return present;
}

test("a year of hourly snapshots, through both changes of summer time, leaves what an oracle says", () => {
  const start = Date.parse("2026-01-01T00:30:00Z");
  const left = simulate(Array.from({ length: 365 * 24 }, (_, hour) => start + hour * HOUR_MS), RULES);
  expect(left.length).toBeLessThanOrEqual(24 + 7 + 5 + 4);
  expect(left.at(-1)?.at.toISOString()).toBe("2026-12-31T23:30:00.000Z");
  expect(left[0]?.at.toISOString()).toBe("2026-03-31T23:30:00.000Z");
});

test("a laptop that is awake for an hour now and then keeps as many as one that never sleeps", () => {
  let ms = Date.parse("2026-02-27T22:10:00Z");
  const instants = Array.from({ length: 600 }, (_, n) => (ms += n % 5 === 0 ? 9 * 24 * HOUR_MS : HOUR_MS));
  expect(simulate(instants, RULES).length).toBeGreaterThan(24);
});

test("a clock that jumps, back and a century ahead, loses nothing that is new", () => {
  const day = (text: string) => Array.from({ length: 30 }, (_, hour) => Date.parse(text) + hour * HOUR_MS);
  const instants = [...day("2026-05-01T00:00:00Z"), ...day("2126-05-01T00:00:00Z"), ...day("1970-01-01T00:00:00Z"), ...day("2026-05-02T00:00:00Z")];
  const left = simulate(instants, RULES);
  expect(left.slice(-24).map(({ number }) => number)).toEqual(Array.from({ length: 24 }, (_, n) => 96 + n));
});

test("of the hour that has begun all are kept, until it is over", () => {
  const minutes = Array.from({ length: 90 }, (_, minute) => Date.parse("2026-11-20T10:00:00Z") + minute * 60_000);
  expect(simulate(minutes, RULES).map(({ number }) => number)).toEqual([59, ...Array.from({ length: 30 }, (_, n) => 60 + n)]);
});

test("the newest is kept, whatever the rules", () => {
  const none: Retention = { hourly: 0, daily: 0, weekly: 0, quarterly: 0 };
  const left = simulate([0, HOUR_MS, 5 * HOUR_MS], none);
  expect(left.map(({ number }) => number)).toEqual([2]);
  expect(retained([], () => new Date(), none).size).toBe(0);
});

test("any instants under any rules leave what the oracle says", () => {
  const rule = fc.integer({ min: 0, max: 6 });
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -2e11, max: 4e12 }), { maxLength: 60 }),
      fc.record({ hourly: rule, daily: rule, weekly: rule, quarterly: rule }),
      (instants, rules) => void simulate(instants, rules),
    ),
    { numRuns: 300 },
  );
});

test("Reach holds all of the latest periods that have any, as an oracle says", () => {
  const rule = fc.integer({ min: 0, max: 6 });
  // Close together and far apart, in any order.
  const instants = fc.array(fc.oneof(fc.integer({ min: 0, max: 72 }).map((hours) => hours * HOUR_MS), fc.integer({ min: -2e11, max: 4e12 })), { maxLength: 60 });
  fc.assert(
    fc.property(instants, fc.record({ hourly: rule, daily: rule, weekly: rule, quarterly: rule }), (ms, rules) => {
      const history = ms.map((each) => new Date(each));
      const reach = new Reach(rules);
      const held = history.toReversed().map((at) => reach.holds(at)).reverse();
      expect([...history.keys()].filter((place) => held[place])).toEqual(coveredPlaces(history, rules));
    }),
    { numRuns: 300 },
  );
});
