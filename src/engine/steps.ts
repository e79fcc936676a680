import type { Change, Step, StepOutcome } from "../core/plugin.ts";
import type { JournalRecord, Phase, TransactionHeader } from "../core/ports.ts";
import type { Chronicle } from "./chronicle.ts";
import { refuseLate } from "./hold.ts";
import { pluginOf, type Host, type Observer } from "./host.ts";
import { changesByPlugin } from "./settlement.ts";
import type { ByPlugin } from "./survey.ts";

/** One change of the host, from its journal's first line to its last. */
export interface Transaction {
  readonly host: Host;
  readonly header: TransactionHeader;
  readonly observer: Observer;
}

/** What the peers reported to have changed besides a step's own actions. */
export interface Effect {
  readonly plugin: string;
  /** The step's number. */
  readonly step: number;
  readonly changes: readonly Change[];
}

/** Takes the steps in order, each announced before and recorded after. The first that fails ends it. */
export async function takeSteps(
  { host, header, observer }: Transaction,
  chronicle: Chronicle,
  steps: readonly Step[],
  phase: Phase,
  effect: (effect: Effect) => void,
  firstNumber = 0,
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const number = firstNumber + index;
    if (phase === "apply") refuseLate(header, host.clock);
    observer.beforeStep?.(step, phase);
    await chronicle.begin(step, number, phase);
    chronicle.touched = true;
    const { effects } = await takeStep(host, step, phase, observer).catch(async (error: unknown) => {
      await chronicle.failed(step, error);
      throw error;
    });
    effect({ plugin: step.plugin, step: number, changes: effects });
    await chronicle.done(step, number, phase, effects);
  }
}

async function takeStep({ plugins }: Host, step: Step, phase: Phase, observer: Observer): Promise<StepOutcome> {
  observer.stepBegun?.(step, phase);
  const done = (resource: string, what: string) => observer.actionDone?.(step, resource, what);
  return await pluginOf(plugins, step.plugin).apply(step, { done });
}

/** All that changed, by plugin, as it happened: the changes of each step, then what the peers reported besides. */
export function changesInOrder(header: TransactionHeader, effects: readonly Effect[], begun?: ReadonlySet<number>): ByPlugin<readonly Change[]> {
  const made = header.steps.flatMap((step, number) => [
    ...(begun === undefined || begun.has(number) ? [step] : []),
    ...effects.filter((effect) => effect.step === number),
  ]);
  return changesByPlugin([...made, ...effects.filter((effect) => effect.step >= header.steps.length)]);
}

/** The numbers of the steps that were begun on the way there. */
export function stepsBegun(records: readonly JournalRecord[]): ReadonlySet<number> {
  return new Set(records.flatMap((entry) => (entry.record === "step-begun" && entry.phase === "apply" ? [entry.step] : [])));
}

/** What the peers reported to a process that is no more. */
export function effectsOf(records: readonly JournalRecord[], phase: Phase): Effect[] {
  return records.flatMap((entry) =>
    entry.record === "step-done" && entry.phase === phase ? [{ plugin: entry.plugin, step: entry.step, changes: entry.effects }] : [],
  );
}
