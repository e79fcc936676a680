import { OpError } from "../../core/errors.ts";
import { actionsOf, type Plan } from "../../core/plan.ts";
import type { SourcedDocument } from "../../core/document.ts";
import type { Plugin } from "../../core/plugin.ts";
import type { Applied, Engine, SavedPlan } from "../../engine/engine.ts";
import { command, type CommandFactory } from "../command.ts";
import { askConsent, requireConsent } from "../consent.ts";
import type { Context } from "../context.ts";
import { DONE, exitOf, type ExitCode } from "../exit.ts";
import { planText } from "../plan-text.ts";
import { planJson, viewOf } from "../plan-view.ts";
import { counted, printable, wrap } from "../printable.ts";
import { Progress } from "../progress.ts";
import { documentOf, readGiven, sourced, type Given } from "../source.ts";
import { lockState, tellRecovered, warnInterrupted } from "../standing.ts";
import { TRIAL_ARGS, trialOf, untilKept } from "../trial.ts";

interface Goal {
  readonly source: SourcedDocument;
  readonly plugin: string | undefined;
  readonly prune: boolean;
  readonly saved: SavedPlan | undefined;
}

export const applyCommand: CommandFactory = (context) =>
  command({
    args: {
      state: { type: "positional", value: "STATE|PLAN", required: false, description: "state file, '-' for standard input, or a plan from 'plan --out' (default: the state file)", complete: "file" },
      plugin: { type: "string", value: "P", description: "only this plugin's section", complete: "plugin" },
      "dry-run": { type: "boolean", description: "show the plan and why it would be refused; change nothing" },
      yes: { type: "boolean", description: "do not ask" },
      force: { type: "boolean", description: "do what is protected, or was rejected before" },
      prune: { type: "boolean", description: "also return what is owned and no longer declared" },
      ...TRIAL_ARGS,
    },
    about:
      "Plans, asks, brings the host to the declared state and reads it back. When anything fails, everything is taken back. " +
      "Each apply makes a checkpoint that 'op-dbus rollback' returns to. With --confirm-within it waits, and ends with 0 when the change was kept, with 4 when it was taken back.",
    example: "op-dbus apply state.json",
    exits: [0, 1, 2, 4, 5, 6, 7, 8],
    async run({ state, plugin, prune, yes, force, "dry-run": dryRun, ...trial }) {
      const { confirmWithinMs, probe } = await trialOf(context, trial);
      if (!dryRun) requireConsent(context, { yes, inputFree: state !== "-" });
      const given = readGiven(context, state);
      await using session = await context.open(dryRun ? "read" : "write");
      const { engine } = session;
      const goal = goalOf(context, given, { plugin, prune, plugins: engine.host.plugins });
      if (dryRun) return await rehearse(context, engine, goal, { force, held: confirmWithinMs !== undefined });
      using progress = new Progress(context);
      const applied = await engine.apply({
        ...goal,
        force,
        confirmWithinMs,
        observer: progress,
        recovered: tellRecovered(context),
        async confirm(plan) {
          await ask(context, plan, engine, yes);
          progress.begin(plan.steps);
        },
      });
      if (applied.waiting !== undefined) await untilKept(context, applied.waiting, engine, { observer: progress, probe });
      await tell(context, applied, engine);
      return DONE;
    },
  });

function goalOf(
  { machine }: Context,
  given: Given,
  { plugin, prune, plugins }: { plugin: string | undefined; prune: boolean; plugins: readonly Plugin[] },
): Goal {
  const { plan, name } = given;
  if (plan === undefined) return { source: documentOf(given, plugins), plugin, prune, saved: undefined };
  if (plugin !== undefined || prune) {
    throw new OpError("invalid", `${name} is a saved plan: it was made with its own --plugin and --prune`);
  }
  if (plan.host !== machine.hostname) {
    throw new OpError("refused", `${name} was made for host '${plan.host}', this is '${machine.hostname}'`, { hint: "Make a new one here: op-dbus plan --out PLAN" });
  }
  return { source: sourced(plan.document, `the document in ${name}`, plugins), plugin: plan.plugin, prune: plan.prune, saved: plan };
}

/** The plan, and every reason for which an apply would not begin now. */
async function rehearse(context: Context, engine: Engine, { source, plugin, prune, saved }: Goal, how: { force: boolean; held: boolean }): Promise<ExitCode> {
  const { output } = context;
  const { host } = engine;
  warnInterrupted(context, host);
  const plan = await engine.plan(source, { plugin, prune });
  const view = viewOf(plan, host.plugins);
  const { holder } = lockState(host.lock);
  const locked = holder === undefined ? [] : [`Locked by ${holder.user} (${holder.purpose}, process ${holder.pid}) since ${holder.since}`];
  const refusals = [...locked, ...(await engine.refusals(plan, { ...how, saved }))];
  const verdict = refusals.length === 0 ? "An apply would go ahead" : `An apply would be refused for ${counted(refusals.length, "reason")}:`;
  const reasons = refusals.flatMap((reason) => wrap(printable(reason), output.style.width, "  ", "    "));
  await output.result(
    () => ({ ...planJson(plan, view), refusals }),
    () => [planText(view, output.style), "", verdict, ...reasons].join("\n"),
  );
  return refusals.length === 0 ? DONE : exitOf(new OpError("refused", verdict));
}

async function ask(context: Context, plan: Plan, { host }: Engine, yes: boolean): Promise<void> {
  const view = viewOf(plan, host.plugins);
  const oneWay = actionsOf(plan.steps.filter((step) => step.oneWay !== undefined)).length;
  await context.output.preview(planText(view, context.output.style));
  await askConsent(context, oneWay === 0 ? "Apply this?" : `Apply this? ${oneWay} of it cannot be taken back.`, yes);
}

async function tell({ output }: Context, { plan, changed, checkpoint, waiting }: Applied, { host }: Engine): Promise<void> {
  const view = viewOf(plan, host.plugins);
  await output.result(
    () => ({ changed, checkpoint: checkpoint ?? null, ...(waiting === undefined ? {} : { confirmed: true }), ...planJson(plan, view) }),
    () => {
      if (!changed && checkpoint === undefined) return planText(view, output.style);
      const done = changed
        ? `Done: ${counted(actionsOf(plan.steps).length, "change")}. The host was read back and is as declared.${waiting === undefined ? "" : " It was confirmed."}`
        : `${planText(view, output.style)}. The document is now what is in force.`;
      return [...(changed ? [""] : []), ...wrap(done, output.style.width), `Checkpoint: ${checkpoint ?? "none"}`, "To take it back: op-dbus rollback"].join("\n");
    },
  );
}
