import { checkpointJson, checkpointKind } from "../checkpoints.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { columns, printable, when } from "../printable.ts";
import { warnInterrupted } from "../standing.ts";

export const checkpointListCommand: CommandFactory = (context) =>
  command({
    args: {},
    about: "Lists the points that 'op-dbus rollback --to-checkpoint' returns to: the one before each apply, and those that were marked.",
    example: "op-dbus checkpoint list",
    exits: [0, 1, 2, 8],
    async run() {
      await using session = await context.open("books");
      const { host } = session.engine;
      warnInterrupted(context, host);
      const checkpoints = host.ledger.checkpoints();
      const rows = checkpoints.map((checkpoint) => [checkpoint.name, when(checkpoint.created), printable(checkpoint.actor.user), checkpointKind(checkpoint)]);
      await context.output.result(
        () => ({ checkpoints: checkpoints.map(checkpointJson) }),
        () => (rows.length === 0 ? "No checkpoints yet: each apply makes one" : columns([["NAME", "CREATED", "BY", "KIND"], ...rows]).join("\n")),
      );
      return DONE;
    },
  });
