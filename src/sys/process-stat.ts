import { readFileSync } from "node:fs";

/** What the kernel says of a process (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly pid: number;
  /** The name of its program, as far as it has not changed it. */
  readonly name: string;
  /** "R", "S", "T" for stopped, "t" for traced. */
  readonly state: string;
  /** 0 where it is in another PID namespace, or there is none. */
  readonly parent: number;
  /** The device number of its controlling terminal; 0 for none. */
  readonly terminal: number;
  /** Milliseconds since boot (CLOCK_BOOTTIME), rounded down to ten. */
  readonly startedMs: number;
}

/** The kernel counts times in /proc in hundredths of a second (USER_HZ), whatever its own clock. */
const TICK_MS = 10;

/** Undefined where there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field is in parentheses and may hold anything, so the others are counted from the last ")".
  const end = text.lastIndexOf(")");
  const [state = "", ...numbers] = text.slice(end + 2).split(" ");
  const field = (number: number) => Number(numbers[number - 4] ?? 0);
  return { pid, name: text.slice(text.indexOf("(") + 1, end), state, parent: field(4), terminal: field(7), startedMs: field(22) * TICK_MS };
}

/** The process and those above it, nearest first. One whose parent is not visible (another PID namespace, or gone meanwhile) ends the line. */
export function lineage(pid: number): ProcessStat[] {
  const stat = pid < 1 ? undefined : processStat(pid);
  return stat === undefined ? [] : [stat, ...lineage(stat.parent)];
}
