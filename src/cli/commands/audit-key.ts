import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";

export const auditKeyCommand: CommandFactory = (context) =>
  command({
    args: {},
    about:
      "Prints the verifier key of this host's audit log: NAME+ID+KEY, as C2SP's signed notes have it. Keep it elsewhere: " +
      "with it, and without this host, anyone can check a replica of the log or a proof.",
    example: "op-dbus audit key > alder.vkey",
    exits: [0, 1, 2, 6, 7],
    async run() {
      const { key } = await context.archive({});
      await context.output.result(() => ({ key }), () => key);
      return DONE;
    },
  });
