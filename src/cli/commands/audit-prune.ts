import type { JsonObject } from "../../core/json.ts";
import type { PrunePlan } from "../../store/pruning.ts";
import { command, type CommandFactory } from "../command.ts";
import { askConsent, requireConsent } from "../consent.ts";
import { DONE } from "../exit.ts";
import { pointInTime, WHEN_EXAMPLES } from "../point-in-time.ts";
import { counted, printable, wrap } from "../printable.ts";
import { tellRecovered, warnInterrupted } from "../standing.ts";

export const auditPruneCommand: CommandFactory = (context) =>
  command({
    args: {
      before: { type: "string", value: "WHEN", description: `what is older than this, whatever the rules say: ${WHEN_EXAMPLES}` },
      "dry-run": { type: "boolean", description: "show what would go; remove nothing" },
      yes: { type: "boolean", description: "do not ask" },
    },
    about:
      "Lets the content of old entries go for good, in whole bundles of 256: what is older than all hours, days, weeks and quarters that OPDBUS_RETAIN_HOURLY, _DAILY, _WEEKLY and " +
      "_QUARTERLY count. The hashes stay, so that the log still verifies and proofs made before stay good; the prune is itself an entry. Nothing is ever pruned without this command. " +
      "Snapshots and replicas keep what they have.",
    example: "op-dbus audit prune --before 2024-01-01 --dry-run",
    exits: [0, 1, 2, 4, 5, 6, 7, 8],
    async run({ before, yes, "dry-run": dryRun }) {
      if (!dryRun) requireConsent(context, { yes, inputFree: true });
      const instant = before === undefined ? undefined : pointInTime(before, "--before", context.now());
      const { output } = context;
      const { width } = output.style;
      const pruning = await context.pruning();
      await using session = await context.open(dryRun ? "books" : "write");
      if (dryRun) {
        warnInterrupted(context, session.engine.host);
        const plan = pruning.plan(instant);
        await output.result(() => planJson(plan, false), () => planLines(plan, width).join("\n"));
        return DONE;
      }
      const options = { force: false, observer: {}, recovered: tellRecovered(context) };
      await session.engine.change("audit prune", options, async () => {
        const plan = pruning.plan(instant);
        const goes = plan.bundles.length > 0;
        if (goes) {
          await output.preview(planLines(plan, width).join("\n"));
          await askConsent(context, "Remove their content? Nothing brings it back.", yes);
          await pruning.prune(plan);
        }
        await output.result(() => planJson(plan, goes), () => (goes ? "Done: it is gone, and the log says so" : planLines(plan, width).join("\n")));
      });
      return DONE;
    },
  });

function planLines({ first, minimumIndex, bundles, bytes, heldBy }: PrunePlan, width: number): string[] {
  const held = heldBy === undefined ? "" : `More would go but for checkpoint '${printable(heldBy)}': what was in force when it was marked is found through the log`;
  return [...wrap(whatGoes(), width), ...(held === "" ? [] : wrap(held, width))];

  function whatGoes(): string {
    const size = `${counted(bundles.length, "bundle")}, ${Math.ceil(bytes / 1024)} KiB`;
    if (minimumIndex > first) return `To go: entries ${first} to ${minimumIndex - 1} (${size}). Their hashes stay`;
    if (bundles.length > 0) return `To go: what an earlier prune left of entries 0 to ${minimumIndex - 1} (${size})`;
    return "Nothing to prune: no whole bundle of 256 entries is old enough";
  }
}

function planJson({ first, minimumIndex, bundles, bytes, heldBy, detail }: PrunePlan, pruned: boolean): JsonObject {
  return {
    pruned,
    first,
    minimum_index: minimumIndex,
    bundles: bundles.length,
    bytes,
    held_by_checkpoint: heldBy ?? null,
    ...(detail === undefined ? {} : { root: detail.root, latest: detail.latest }),
  };
}
