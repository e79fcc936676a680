import { OpError } from "../core/errors.ts";

const UNITS_MS: Readonly<Record<string, number>> = { "": 1000, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };
const LONGEST_MS = 24 * 3_600_000;

/** Milliseconds of "90", "90s", "5m", "5min" or "1h". Throws kind invalid for anything else, for less than a second and for more than a day. */
export function durationMs(text: string, flag: string): number {
  const [, digits, unit = ""] = /^(\d{1,6})(s|m|min|h)?$/.exec(text) ?? [];
  const ms = Number(digits) * (UNITS_MS[unit] ?? Number.NaN);
  if (ms >= 1000 && ms <= LONGEST_MS) return ms;
  throw new OpError("invalid", `${flag} is '${text}', allowed is a time from 1s to 24h`, { hint: `${flag} 60s, ${flag} 5m` });
}
