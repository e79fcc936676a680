import { checkpointNamed, recordChange } from "../books.ts";
import { refuseDeletion } from "../checkpoints.ts";
import { command, type CommandFactory } from "../command.ts";
import { askConsent, requireConsent } from "../consent.ts";
import { DONE } from "../exit.ts";
import { tellRecovered } from "../standing.ts";

export const checkpointDeleteCommand: CommandFactory = (context) =>
  command({
    args: {
      name: { type: "positional", value: "NAME", required: true, description: "as 'op-dbus checkpoint list' prints it" },
      yes: { type: "boolean", description: "do not ask" },
    },
    about:
      "Forgets a checkpoint; the host is not changed. The one before an apply that is in force can go only when it is the oldest: rollbacks to older ones need it.",
    example: "op-dbus checkpoint delete before-upgrade",
    exits: [0, 1, 2, 6, 8],
    async run({ name, yes }) {
      requireConsent(context, { yes, inputFree: true });
      await using session = await context.open("write");
      const options = { force: false, observer: {}, recovered: tellRecovered(context) };
      await session.engine.change("checkpoint delete", options, async (host) => {
        const checkpoints = host.ledger.checkpoints();
        const checkpoint = checkpointNamed(checkpoints, name);
        refuseDeletion(checkpoints, checkpoint);
        const inForce = checkpoint.applied !== undefined && checkpoint.applied.undone === undefined;
        const warning = inForce ? " Its apply can then no longer be rolled back." : "";
        await askConsent(context, `Delete checkpoint '${name}'?${warning}`, yes);
        await recordChange(host, { kind: "checkpoint", operation: "delete", detail: name }, { forget: [name] });
      });
      await context.output.result(() => ({ deleted: name }), () => `Deleted checkpoint '${name}'`);
      return DONE;
    },
  });
