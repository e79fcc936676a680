import { OpError } from "../../core/errors.ts";
import type { LogView } from "../audit/log-view.ts";
import type { VerifierKey } from "../audit/note.ts";
import { encodeFrame } from "../audit/tail.ts";

/** What a log says of itself before anything is sent: where it is to go, its verifier key, its signed tree head. */
export interface Opening {
  /** Absolute. */
  readonly path: string;
  readonly key: string;
  readonly head: string;
}

/** How many entries a replica has, in how many blocks; they are on its disk. */
export interface Standing {
  readonly size: number;
  readonly blocks: number;
}

/** A replica that is being brought up to date, here or elsewhere. What it does not take it throws; then it is of no more use. */
export interface OpenReplica extends AsyncDisposable {
  /** What it had when it was opened; after each call what it has then. */
  readonly standing: Standing;
  /** Shows that the log begins with what the replica has. Throws kind integrity where it does not. Comes before `take`. */
  prove(proof: readonly Uint8Array[]): Promise<void>;
  /** The next blocks with their entries, frames as a tail has them. Throws kind integrity for any that the log's key did not sign there. */
  take(piece: Buffer): Promise<void>;
}

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
}

/** Blocks are sent together until they have so many bytes. */
const PIECE_BYTES = 1024 * 1024;
/** A block that has more is not sent: the other end holds one in memory. */
const BLOCK_LIMIT_BYTES = 64 * 1024 * 1024;
export const PIECE_LIMIT_BYTES = PIECE_BYTES + BLOCK_LIMIT_BYTES;

/** Opens the replica that a log with this key and tree head is to go to. */
export type Opener = (log: Omit<Opening, "path">) => Promise<OpenReplica>;

/** Brings a replica to what the view of a log has, published or not. */
export async function replicate(view: LogView, key: VerifierKey, open: Opener): Promise<Replicated> {
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
  return { from, size, blocks: all - blocks, bytes, treeHead: head };
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
