import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { counted } from "../printable.ts";
import { replicaTarget } from "../replica-target.ts";

export const auditReplicateCommand: CommandFactory = (context) =>
  command({
    args: {
      target: { type: "positional", value: "TARGET", required: true, description: "a folder, or ssh://[USER@]HOST[:PORT]/PATH where op-dbus is installed too", complete: "file" },
    },
    about:
      "Sends what a replica of the audit log does not have yet, and makes the replica where there is none. Only the log goes there: no snapshots, no state. " +
      "A replica only grows, takes only what the log's key signed, and verifies at every instant ('op-dbus audit verify --blockchain-path'); what an interrupted run left the next one goes on with. " +
      "Exit 7: the log does not go on from what the replica has, because it was written anew, cut short or taken back; the replica stays as it is. " +
      "The run itself is no entry, so that there can be nothing to send.",
    example: "op-dbus audit replicate ssh://witness@backup/srv/replica",
    exits: [0, 1, 2, 6, 7, 8],
    async run({ target }) {
      const replica = context.replica(replicaTarget(target));
      const { from, size, blocks, bytes, treeHead } = await (await context.archive({})).replicate(replica);
      await context.output.result(
        () => ({ target, from, entries: size - from, blocks, bytes, size, tree_head: treeHead }),
        () =>
          size === from
            ? `${target} has all ${counted(size, "entry", "entries")}: nothing was sent`
            : `${target} has ${counted(size, "entry", "entries")}; sent: ${counted(size - from, "entry", "entries")} from ${from} on, in ${counted(blocks, "block")}, ${counted(bytes, "byte")}`,
      );
      return DONE;
    },
  });
