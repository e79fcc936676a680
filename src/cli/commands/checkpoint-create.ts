import { OpError } from "../../core/errors.ts";
import type { Checkpoint } from "../../core/ports.ts";
import { recordChange } from "../books.ts";
import { checkpointJson } from "../checkpoints.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { tellRecovered } from "../standing.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const checkpointCreateCommand: CommandFactory = (context) =>
  command({
    args: {
      name: { type: "positional", value: "NAME", required: true, description: "letters, digits, '.', '_' and '-'" },
    },
    about: "Marks this point: 'op-dbus rollback --to-checkpoint NAME' later undoes every apply made after it.",
    example: "op-dbus checkpoint create before-upgrade",
    exits: [0, 1, 2, 6, 8],
    async run({ name }) {
      if (!NAME.test(name)) {
        throw new OpError("invalid", `'${name}' cannot name a checkpoint`, { hint: "Up to 64 letters, digits, '.', '_' and '-', the first a letter or digit" });
      }
      if (name.startsWith("auto-")) throw new OpError("invalid", `'${name}' cannot name a checkpoint: op-dbus itself names them 'auto-...'`);
      await using session = await context.open("write");
      const created = await session.engine.change(
        "checkpoint create",
        { force: false, observer: {}, recovered: tellRecovered(context) },
        async (host) => {
          const existing = host.ledger.marks();
          if (existing.some((other) => other.name === name)) throw new OpError("refused", `There is a checkpoint '${name}' already`);
          const sequence = Math.max(0, ...existing.map((other) => other.sequence)) + 1;
          const checkpoint: Checkpoint = { name, sequence, created: host.clock.now().toISOString(), actor: host.actor };
          await recordChange(host, { kind: "checkpoint", operation: "create", detail: name }, { checkpoints: [checkpoint] });
          return checkpoint;
        },
      );
      await context.output.result(
        () => checkpointJson(created),
        () => `Marked. To return to this point: op-dbus rollback --to-checkpoint ${name}`,
      );
      return DONE;
    },
  });
