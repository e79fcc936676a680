import type { Plan } from "../../core/plan.ts";
import { command, type CommandFactory, type Values } from "../command.ts";
import type { Context } from "../context.ts";
import { DIFFERENCE, DONE, type ExitCode } from "../exit.ts";
import { readPlanFile, writePlanFile } from "../plan-file.ts";
import { actionsJson, planText, type PlanView } from "../plan-text.ts";
import { planJson, viewOf } from "../plan-view.ts";
import { documentOf, readGiven } from "../source.ts";
import { warnInterrupted } from "../standing.ts";
import { usage } from "../usage.ts";

const LIMIT_BYTES = 64 * 1024 * 1024;

export const PLAN_ARGS = {
  state: { type: "positional", value: "STATE", required: false, description: "state file, '-' for standard input (default: the state file)", complete: "file" },
  plugin: { type: "string", value: "P", description: "only this plugin's section", complete: "plugin" },
  prune: { type: "boolean", description: "also return what is owned and no longer declared" },
  out: { type: "string", value: "PLAN", description: "keep the plan in a file, for: op-dbus apply PLAN", complete: "file" },
} as const;

export const planCommand: CommandFactory = (context) =>
  command({
    args: PLAN_ARGS,
    about:
      "Shows exactly what an apply would change, and changes nothing. A plan kept in a file can be applied once, and only as long as the host is as it was.",
    example: "op-dbus plan state.json --out plan.json",
    exits: [0, 1, 2, 3, 6, 8],
    run: async (values) => await showPlan(context, values),
  });

/** What `plan` and `diff` do. */
export async function showPlan(context: Context, { state, plugin, prune, out }: Values<typeof PLAN_ARGS>): Promise<ExitCode> {
  if (out === "-") throw usage("PLAN is a file; for a plan on standard output there is --json", "op-dbus plan");
  const given = readGiven(context, state);
  await using session = await context.open("read", plugin === undefined ? given.text : undefined);
  const { host } = session.engine;
  const source = documentOf(given, host.plugins);
  warnInterrupted(context, host);
  const plan = await session.engine.plan(source, { plugin, prune });
  const view = viewOf(plan, host.plugins);
  if (out !== undefined) {
    await session.engine.keepSecrets(plan);
    keep(context, out, { plan, view, plugin });
  }
  await context.output.result(
    () => planJson(plan, view),
    () => [planText(view, context.output.style), ...(out === undefined ? [] : [`Kept in ${out}. To apply it: op-dbus apply ${out}`])].join("\n"),
  );
  return plan.steps.length === 0 ? DONE : DIFFERENCE;
}

/** Writes over an older plan, and over nothing else. */
function keep({ files, machine, now }: Context, path: string, { plan, view, plugin }: { plan: Plan; view: PlanView; plugin: string | undefined }): void {
  const replace = files.exists(path) && readPlanFile(files.read(path, LIMIT_BYTES), path) !== undefined;
  const about = { created: now().toISOString(), host: machine.hostname, plugin };
  files.write(path, writePlanFile(plan, about, actionsJson(view)), { replace });
}
