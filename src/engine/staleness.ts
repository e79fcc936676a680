import { OpError } from "../core/errors.ts";
import { toJson } from "../core/json.ts";
import { whatMoved, type Basis, type Moved, type Plan } from "../core/plan.ts";
import type { Clock, Ledger } from "../core/ports.ts";
import type { SavedPlan } from "./requests.ts";

/** How old a reading may be that the first write relies on: longer than a large host takes to read, shorter than a person to answer. */
const FRESH_MS = 700;

/** Reads again, under the lock that the first reading had too, unless that was only just now. Throws kind refused for a host that has moved. */
export async function refuseStale(basis: Basis, readAt: number, { clock, again }: { readonly clock: Clock; again(): Promise<Basis> }): Promise<void> {
  if (clock.monotonicMs() - readAt < FRESH_MS) return;
  refuseMoved(whatMoved(basis, await again()), "The host changed while the plan was shown");
}

/** Throws kind refused for a saved plan that was carried out, or that is not the one that this host needs now. */
export function refuseSpent(saved: SavedPlan, plan: Plan, ledger: Ledger): void {
  if (ledger.isSpent(saved.id)) throw new OpError("refused", "This plan was applied already", { hint: "Make a new one: op-dbus plan --out PLAN" });
  refuseMoved(whatMoved(saved.basis, plan.basis), "The host has moved since the plan was made");
  if (saved.hash !== plan.hash) throw new OpError("refused", "This plan is not the one that was made for this host", { hint: "Make a new one: op-dbus plan --out PLAN" });
}

function refuseMoved(moved: readonly Moved[], message: string): void {
  if (moved.length === 0) return;
  const details = moved.map(
    ({ resource, what, then, now }) => `${resource} ${what} was ${JSON.stringify(then)}, is ${JSON.stringify(toJson(now))}`,
  );
  throw new OpError("refused", message, { details, hint: "Look at a new plan first" });
}
