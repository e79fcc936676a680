import type { JsonObject } from "../../core/json.ts";
import type { Verified } from "../../store/audit/verify.ts";
import type { VerifiedSnapshots } from "../../store/snapshot-check.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { OpenForwards } from "../history.ts";
import { counted, when } from "../printable.ts";

/** Names of snapshots that people are shown. */
const MOST_NAMED = 3;
/** Numbers of open announcements that people are shown. */
const MOST_OPEN = 20;

export const auditVerifyCommand: CommandFactory = (context) =>
  command({
    args: {
      "blockchain-path": { type: "string", value: "DIR", description: "a replica's folder, the one that has the file 'checkpoint'", complete: "file" },
      key: { type: "string", value: "VKEY", description: "the verifier key that you know to be the log's ('op-dbus audit key' on the host that wrote it)" },
    },
    about:
      "Checks the whole audit log offline, without the private key: every entry, tile, bundle and block, and each signed tree head against the entries that it was signed over. " +
      "Of entries that were pruned, as an entry of the log must say, the hashes are checked. Then the state in each snapshot beside the log is held to the hash that the log has of it, " +
      "which takes as long as reading them all. Exit 7 names the first entry, or the snapshot, that is not as it was logged. Changes that were announced and have no outcome are listed; they are no damage.",
    example: "op-dbus audit verify --blockchain-path /mnt/replica",
    exits: [0, 1, 2, 6, 7],
    async run({ "blockchain-path": path, key }) {
      const archive = await context.archive({ ...(path === undefined ? {} : { path }), ...(key === undefined ? {} : { key }) });
      let open = new OpenForwards();
      const verified = archive.verify(() => {
        const begun = (open = new OpenForwards());
        return (entry) => begun.add(entry);
      });
      const numbers = open.open;
      await context.output.result(
        () => ({ path: archive.path, entries: verified.size, blocks: verified.blocks, unpublished: verified.unpublished, open: numbers, key: archive.key, key_given: !archive.keyFound, tree_head: verified.treeHead ?? null, pruned: prunedJson(verified), snapshots: { ...verified.snapshots } }),
        () => [`${archive.path} verifies: ${counted(verified.size, "entry", "entries")} in ${counted(verified.blocks, "block")}`, ...prunedLines(verified), ...snapshotLines(verified.snapshots), ...openLines(numbers), ...keyLines(archive.keyFound, path)].join("\n"),
      );
      return DONE;
    },
  });

function prunedLines({ pruned }: Verified): string[] {
  if (pruned === undefined) return [];
  const { minimumIndex, when: time, bundlesLeft } = pruned;
  const left = bundlesLeft === 0 ? [] : [`${counted(bundlesLeft, "bundle")} of them still there: op-dbus audit prune ends what was cut short`];
  return [`Entries 0 to ${minimumIndex - 1} were pruned on ${when(time)}; their hashes verify`, ...left];
}

function prunedJson({ pruned }: Verified): JsonObject | null {
  if (pruned === undefined) return null;
  return { minimum_index: pruned.minimumIndex, when: pruned.when, entry: pruned.entry, bundles_left: pruned.bundlesLeft };
}

function snapshotLines({ checked, unreadable, unlogged }: VerifiedSnapshots): string[] {
  return [
    ...(checked === 0 ? [] : [`The state in ${counted(checked, "snapshot")} is what the log says`]),
    ...(unreadable.length === 0 ? [] : [`${counted(unreadable.length, "snapshot")} not checked, which this user may not read`]),
    ...(unlogged.length === 0 ? [] : [`Of ${counted(unlogged.length, "snapshot")} the log has no entry, or not any more: ${unlogged.slice(0, MOST_NAMED).join(", ")}`]),
  ];
}

function openLines(numbers: readonly number[]): string[] {
  if (numbers.length === 0) return [];
  const shown = numbers.slice(0, MOST_OPEN).join(", ");
  return [`Announced without an outcome: ${shown}${numbers.length > MOST_OPEN ? ` and ${numbers.length - MOST_OPEN} more` : ""}`];
}

/** A key out of a folder says that the folder fits together, not whose it is. */
function keyLines(keyFound: boolean, path: string | undefined): string[] {
  return keyFound && path !== undefined ? ["The key was found in that folder: --key VKEY says whose log it is to be"] : [];
}
