import { OpError } from "../../core/errors.ts";
import { LogView } from "../audit/log-view.ts";
import type { LogFiles } from "../audit/log-files.ts";
import type { VerifierKey } from "../audit/note.ts";
import { encodeFrame } from "../audit/tail.ts";
import type { Opener } from "./open-replica.ts";
import { replicateSnapshots, type ReplicatedSnapshots } from "./snapshot-replication.ts";
import type { SnapshotSource } from "./snapshot-source.ts";

/** What a replication did. */
export interface Replicated {
  /** How many entries the replica had, and how many it has. */
  readonly from: number;
  readonly size: number;
  readonly blocks: number;
  /** Of the blocks that were sent. */
  readonly bytes: number;
  /** The signed tree head of what the replica has. */
  readonly treeHead: string;
  readonly snapshots: ReplicatedSnapshots;
}

export interface ReplicationParts {
  readonly files: LogFiles;
  readonly key: VerifierKey;
  readonly snapshots: SnapshotSource;
}

/** Blocks are sent together until they have so many bytes. */
const PIECE_BYTES = 1024 * 1024;
/** A block that has more is not sent: the other end holds one in memory. */
const BLOCK_LIMIT_BYTES = 64 * 1024 * 1024;
export const PIECE_LIMIT_BYTES = PIECE_BYTES + BLOCK_LIMIT_BYTES;

/** Brings a replica to what a log has at this instant, published or not; then its snapshots, which that vouches for. */
export async function replicate({ files, key, snapshots: source }: ReplicationParts, open: Opener): Promise<Replicated> {
  const names = source.names();
  const view = new LogView(files, key);
  const head = view.treeHead;
  if (head === undefined) throw new OpError("invalid", "There is nothing in the log yet");
  await using replica = await open({ key: key.toString(), head });
  const { size: from, blocks } = replica.standing;
  if (from > view.size) throw incomplete(from, view.size);
  await replica.prove(view.consistencyProof(from));
  if (from < view.size && view.block(blocks)?.first !== from) {
    throw new OpError("integrity", `The replica has ${from} entries in ${blocks} blocks; the log's next block does not begin there`, { hint: "'op-dbus audit verify' here, and with --blockchain-path there, says which is wrong" });
  }
  let bytes = 0;
  for (const piece of pieces(view, blocks)) {
    await replica.take(piece);
    bytes += piece.length;
  }
  const { size, blocks: all } = replica.standing;
  if (size !== view.size) throw incomplete(size, view.size);
  const snapshots = await replicateSnapshots({ source, names, view }, replica);
  return { from, size, blocks: all - blocks, bytes, treeHead: head, snapshots };
}

function* pieces(view: LogView, from: number): Generator<Buffer> {
  let [piece, length]: [Buffer[], number] = [[], 0];
  for (const frame of view.frames(from)) {
    const bytes = encodeFrame(frame);
    if (bytes.length > BLOCK_LIMIT_BYTES) throw new OpError("refused", `Block ${frame.block.number} has ${bytes.length} bytes; a replica takes at most ${BLOCK_LIMIT_BYTES}`);
    piece.push(bytes);
    length += bytes.length;
    if (length < PIECE_BYTES) continue;
    yield Buffer.concat(piece, length);
    [piece, length] = [[], 0];
  }
  if (length > 0) yield Buffer.concat(piece, length);
}

function incomplete(has: number, wanted: number): OpError {
  return new OpError("unavailable", `The replica says that it has ${has} entries; the log has ${wanted}`, { hint: "Is the op-dbus at the other end of this version?" });
}
