import { differences, type Difference } from "../../core/comparison.ts";
import { restrictTo } from "../../core/document.ts";
import type { JsonObject } from "../../core/json.ts";
import { keyName } from "../../core/resource.ts";
import { pluginOf } from "../../engine/host.ts";
import { inForceAtCheckpoint } from "../../engine/in-force.ts";
import { checkpointNamed } from "../books.ts";
import { changeLines } from "../change-text.ts";
import { command, type CommandFactory } from "../command.ts";
import type { Context } from "../context.ts";
import { DIFFERENCE, DONE, type ExitCode } from "../exit.ts";
import { warnInterrupted } from "../standing.ts";
import { usage } from "../usage.ts";
import { PLAN_ARGS, showPlan } from "./plan.ts";

export const diffCommand: CommandFactory = (context) =>
  command({
    args: {
      ...PLAN_ARGS,
      "from-checkpoint": { type: "string", value: "C", description: "compare what was in force at this checkpoint, just before its apply" },
      "to-checkpoint": { type: "string", value: "D", description: "with what was in force at this one (default: with what is in force now)" },
    },
    about:
      "Without checkpoints the same as plan: what an apply would change. With them: how the document in force then differs from the one in force later, key by key, " +
      "out of the books alone. The host is not asked, so what others changed on it is not in it.",
    example: "op-dbus diff --from-checkpoint before-upgrade",
    exits: [0, 1, 2, 3, 6, 7, 8],
    async run({ "from-checkpoint": from, "to-checkpoint": to, plugin, ...plan }) {
      if (from === undefined && to === undefined) return await showPlan(context, { plugin, ...plan });
      if (from === undefined) throw usage("--to-checkpoint needs --from-checkpoint", "op-dbus diff");
      if (plan.state !== undefined || plan.out !== undefined || plan.prune) {
        throw usage("STATE, --prune and --out are for a plan, --from-checkpoint compares what was in force", "op-dbus diff");
      }
      return await compare(context, { from, to, plugin });
    },
  });

async function compare(context: Context, { from, to, plugin }: { from: string; to: string | undefined; plugin: string | undefined }): Promise<ExitCode> {
  const plugins = await context.plugins();
  if (plugin !== undefined) pluginOf(plugins, plugin);
  await using session = await context.open("books");
  const { host } = session.engine;
  warnInterrupted(context, host);
  const checkpoints = host.ledger.checkpoints();
  const at = (name: string) => inForceAtCheckpoint(host, checkpointNamed(checkpoints, name));
  const [before, after] = [at(from), to === undefined ? host.ledger.current() : at(to)];
  const found = differences(restrictTo(before, plugin), restrictTo(after, plugin), plugins);
  await context.output.result(
    () => ({ from_checkpoint: from, to_checkpoint: to ?? null, difference: found.length > 0, changes: found.map(differenceJson) }),
    () => (found.length === 0 ? "No difference" : textOf(found)),
  );
  return found.length === 0 ? DONE : DIFFERENCE;
}

/** A side that does not name the key is left out: null is a value, unset. */
function differenceJson({ plugin, resource, path, from, to }: Difference): JsonObject {
  return { plugin, resource, key: keyName(path), ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

function textOf(found: readonly Difference[]): string {
  const plugins = Map.groupBy(found, ({ plugin }) => plugin);
  return [...plugins].map(([plugin, changes]) => changeLines(plugin, changes).join("\n")).join("\n\n");
}
