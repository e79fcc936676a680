import { readFileSync } from "node:fs";
import { OpError } from "../core/errors.ts";
import type { BootTime } from "../core/confirmation.ts";
import type { Clock } from "../core/ports.ts";
import { readHostIdentity } from "./host-identity.ts";
import { libc } from "./libc.ts";
import { processStat } from "./process-stat.ts";

const CLOCK_BOOTTIME = 7;

/** This machine's clocks. Monotonic time is counted from boot, so that it compares between the processes of one boot. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs() {
    start ??= uptimeMs() - Bun.nanoseconds() / 1e6;
    return start + Bun.nanoseconds() / 1e6;
  },
  bootTime,
  sleep: (ms) => Bun.sleep(ms),
};

/** When this process started, in ms since boot. Bun's own clock counts from there. */
let start: number | undefined;

function uptimeMs(): number {
  return Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * 1000;
}

/**
 * A container has no boot of its own: that it was started anew shows in when its PID 1 began. Not from /proc/uptime, which lxcfs counts
 * from the container's start: the times of processes, which it is compared with, are the kernel's.
 */
function bootTime(): BootTime {
  const timespec = new BigInt64Array(2);
  const [code, first] = [libc().clock_gettime(CLOCK_BOOTTIME, timespec), processStat(1)];
  if (code !== 0 || first === undefined) throw new OpError("unavailable", "The time since boot cannot be read: it needs CLOCK_BOOTTIME and /proc");
  const [seconds = 0n, nanoseconds = 0n] = timespec;
  return { boot: `${readHostIdentity().boot}.${first.startedMs}`, ms: Number(seconds * 1000n + nanoseconds / 1_000_000n) };
}
