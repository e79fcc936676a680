/** How many periods of each length keep the last item that was made in them. */
export interface Retention {
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly quarterly: number;
}

export const DEFAULT_RETENTION: Retention = { hourly: 24, daily: 7, weekly: 5, quarterly: 8 };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long at least between two snapshots, in milliseconds, by the words of OPDBUS_SNAPSHOT_INTERVAL. */
export const INTERVALS = {
  "per-op": 0,
  "every-minute": MINUTE_MS,
  "every-5-minutes": 5 * MINUTE_MS,
  "every-15-minutes": 15 * MINUTE_MS,
  "every-30-minutes": 30 * MINUTE_MS,
  hourly: HOUR_MS,
  daily: DAY_MS,
  weekly: 7 * DAY_MS,
} as const;

export interface SnapshotOptions {
  readonly intervalMs: number;
  readonly retention: Retention;
}

/** 1 January 1970 was a Thursday: weeks begin on Mondays, as in ISO 8601. */
const DAYS_BEFORE_EPOCH = 3;

/** The period of each length that an instant is in, counted from 1970 in UTC, where no day has 23 or 25 hours. */
const PERIODS: Readonly<Record<keyof Retention, (ms: number) => number>> = {
  hourly: (ms) => Math.floor(ms / HOUR_MS),
  daily: (ms) => Math.floor(ms / DAY_MS),
  weekly: (ms) => Math.floor((Math.floor(ms / DAY_MS) + DAYS_BEFORE_EPOCH) / 7),
  quarterly: (ms) => new Date(ms).getUTCFullYear() * 4 + Math.floor(new Date(ms).getUTCMonth() / 3),
};

/**
 * Told of instants from the newest back: whether they are in one of the latest hours, days, weeks or quarters that have any, as many of each as
 * the rules say. Keeps whole periods where `retained` keeps the last item of each.
 */
export class Reach {
  readonly #periods: readonly { readonly most: number; readonly of: (ms: number) => number; readonly seen: Set<number> }[];

  constructor(retention: Retention) {
    this.#periods = (Object.keys(PERIODS) as (keyof Retention)[]).map((length) => ({ most: retention[length], of: PERIODS[length], seen: new Set() }));
  }

  holds(instant: Date): boolean {
    let held = false;
    for (const { most, of, seen } of this.#periods) {
      const its = of(instant.getTime());
      if (seen.size < most) seen.add(its);
      held ||= seen.has(its);
    }
    return held;
  }
}

/**
 * The items to keep: of each length of period, the last item of each of the latest periods that have any; all of the newest's hour, if
 * hours count; and the newest in any case.
 * Periods in which nothing was made count for nothing, so a machine that slept loses nothing by it. `items` are in the order in which they were
 * made, which is what "last" and "latest" go by: a clock that was set back does not make what is new old. Items let go earlier make no
 * difference to what is kept later.
 */
export function retained<T>(items: readonly T[], madeAt: (item: T) => Date, retention: Retention): ReadonlySet<T> {
  const newestFirst = items.toReversed();
  const hourOf = (item: T) => PERIODS.hourly(madeAt(item).getTime());
  const sinceHour = newestFirst.findIndex((item) => hourOf(item) !== hourOf(newestFirst[0] as T));
  const ofThisHour = sinceHour < 0 ? newestFirst : newestFirst.slice(0, sinceHour);
  const kept = new Set(retention.hourly > 0 ? ofThisHour : newestFirst.slice(0, 1));
  for (const [length, period] of Object.entries(PERIODS) as [keyof Retention, (ms: number) => number][]) {
    const seen = new Set<number>();
    for (const item of newestFirst) {
      const its = period(madeAt(item).getTime());
      if (seen.has(its)) continue;
      if (seen.size === retention[length]) break;
      seen.add(its);
      kept.add(item);
    }
  }
  return kept;
}
