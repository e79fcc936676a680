import type { Step } from "../core/plugin.ts";
import type { Clock } from "../core/ports.ts";
import { keyName, type Resources, type Ownership } from "../core/resource.ts";
import type { Host, Observer } from "./host.ts";
import { reachable, type ByPlugin, type Survey } from "./survey.ts";

/** Waits between readings of what settles slowly, in milliseconds; one reading more than there are waits. */
const RETRY_INTERVALS_MS = [50, 150, 400, 1000, 1500];

export interface Goal {
  readonly desired: ByPlugin<Resources>;
  /** Who owns what on the way; the ledger is told only when it is over. */
  readonly ownership: Ownership;
}

export interface LeftOver {
  readonly steps: readonly Step[];
  /** What no step can reach, in words. */
  readonly problems: readonly string[];
  readonly readings: Survey["readings"];
}

export interface Settling {
  /** What still differs when it had time to settle, in words. */
  readonly left: readonly string[];
  readonly readings: Survey["readings"];
}

/** Verify is: read again, plan again, expect nothing. */
export async function settling(
  host: { readonly clock: Clock } & Pick<Host, "plugins">,
  goal: Goal,
  observer: Observer = {},
): Promise<Settling> {
  for (let attempt = 1; ; attempt += 1) {
    observer.verifying?.(attempt);
    const { steps, problems, readings } = await leftOver(host, goal);
    if (steps.length === 0 && problems.length === 0) return { left: [], readings };
    const wait = RETRY_INTERVALS_MS[attempt - 1];
    if (wait === undefined) return { left: [...linesOf(steps), ...problems], readings };
    await host.clock.sleep(wait);
  }
}

/** What it would take to come as near to the goal as can be from here. */
export async function leftOver({ plugins }: Pick<Host, "plugins">, { desired, ownership }: Goal): Promise<LeftOver> {
  const { found, barred } = await reachable(desired, plugins, ownership);
  const problems = barred.map(({ resource, message }) => `${resource}: ${message}`);
  return { steps: found.steps, problems, readings: found.readings };
}

/** One line an action: "nginx.service active_state is \"inactive\", declared \"active\"". */
export function linesOf(steps: readonly Step[]): string[] {
  return steps.flatMap(({ actions }) =>
    actions.map(({ resource, verb, path, from, to }) =>
      path === undefined
        ? `${resource} still needs: ${verb}`
        : `${resource} ${keyName(path)} is ${JSON.stringify(from ?? null)}, declared ${JSON.stringify(to ?? null)}`,
    ),
  );
}
