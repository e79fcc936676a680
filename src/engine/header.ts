import type { Plan } from "../core/plan.ts";
import type { Plugin } from "../core/plugin.ts";
import type { TransactionHeader } from "../core/ports.ts";
import { stepsAsRecorded } from "./chronicle.ts";
import { holdOf } from "./hold.ts";
import { pluginOf, type Host } from "./host.ts";
import type { HostChangeOptions } from "./requests.ts";
import { changesByPlugin, policiesOf, stateOf } from "./settlement.ts";
import { identitiesOf, type Survey } from "./survey.ts";

/** Where a transaction is to bring the host. */
export interface Goal extends Pick<Plan, "document" | "documentHash" | "desired" | "steps"> {
  readonly readings: Survey["readings"];
}

/** All that recovery will need of a transaction. What changes nothing on the host is not held: there is nothing to take back. */
export function headerOf(kind: TransactionHeader["kind"], goal: Goal, { confirmWithinMs }: HostChangeOptions, { clock, actor, plugins }: Host): TransactionHeader {
  const steps = stepsAsRecorded(goal.steps);
  return {
    id: crypto.randomUUID(),
    kind,
    started: clock.now().toISOString(),
    actor,
    document: goal.document,
    documentHash: goal.documentHash,
    desired: goal.desired,
    before: beforeState(changesByPlugin(steps), goal.desired, plugins),
    identities: identitiesOf(goal.readings),
    steps,
    ...(confirmWithinMs === undefined || steps.length === 0 ? {} : { hold: holdOf(confirmWithinMs, clock) }),
    ...(steps.some(({ plugin }) => pluginOf(plugins, plugin).endsWithBoot !== undefined) ? { boot: clock.bootTime().boot } : {}),
  };
}

function beforeState(changes: ReturnType<typeof changesByPlugin>, desired: Plan["desired"], plugins: readonly Plugin[]) {
  const entries = Object.entries(changes).map(([name, made]) => {
    const policies = policiesOf(pluginOf(plugins, name), desired[name] ?? {});
    return [name, stateOf(made, "before", policies)] as const;
  });
  return Object.fromEntries(entries);
}
