import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { statusJson, statusText } from "../status.ts";

export const statusCommand: CommandFactory = (context) =>
  command({
    args: {},
    about: "Shows what is in force and since when, who is changing the host now, what was interrupted, and which documents are rejected.",
    example: "op-dbus status",
    exits: [0, 1, 2, 8],
    async run() {
      await using session = await context.open("books");
      const { host } = session.engine;
      await context.output.result(() => statusJson(context, host), () => statusText(context, host));
      return DONE;
    },
  });
