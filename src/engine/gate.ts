import { OpError } from "../core/errors.ts";
import { actionsOf } from "../core/plan.ts";
import type { Step } from "../core/plugin.ts";
import type { Rejection } from "../core/ports.ts";

export interface GateQuestion {
  readonly steps: readonly Step[];
  readonly rejections: readonly Rejection[];
  readonly force: boolean;
  /** Keys that no longer have the value op-dbus gave them, as lines for the user. */
  readonly moved?: readonly string[];
}

/** Every reason not to begin, each with what would let it pass. Confirmation, lock and staleness are asked for elsewhere. */
export function refusalsOf({ steps, rejections, force, moved = [] }: GateQuestion): string[] {
  if (force) return [];
  return [
    ...rejections.map(
      ({ when, who, why }) => `This document was rejected on ${when} (${who}): ${why}. Change it, or give --force`,
    ),
    ...actionsOf(steps)
      .filter((action) => action.protected !== undefined)
      .map((action) => `${action.verb} ${action.resource}: ${action.protected}. It needs --force`),
    ...moved.map((line) => `${line}. It needs --force`),
  ];
}

/** Throws kind refused with all the reasons, if there are any. */
export function refuse(reasons: readonly string[]): void {
  if (reasons.length === 0) return;
  const [first, ...rest] = reasons;
  throw new OpError("refused", first ?? "Refused", { details: rest });
}
