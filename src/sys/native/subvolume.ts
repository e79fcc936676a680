import { withOpen } from "./descriptor.ts";
import { check } from "./failure.ts";
import { native } from "./library.ts";
import { uuidText } from "./uuid.ts";

/** What BTRFS knows of a subvolume. Generations are transaction numbers of its file system. */
export interface Subvolume {
  readonly id: bigint;
  /** Of the subvolume that it lies in; undefined for the file system's top. */
  readonly parentId: bigint | undefined;
  /** The inode, in that subvolume, of the folder that it lies in. */
  readonly folderInode: bigint;
  /** Bytes that are no UTF-8 are replaced, here and in the paths of a list: such a name cannot be used to open it. */
  readonly name: string;
  readonly readOnly: boolean;
  readonly uuid: string | undefined;
  /** Of the subvolume that it is a snapshot of. */
  readonly parentUuid: string | undefined;
  /** The sender's uuid of what was received here. */
  readonly receivedUuid: string | undefined;
  readonly generation: bigint;
  /** Generations at which something in it last changed, it was made, it was sent from (the sender's), it was received. */
  readonly ctransid: bigint;
  readonly otransid: bigint;
  readonly stransid: bigint;
  readonly rtransid: bigint;
  /** When it was made. */
  readonly createdAt: Date;
}

/** btrfs_tree.h, BTRFS_ROOT_SUBVOL_RDONLY: the flag in the tree, which is another than the ioctls'. */
const RDONLY = 1n;

/** Reads the subvolume that the path is, or is in. ENOTTY where it is not on BTRFS; needs no privilege (Linux 4.18). */
export function readSubvolume(path: string): Subvolume {
  const operation = `read the subvolume ${path}`;
  const record = new SubvolumeRecord();
  withOpen(path, operation, (fd) => check(native().opd_btrfs_info(fd, record.bytes), operation));
  return record.decode();
}

/** linux/btrfs.h, struct btrfs_ioctl_get_subvol_info_args: room for one. */
export class SubvolumeRecord {
  readonly bytes = Buffer.alloc(504);

  get id(): bigint {
    return this.#u64(0);
  }

  decode(): Subvolume {
    const parentId = this.#u64(264);
    return {
      id: this.id,
      parentId: parentId === 0n ? undefined : parentId,
      folderInode: this.#u64(272),
      name: this.bytes.toString("utf8", 8, this.bytes.indexOf(0, 8)),
      readOnly: (this.#u64(288) & RDONLY) !== 0n,
      uuid: this.#uuid(296),
      parentUuid: this.#uuid(312),
      receivedUuid: this.#uuid(328),
      generation: this.#u64(280),
      ctransid: this.#u64(344),
      otransid: this.#u64(352),
      stransid: this.#u64(360),
      rtransid: this.#u64(368),
      createdAt: new Date(Number(this.#u64(392)) * 1000 + Math.floor(this.bytes.readUInt32LE(400) / 1e6)),
    };
  }

  #u64(offset: number): bigint {
    return this.bytes.readBigUInt64LE(offset);
  }

  #uuid(offset: number): string | undefined {
    return uuidText(this.bytes.subarray(offset, offset + 16));
  }
}
