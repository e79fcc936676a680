import { OpError } from "../core/errors.ts";

/** What help says of a WHEN. */
export const WHEN_EXAMPLES = "2h, 7d, 2026-11-20, 2026-11-20T17:30";

const UNIT_MS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3, w: 604800e3 };
const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/;

/** A point in time as people give it: "2h" ago, or a date and time (local unless it says otherwise). */
export function pointInTime(text: string, flag: string, now: Date): Date {
  const [, amount, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return new Date(now.getTime() - Number(amount) * (UNIT_MS[unit ?? ""] ?? 0));
  const [, day, time = "00:00", zone = ""] = DATE.exec(text) ?? [];
  // A date alone is midnight here, not in Greenwich as Date has it.
  const date = new Date(day !== undefined && isDay(day) ? `${day}T${time}${zone}` : NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw new OpError("invalid", `${flag} is '${text}'`, {
    hint: "A time ago such as 30m, 2h, 7d, or a date such as 2026-11-20, 2026-11-20T17:30 (local) or 2026-11-20T17:30Z (UTC)",
  });
}

/** Date takes a 31 November for the day after the 30th. */
function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
