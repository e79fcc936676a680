import { actionsOf } from "../../core/plan.ts";
import { command, type CommandFactory } from "../command.ts";
import { DIFFERENCE, DONE } from "../exit.ts";
import { planText } from "../plan-text.ts";
import { changesJson, viewOf } from "../plan-view.ts";
import { counted } from "../printable.ts";
import { documentOf, readGiven, sourced } from "../source.ts";
import { warnInterrupted } from "../standing.ts";
import { usage } from "../usage.ts";

export const verifyCommand: CommandFactory = (context) =>
  command({
    args: {
      state: { type: "positional", value: "STATE", required: false, description: "state file, '-' for standard input (default: the state file)", complete: "file" },
      current: { type: "boolean", description: "check against what is in force: all that was applied and not rolled back" },
    },
    about: "Reads the host and says whether it is as declared, and what it would take where it is not. Changes nothing.",
    example: "op-dbus verify --current",
    exits: [0, 1, 2, 3, 8],
    async run({ state, current }) {
      if (current && state !== undefined) throw usage("--current stands for what is in force: leave STATE out", "op-dbus verify");
      const given = current ? undefined : readGiven(context, state);
      await using session = await context.open("read", given?.text);
      const { host } = session.engine;
      const document = given === undefined ? sourced(host.ledger.current(), "what is in force", host.plugins) : documentOf(given, host.plugins);
      warnInterrupted(context, host);
      const plan = await session.engine.plan(document, { plugin: undefined, prune: false });
      const view = viewOf({ ...plan, strays: {} }, host.plugins);
      const differences = actionsOf(plan.steps).length;
      const goal = current ? "what is in force" : "the document";
      await context.output.result(
        () => ({ against: current ? "current" : "document", document_hash: plan.documentHash, ...changesJson(view) }),
        () =>
          differences === 0
            ? `The host is as declared by ${goal} (${counted(Object.keys(plan.document.plugins).length, "plugin")})`
            : `${planText(view, context.output.style)}\n\n${counted(differences, "difference")} from ${goal}. To bring it about: op-dbus apply`,
      );
      return differences === 0 ? DONE : DIFFERENCE;
    },
  });
