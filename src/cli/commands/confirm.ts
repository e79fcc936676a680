import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { when } from "../printable.ts";
import { tellRecovered } from "../standing.ts";

export const confirmCommand: CommandFactory = (context) =>
  command({
    args: {
      here: { type: "boolean", description: "keep it although this login does not show that the host can still be reached" },
    },
    about:
      "Keeps the change that waits, made by 'apply --confirm-within'. It counts from an ssh login whose connection was accepted after the change, or from " +
      "a local console: a shell that was there before, screen, and a session over an old connection would say yes although nobody new can get in.",
    example: "op-dbus confirm",
    exits: [0, 1, 2, 4, 5, 6, 7, 8],
    async run({ here }) {
      await using session = await context.open("write");
      const { engine } = session;
      const { header } = await engine.confirm({
        force: here,
        observer: {},
        recovered: tellRecovered(context),
        prove: ({ verified }) => context.reachability.proof(verified),
      });
      await context.output.result(
        () => ({ confirmed: true, kind: header.kind, started: header.started }),
        () => `The ${header.kind} of ${when(header.started)} is confirmed, and stays`,
      );
      return DONE;
    },
  });
