import { OpError } from "../core/errors.ts";
import { actionsOf } from "../core/plan.ts";
import type { Step } from "../core/plugin.ts";
import type { Rejection } from "../core/ports.ts";

export interface GateQuestion {
  readonly steps: readonly Step[];
  readonly rejections: readonly Rejection[];
  readonly force: boolean;
  /** The change is to be taken back unless it is confirmed. */
  readonly held?: boolean;
  /** Keys that no longer have the value op-dbus gave them, as lines for the user. */
  readonly moved?: readonly string[];
}

/** Every reason not to begin, each with what would let it pass. Confirmation, lock and staleness are asked for elsewhere. */
export function refusalsOf({ steps, rejections, force, held = false, moved = [] }: GateQuestion): string[] {
  if (force) return [];
  return [
    ...rejections.map(
      ({ when, who, why }) => `This document was rejected on ${when} (${who}): ${why}. Change it, or give --force`,
    ),
    ...actionsOf(steps)
      .filter((action) => action.protected !== undefined)
      .map((action) => `${action.verb} ${action.resource}: ${action.protected}. It needs --force`),
    ...steps.filter(({ oneWay }) => held && oneWay !== undefined).map(({ name }) => `'${name}' cannot be taken back, so it cannot wait to be confirmed. It needs --force`),
    ...moved.map((line) => `${line}. It needs --force`),
  ];
}

/** Throws kind refused with all the reasons, if there are any. */
export function refuse(reasons: readonly string[]): void {
  if (reasons.length === 0) return;
  const [first, ...rest] = reasons;
  throw new OpError("refused", first ?? "Refused", { details: rest });
}
