import { readFileSync } from "node:fs";
import type { Operator } from "../core/ports.ts";
import { localAddresses } from "./tcp-connections.ts";

/** This process and those above it, up to PID 1, whether it is root, and whether and where they came in over the network. */
export function readOperator(environment: Readonly<Record<string, string | undefined>>): Operator {
  const pids = lineage(process.pid);
  let sessions: readonly string[] | undefined;
  return {
    isRoot: process.geteuid?.() === 0,
    pids,
    overSsh: environment.SSH_CONNECTION !== undefined || environment.SSH_TTY !== undefined,
    get sessionAddresses() {
      sessions ??= localAddresses(pids.filter((pid) => pid !== 1));
      return sessions;
    },
  };
}

/** A process whose parent is not visible (another PID namespace, or gone meanwhile) ends the line. */
function lineage(pid: number): number[] {
  if (pid <= 1) return [];
  return [pid, ...lineage(parentOf(pid))];
}

/** proc(5): the second field is in parentheses and may hold anything, so the fourth is counted from the last ")". */
function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
  } catch {
    return 0;
  }
}
