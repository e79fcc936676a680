import { OpError } from "../../core/errors.ts";
import { withOpen } from "./descriptor.ts";
import { check } from "./failure.ts";
import { hear } from "./hearing.ts";
import { native } from "./library.ts";
import { readSubvolume } from "./subvolume.ts";

export interface SendOptions {
  /** An open file, pipe or socket that takes the stream, in blocking mode. It is the caller's to close, a pipe before its reader can see the end. */
  readonly to: number;
  /** A read-only subvolume that the receiver has: only the difference is sent. */
  readonly parent?: string;
  /** More of those, that the stream may share data with. */
  readonly cloneSources?: readonly string[];
  /** Leaves file contents out: the stream says which ranges changed, and cannot be received. */
  readonly withoutData?: boolean;
}

const NO_FILE_DATA = 1n;
const RESULT_BYTES = 4;

/**
 * Writes a read-only subvolume as a stream, version 1 (btrfs-send(8), fs/btrfs/send.c), in a thread of its own, and resolves when it is
 * written. EPERM where the subvolume or a parent is writable or CAP_SYS_ADMIN is missing, EPIPE where the reader went away, EINVAL for
 * what is not a subvolume.
 */
export async function sendSubvolume(path: string, options: SendOptions): Promise<void> {
  const operation = `send the subvolume ${path}`;
  const parent = options.parent === undefined ? 0n : readSubvolume(options.parent).id;
  const others = (options.cloneSources ?? []).map((source) => readSubvolume(source).id);
  // The kernel takes the parent for the difference only; as a source of shared data it must be named, too.
  const clones = BigUint64Array.from(new Set(parent === 0n ? others : [parent, ...others]));
  const flags = options.withoutData === true ? NO_FILE_DATA : 0n;
  const teller = withOpen(path, operation, (fd) =>
    check(native().opd_btrfs_send(fd, options.to, parent, clones.length === 0 ? null : clones, clones.length, flags), operation),
  );
  check(await resultFrom(teller, operation), operation);
}

async function resultFrom(teller: number, operation: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let heard = Buffer.alloc(0);
  using _hearing = await hear(teller, {
    data(bytes) {
      heard = Buffer.concat([heard, bytes]);
      if (heard.length >= RESULT_BYTES) resolve(heard.readInt32LE(0));
    },
    end: () => reject(new OpError("internal", `Could not ${operation}: its thread ended without a result`)),
  });
  return await promise;
}
