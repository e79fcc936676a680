import { toJson } from "../../core/json.ts";
import type { Checkpoint } from "../../core/ports.ts";
import { checkpointNamed } from "../books.ts";
import { changeLines } from "../change-text.ts";
import { checkpointJson, checkpointKind } from "../checkpoints.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { columns, printable, when } from "../printable.ts";
import { warnInterrupted } from "../standing.ts";

export const checkpointShowCommand: CommandFactory = (context) =>
  command({
    args: {
      name: { type: "positional", value: "NAME", required: true, description: "as 'op-dbus checkpoint list' prints it" },
    },
    about: "Shows when and by whom a checkpoint was made, and what the apply that it was made for changed.",
    example: "op-dbus checkpoint show auto-20261120T170312.123Z",
    exits: [0, 1, 2, 8],
    async run({ name }) {
      await using session = await context.open("books");
      const { host } = session.engine;
      warnInterrupted(context, host);
      const checkpoint = checkpointNamed(host.ledger.checkpoints(), name);
      await context.output.result(
        () => ({ ...checkpointJson(checkpoint), changes: toJson(checkpoint.applied?.changes ?? {}) }),
        () => [...columns(about(checkpoint)), ...changes(checkpoint)].join("\n"),
      );
      return DONE;
    },
  });

function about(checkpoint: Checkpoint): string[][] {
  const { name, created, actor, applied } = checkpoint;
  const undone = applied?.undone;
  return [
    ["name", name],
    ["created", when(created)],
    ["by", printable(actor.user)],
    ["kind", checkpointKind(checkpoint)],
    ...(applied === undefined ? [] : [["document", applied.documentHash]]),
    ...(undone === undefined ? [] : [["undone", `${when(undone.when)}: ${printable(undone.why)}`]]),
  ];
}

function changes({ applied }: Checkpoint): string[] {
  return Object.entries(applied?.changes ?? {}).flatMap(([plugin, made]) => ["", ...changeLines(plugin, made)]);
}
