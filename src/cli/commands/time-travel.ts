import { OpError } from "../../core/errors.ts";
import { toJson } from "../../core/json.ts";
import { inForceAt } from "../../engine/in-force.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { pointInTime, WHEN_EXAMPLES } from "../point-in-time.ts";
import { warnInterrupted } from "../standing.ts";
import { usage } from "../usage.ts";

export const timeTravelCommand: CommandFactory = (context) =>
  command({
    args: {
      date: { type: "string", value: "WHEN", description: `the instant: ${WHEN_EXAMPLES}` },
    },
    about:
      "Prints the state document that was in force at an instant, out of the audit log and the checkpoints; the host is not asked. " +
      "An apply is in force from its commit in the log until a rollback undoes it; what others changed on the host is not in it. " +
      "Where the books do not tell, because the log begins later, a checkpoint was deleted or the clock was set back, exit 6 says why: nothing is guessed.",
    example: "op-dbus time-travel --date 2026-11-17 > then.json",
    exits: [0, 1, 2, 6, 7],
    async run({ date }) {
      if (date === undefined) throw usage("Missing --date", "op-dbus time-travel");
      const now = context.now();
      const instant = pointInTime(date, "--date", now);
      if (instant > now) throw new OpError("invalid", `--date is '${date}', which is not yet`);
      await using session = await context.open("books");
      const { host } = session.engine;
      warnInterrupted(context, host);
      const document = inForceAt(host, instant);
      await context.output.result(() => toJson(document), () => JSON.stringify(document, null, 2));
      return DONE;
    },
  });
