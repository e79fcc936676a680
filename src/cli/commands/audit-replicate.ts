import type { JsonObject } from "../../core/json.ts";
import type { ReplicatedSnapshots } from "../../store/replica/snapshot-replication.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import type { Output } from "../output.ts";
import { counted } from "../printable.ts";
import { replicaTarget } from "../replica-target.ts";

export const auditReplicateCommand: CommandFactory = (context) =>
  command({
    args: {
      target: { type: "positional", value: "TARGET", required: true, description: "a folder, or ssh://[USER@]HOST[:PORT]/PATH where op-dbus is installed too", complete: "file" },
    },
    about:
      "Sends what a replica of the audit log does not have yet, and makes the replica where there is none; then the state in each snapshot that this host still has and the replica has not, " +
      "as files that are held to the hash of it in the log. A replica only grows: it keeps snapshots that are let go here. It takes only what the log's key signed, and verifies at every instant " +
      "('op-dbus audit verify --blockchain-path'); what an interrupted run left the next one goes on with. A snapshot that cannot be sent is left out with a warning. " +
      "Exit 7: the log does not go on from what the replica has, because it was written anew, cut short or taken back; the replica stays as it is. " +
      "The run itself is no entry, so that there can be nothing to send.",
    example: "op-dbus audit replicate ssh://witness@backup/srv/replica",
    exits: [0, 1, 2, 6, 7, 8],
    async run({ target }) {
      const replica = context.replica(replicaTarget(target));
      const { from, size, blocks, bytes, treeHead, snapshots } = await (await context.archive({})).replicate(replica);
      const log = `${counted(size - from, "entry", "entries")} from ${from} on, in ${counted(blocks, "block")}, ${counted(bytes, "byte")}`;
      const state = `${counted(snapshots.sent, "snapshot")}, ${counted(snapshots.bytes, "byte")}`;
      const sent = [...(size === from ? [] : [log]), ...(snapshots.sent === 0 ? [] : [state])];
      await context.output.result(
        () => ({ target, from, entries: size - from, blocks, bytes, size, tree_head: treeHead, snapshots: snapshotsJson(snapshots) }),
        () => (sent.length === 0 ? `${target} has all ${counted(size, "entry", "entries")}: nothing was sent` : `${target} has ${counted(size, "entry", "entries")}; sent: ${sent.join("; ")}`),
      );
      warnOfLeftOut(context.output, snapshots);
      return DONE;
    },
  });

function snapshotsJson({ sent, bytes, leftOut }: ReplicatedSnapshots): JsonObject {
  return { sent, bytes, left_out: leftOut.map(({ name, why }) => ({ name, why: why.message })) };
}

function warnOfLeftOut(output: Output, { leftOut }: ReplicatedSnapshots): void {
  const [first, ...others] = leftOut;
  if (first === undefined) return;
  const more = others.length === 0 ? "" : `, and ${counted(others.length, "other")} (--json names all)`;
  output.warn(`Snapshot ${first.name} was left out${more}: ${first.why.message}`);
}
