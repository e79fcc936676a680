import type { Retention } from "../../../src/store/retention.ts";

/*
 * What retention keeps, by its definition: item by item over a whole history, with periods named in words. Shares no code with
 * src/store/retention.ts.
 */

const NAMES: Readonly<Record<keyof Retention, (at: Date) => string>> = {
  hourly: (at) => at.toISOString().slice(0, 13),
  daily: (at) => at.toISOString().slice(0, 10),
  weekly: (at) => mondayOf(at),
  quarterly: (at) => `${at.getUTCFullYear()} ${Math.ceil((at.getUTCMonth() + 1) / 3)}`,
};

/** The places in a history, in the order of making, of what is kept. */
export function keptPlaces(history: readonly Date[], rules: Retention): number[] {
  const lengths = Object.keys(NAMES) as (keyof Retention)[];
  const periods = lengths.map((length) => ({ names: history.map(NAMES[length]), count: rules[length] }));
  const hours = history.map(NAMES.hourly);
  const isOfThisHour = (place: number) => rules.hourly > 0 && hours.slice(place).every((hour) => hour === hours[place]);
  const isLast = (place: number) => place === history.length - 1;
  return [...history.keys()].filter((place) => isLast(place) || periods.some(({ names, count }) => isKept(names, place, count)) || isOfThisHour(place));
}

/** True of the last in its period, when fewer than `count` other periods have something later. */
function isKept(names: readonly string[], place: number, count: number): boolean {
  const later = new Set<string>();
  for (let next = names.length - 1; next > place && later.size < count; next -= 1) later.add(names[next] as string);
  return later.size < count && !later.has(names[place] as string);
}

function mondayOf(at: Date): string {
  const day = new Date(at.getTime());
  while (day.getUTCDay() !== 1) day.setUTCDate(day.getUTCDate() - 1);
  return day.toISOString().slice(0, 10);
}

/** The places in a history of all that is in one of the latest periods that have any, as many of each length as the rules say. */
export function coveredPlaces(history: readonly Date[], rules: Retention): number[] {
  const lengths = Object.keys(NAMES) as (keyof Retention)[];
  const latest = lengths.map((length) => [...new Set(history.map(NAMES[length]).reverse())].slice(0, rules[length]));
  return [...history.keys()].filter((place) => lengths.some((length, at) => latest[at]?.includes(NAMES[length](history[place] as Date))));
}
