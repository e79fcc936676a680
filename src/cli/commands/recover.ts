import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { tellRecovered } from "../standing.ts";

export const recoverCommand: CommandFactory = (context) =>
  command({
    args: {
      guard: { type: "boolean", description: "what op-dbus's own units do: wait for the deadline of what is to be confirmed, then take the lock from whoever does not let go" },
    },
    about:
      "Ends what a process left in the middle, or what was not confirmed in time: takes it back or, past the point of no return, brings it to its end. " +
      "Any other change does that first, too.",
    example: "op-dbus recover",
    exits: [0, 1, 2, 4, 5, 6, 7, 8],
    async run({ guard }) {
      await using session = await context.open("write");
      const report = await session.engine.recover({ guard, observer: {}, recovered: tellRecovered(context) });
      await context.output.result(
        () => (report === undefined ? { recovered: false } : { recovered: true, kind: report.kind, started: report.started, ended: report.ended, why: report.why }),
        () => (report === undefined ? "Nothing was left in the middle" : "Nothing is left in the middle"),
      );
      return DONE;
    },
  });
