import type { BootTime, DeadMan } from "../../src/core/confirmation.ts";
import { OpError } from "../../src/core/errors.ts";

/** What is set up to take a change back, and outlives its process: a unit for the next boot, a timer in this one. */
export class MemoryGuards {
  boot = false;
  timer: BootTime | undefined;
}

export function deadManOn(guards: MemoryGuards, write: <T>(call: string, work: () => T) => Promise<T>): DeadMan {
  return {
    prepare: () => write("arm for the next boot", () => void (guards.boot = true)),
    arm: (deadline) => write("arm for the deadline", () => void (guards.timer = deadline)),
    async disarm() {
      await write("disarm for the next boot", () => void (guards.boot = false));
      await write("disarm for the deadline", () => void (guards.timer = undefined));
    },
  };
}

/** For hosts on which nothing is held. */
export const UNGUARDED: DeadMan = {
  prepare: () => Promise.reject(new OpError("refused", "There is nobody to take it back")),
  arm: () => Promise.reject(new OpError("refused", "There is nobody to take it back")),
  disarm: () => Promise.resolve(),
};
