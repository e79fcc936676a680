import type { Step } from "../core/plugin.ts";
import type { Clock } from "../core/ports.ts";
import { keyName, type Resources } from "../core/resource.ts";
import type { Host, Observer } from "./host.ts";
import { survey } from "./survey.ts";

/** Waits between readings of what settles slowly, in milliseconds; one reading more than there are waits. */
const RETRY_INTERVALS_MS = [50, 150, 400, 1000, 1500];

/** What still differs from `desired` when it had time to settle, in words. Verify is: read again, plan again, expect nothing. */
export async function unsettled(
  host: { readonly clock: Clock } & Pick<Host, "plugins" | "ledger">,
  desired: Readonly<Record<string, Resources>>,
  observer: Observer = {},
): Promise<string[]> {
  for (let attempt = 1; ; attempt += 1) {
    observer.verifying?.(attempt);
    const { steps, problems } = await leftOver(host, desired);
    if (steps.length === 0 && problems.length === 0) return [];
    const wait = RETRY_INTERVALS_MS[attempt - 1];
    if (wait === undefined) return [...linesOf(steps), ...problems];
    await host.clock.sleep(wait);
  }
}

/** What it would take to reach `desired` from here. */
export async function leftOver(
  host: Pick<Host, "plugins" | "ledger">,
  desired: Readonly<Record<string, Resources>>,
): Promise<{ steps: readonly Step[]; problems: string[] }> {
  const { steps, problems } = await survey(desired, host.plugins, host.ledger.ownership());
  return { steps, problems: problems.map(({ resource, message }) => `${resource}: ${message}`) };
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
