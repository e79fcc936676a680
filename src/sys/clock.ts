import { readFileSync } from "node:fs";
import type { Clock } from "../core/ports.ts";

/** This machine's clocks. Monotonic time is counted from boot, so that it compares between the processes of one boot. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs() {
    start ??= uptimeMs() - Bun.nanoseconds() / 1e6;
    return start + Bun.nanoseconds() / 1e6;
  },
  sleep: (ms) => Bun.sleep(ms),
};

/** When this process started, in ms since boot. Bun's own clock counts from there. */
let start: number | undefined;

function uptimeMs(): number {
  return Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * 1000;
}
