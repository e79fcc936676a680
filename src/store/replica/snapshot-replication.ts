import { OpError } from "../../core/errors.ts";
import type { LogView } from "../audit/log-view.ts";
import type { LoggedSnapshot } from "../audit/snapshot-entry.ts";
import { CONTENTS_BYTES, manifestRoot, MOST_OFFERED, type SnapshotFile } from "./manifest.ts";
import type { OpenReplica } from "./open-replica.ts";
import type { SnapshotSource } from "./snapshot-source.ts";

/** What a replication did for snapshots. */
export interface ReplicatedSnapshots {
  readonly sent: number;
  /** Of the files that were sent. */
  readonly bytes: number;
  /** Those that the replica has not got, and why. */
  readonly leftOut: readonly { readonly name: string; readonly why: OpError }[];
}

export interface SnapshotSending {
  readonly source: SnapshotSource;
  /** Of those that are to be sent; listed before the view was taken, which so has their entries. */
  readonly names: readonly string[];
  /** A view of the log, all of which the replica has. */
  readonly view: LogView;
}

/**
 * Brings a replica the snapshots that it does not have, newest first, each with the files that it does not have. One that cannot be sent is
 * left out; one that was let go meanwhile is not missed. Throws kind integrity, once all others are sent, for one that is not what the log says.
 */
export async function replicateSnapshots({ source, names, view }: SnapshotSending, replica: OpenReplica): Promise<ReplicatedSnapshots> {
  const leftOut: { name: string; why: OpError }[] = [];
  const leave = (name: string, why: OpError) => {
    if (source.has(name)) leftOut.push({ name, why });
  };
  const logged = names.flatMap((name) => {
    const found = source.logged(name, view);
    if (found === undefined) leave(name, new OpError("refused", "The log has no entry of it, or not any more"));
    return found ?? [];
  });
  const newestFirst = logged.sort((a, b) => b.entry - a.entry);
  let [sent, bytes] = [0, 0];
  for (let from = 0; from < newestFirst.length; from += MOST_OFFERED) {
    const offered = newestFirst.slice(from, from + MOST_OFFERED);
    for (const place of await replica.offer(offered.map(({ entry }) => entry))) {
      const snapshot = offered[place] ?? misunderstood();
      try {
        bytes += await send(snapshot, { source, replica });
        sent += 1;
      } catch (error) {
        if (!(error instanceof SourceFault)) throw error;
        leave(snapshot.name, error.why);
      }
    }
  }
  const damaged = leftOut.find(({ why }) => why.kind === "integrity");
  if (damaged !== undefined) throw damaged.why;
  return { sent, bytes, leftOut };
}

/** Returns how many bytes of files were sent. */
async function send({ name, state, entry }: LoggedSnapshot, { source, replica }: { source: SnapshotSource; replica: OpenReplica }): Promise<number> {
  const files = ofSource(() => source.files(name));
  if (manifestRoot({ entry, files }) !== state) throw new SourceFault(new OpError("integrity", `Snapshot ${name} is not what entry ${entry} of the log says: it was not sent, all else was`));
  let [contents, length, total]: [Buffer[], number, number] = [[], 0, 0];
  const flush = async () => {
    if (length > 0) await replica.fill(Buffer.concat(contents, length));
    [contents, length, total] = [[], 0, total + length];
  };
  for (const place of await replica.begin({ entry, files })) {
    const file: SnapshotFile = files[place] ?? misunderstood();
    const bytes = ofSource(() => source.bytes(name, file));
    contents.push(bytes);
    length += bytes.length;
    if (length >= CONTENTS_BYTES) await flush();
  }
  await flush();
  return total;
}

/** Something is wrong with a snapshot here; its replica can go on with another. */
class SourceFault extends Error {
  readonly why: OpError;

  constructor(why: OpError) {
    super(why.message);
    this.why = why;
  }
}

function ofSource<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof OpError ? new SourceFault(error) : error;
  }
}

function misunderstood(): never {
  throw new OpError("unavailable", "The replica asks for what was not offered to it", { hint: "Is the op-dbus at the other end of this version?" });
}
