import type { Operator } from "../core/ports.ts";
import { lineage } from "./process-stat.ts";

/** This process and those above it, up to PID 1, whether it is root, and whether they came over SSH. */
export function readOperator(environment: Readonly<Record<string, string | undefined>>): Operator {
  return {
    isRoot: process.geteuid?.() === 0,
    pids: lineage(process.pid).map(({ pid }) => pid).filter((pid) => pid > 1),
    overSsh: environment.SSH_CONNECTION !== undefined || environment.SSH_TTY !== undefined,
  };
}
