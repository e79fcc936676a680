import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { columns, when, wrap } from "../printable.ts";

const NONE_SENT = "No snapshots: the host that wrote this log had none, or has sent none yet";
const NONE = "No snapshots: there are some only where the state directory is in subvolumes of BTRFS";

export const auditSnapshotsCommand: CommandFactory = (context) =>
  command({
    args: { "blockchain-path": { type: "string", value: "DIR", description: "a replica's folder, the one that has the file 'checkpoint': its snapshots, by their times", complete: "file" } },
    about:
      "Lists the read-only snapshots of log and state, oldest first: on BTRFS one is taken after a change when the last is older than " +
      "OPDBUS_SNAPSHOT_INTERVAL, and OPDBUS_RETAIN_HOURLY, _DAILY, _WEEKLY and _QUARTERLY say how many are kept. Each is an entry of the log, with the hash of what is in it.",
    example: "op-dbus audit snapshots",
    exits: [0, 1, 2, 6, 7],
    async run({ "blockchain-path": path }) {
      const snapshots = path === undefined ? await context.snapshots() : (await context.archive({ path })).snapshots();
      const rows = snapshots.map(({ name, made }) => [name, when(made.toISOString())]);
      await context.output.result(
        () => ({ snapshots: snapshots.map(({ name, made }) => ({ name, made: made.toISOString() })) }),
        () => (rows.length === 0 ? wrap(path === undefined ? NONE : NONE_SENT, context.output.style.width).join("\n") : columns([["NAME", "TAKEN"], ...rows]).join("\n")),
      );
      return DONE;
    },
  });
