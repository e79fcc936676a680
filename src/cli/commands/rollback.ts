import { toJson } from "../../core/json.ts";
import { actionsOf } from "../../core/plan.ts";
import type { Host } from "../../engine/host.ts";
import type { RollbackPlan } from "../../engine/rollback.ts";
import { command, type CommandFactory } from "../command.ts";
import { askConsent, requireConsent } from "../consent.ts";
import type { Context } from "../context.ts";
import { DONE } from "../exit.ts";
import type { Style } from "../output.ts";
import { planText } from "../plan-text.ts";
import { changesJson, viewOfRollback } from "../plan-view.ts";
import { counted, printable, when, wrap } from "../printable.ts";
import { Progress } from "../progress.ts";
import { latestApply, tellRecovered } from "../standing.ts";
import { TRIAL_ARGS, trialOf, untilKept } from "../trial.ts";

export const rollbackCommand: CommandFactory = (context) =>
  command({
    args: {
      "to-checkpoint": { type: "string", value: "C", description: "undo every apply after this checkpoint, its own included" },
      yes: { type: "boolean", description: "do not ask" },
      force: { type: "boolean", description: "also take back what somebody changed since, or what is protected" },
      ...TRIAL_ARGS,
    },
    about:
      "Undoes the latest apply that is not yet undone; again goes one further. What waits to be confirmed goes first. What no apply touched is left alone. " +
      "The documents that are undone are refused from then on, until they are changed or --force is given.",
    example: "op-dbus rollback --to-checkpoint before-upgrade",
    exits: [0, 1, 2, 4, 5, 6, 7, 8],
    async run({ "to-checkpoint": to, yes, force, ...trial }) {
      const { confirmWithinMs, probe } = await trialOf(context, trial);
      requireConsent(context, { yes, inputFree: true });
      await using session = await context.open("write");
      const { engine } = session;
      using progress = new Progress(context);
      const rolledBack = await engine.rollback({
        to,
        force,
        confirmWithinMs,
        observer: progress,
        recovered: tellRecovered(context),
        async confirm(plan) {
          await show(context, plan, engine.host);
          const oneWay = plan.found.steps.filter((step) => step.oneWay !== undefined).length;
          await askConsent(context, oneWay === 0 ? "Roll back?" : "Roll back? Not all of it can be taken back again.", yes);
          progress.begin(plan.found.steps);
        },
        confirmTakingBack: ({ header }) => askConsent(context, `Take back the ${header.kind} of ${when(header.started)}, which waits to be confirmed?`, yes),
      });
      if (rolledBack?.waiting !== undefined) await untilKept(context, rolledBack.waiting, engine, { observer: progress, probe });
      await tell(context, rolledBack?.plan, engine.host);
      return DONE;
    },
  });

async function show({ output }: Context, plan: RollbackPlan, { plugins }: Host): Promise<void> {
  const view = viewOfRollback(plan, plugins);
  const moved = plan.moved.flatMap((line) => wrap(printable(line), output.style.width, "  ", "    "));
  const barred = plan.barred.flatMap(({ resource, message }) => wrap(printable(`${resource}: ${message}`), output.style.width, "  ", "    "));
  const lines = [
    ...undoneLines(plan, output.style),
    "",
    plan.found.steps.length === 0 ? "Nothing to change on the host: it is as it was before" : planText(view, output.style),
    ...(barred.length === 0 ? [] : ["", "Stays as it is, this host cannot be brought back to it:", ...barred]),
    ...(moved.length === 0 ? [] : ["", "Changed by somebody else since, taken back all the same:", ...moved]),
  ];
  await output.preview(lines.join("\n"));
}

async function tell({ output }: Context, plan: RollbackPlan | undefined, { plugins, ledger }: Host): Promise<void> {
  await output.result(
    () =>
      plan === undefined
        ? { recovered: true, undone: [], difference: false, summary: null, actions: [] }
        : { recovered: false, undone: plan.undoes.map(({ name }) => name), barred: toJson(plan.barred), moved: toJson(plan.moved), ...changesJson(viewOfRollback(plan, plugins)) },
    () => {
      if (plan === undefined) return "That change was taken back; it was the latest, and nothing else is undone";
      const { steps } = plan.found;
      const done = steps.length === 0 ? "Done." : `Done: ${counted(actionsOf(steps).length, "change")}. The host was read back and is as it was.`;
      const before = latestApply(ledger.checkpoints());
      const further = before === undefined ? [] : [`To undo the apply of ${when(before.created)} as well: op-dbus rollback`];
      return ["", ...wrap(done, output.style.width), ...further].join("\n");
    },
  );
}

function undoneLines({ undoes }: RollbackPlan, { width }: Style): string[] {
  return undoes
    .toReversed()
    .flatMap(({ name, created, actor }) => wrap(`Undoes the apply of ${when(created)} by ${printable(actor.user)} (checkpoint ${name})`, width, "", "  "));
}
