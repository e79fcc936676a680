import { OpError } from "../../core/errors.ts";
import { toJson } from "../../core/json.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE, exitOf } from "../exit.ts";
import { failureText } from "../failure.ts";
import { warnInterrupted } from "../standing.ts";

export const queryCommand: CommandFactory = (context) =>
  command({
    args: {
      plugin: { type: "string", value: "P", description: "only this plugin", complete: "plugin" },
    },
    about:
      "Reads the host and prints it as a state document. What can be seen but not declared is under 'observed', which plan ignores. " +
      "A plugin that fails does not hide the others.",
    example: "op-dbus query --plugin systemd",
    exits: [0, 1, 2, 8],
    async run({ plugin }) {
      const { output, settings } = context;
      await using session = await context.open("read");
      warnInterrupted(context, session.engine.host);
      const { document, failures } = await session.engine.query(plugin);
      await output.result(() => toJson(document), () => JSON.stringify(document, null, 2));
      const failed = Object.entries(failures);
      for (const [name, error] of failed) {
        output.message(`${name} could not be read`);
        output.message(failureText(error, { style: output.errorStyle, debug: settings.log.value === "debug" }));
      }
      if (failed.length === 0) return DONE;
      return failed.every(([, error]) => error instanceof OpError) ? 8 : exitOf(undefined);
    },
  });
