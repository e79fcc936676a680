import type { Probe } from "../core/confirmation.ts";
import type { Engine } from "../engine/engine.ts";
import { wallClock, type HeldHeader } from "../engine/hold.ts";
import type { Watch } from "../engine/outcome.ts";
import type { Values } from "./command.ts";
import type { Context } from "./context.ts";
import { durationMs } from "./duration.ts";
import { printable, when, wrap } from "./printable.ts";

/** Where a probe is given and no time. */
const DEFAULT_WITHIN = "60s";

/** The flags by which a change is made on trial. */
export const TRIAL_ARGS = {
  "confirm-within": { type: "string", value: "T", description: "take it back unless 'op-dbus confirm' is given so soon (60s, 5m) after the first change, even if this process, the session or the machine dies meanwhile" },
  probe: { type: "string", value: "P", description: `confirm it when this succeeds: tcp:HOST:PORT takes a connection, ping:ADDRESS or the default gateway (gateway) answers; within ${DEFAULT_WITHIN} without --confirm-within` },
} as const;

export interface Trial {
  readonly confirmWithinMs: number | undefined;
  readonly probe: Probe | undefined;
}

/** What the flags ask for. Throws kind invalid for a time or a probe that is none. */
export async function trialOf(context: Pick<Context, "probe">, { "confirm-within": within, probe: name }: Values<typeof TRIAL_ARGS>): Promise<Trial> {
  const probe = name === undefined ? undefined : await context.probe(name);
  const time = within ?? (probe === undefined ? undefined : DEFAULT_WITHIN);
  return { probe, confirmWithinMs: time === undefined ? undefined : durationMs(time, "--confirm-within") };
}

/** Says until when the change waits, and returns when it was kept. */
export async function untilKept({ output }: Pick<Context, "output">, waiting: HeldHeader, engine: Engine, watch: Watch): Promise<void> {
  const { hold, kind } = waiting;
  const until = wallClock(hold, engine.host.clock);
  const how = watch.probe === undefined ? "log in anew and run 'op-dbus confirm'" : `waiting for the probe ${printable(watch.probe.name)}`;
  const text = `The host was read back and is as ${kind === "apply" ? "declared" : "it was"}. The ${kind} is taken back on ${when(until)} unless it is confirmed: ${how}`;
  output.message(wrap(text, output.errorStyle.width).join("\n"));
  await engine.outcome(waiting, watch);
}
