import { basename, dirname, resolve } from "node:path";
import { cString } from "../libc.ts";
import { withOpen } from "./descriptor.ts";
import { check } from "./failure.ts";
import { native } from "./library.ts";
import { uuidBytes } from "./uuid.ts";

/*
 * Subvolumes of BTRFS, by its ioctls: btrfs-subvolume(8), linux/btrfs.h, fs/btrfs/ioctl.c. Everything throws an OpError whose cause has
 * the kernel's errno: ENOTTY (kind unavailable) where the path is not on BTRFS, EROFS where it is read-only, EPERM or EACCES (kind
 * refused) where it is not this user's. To delete one takes CAP_SYS_ADMIN, unless it is mounted with user_subvol_rm_allowed.
 */

const [ON_BTRFS, SUBVOLUME] = [1, 2];

/** Whether the path is on BTRFS. */
export function isBtrfs(path: string): boolean {
  return kindOf(path) >= ON_BTRFS;
}

/** Whether the path is a subvolume, and not just a file or folder inside one. */
export function isSubvolume(path: string): boolean {
  return kindOf(path) === SUBVOLUME;
}

/** Makes an empty, writable subvolume. EEXIST where anything is there. */
export function createSubvolume(path: string): void {
  const operation = `create the subvolume ${path}`;
  inFolder(path, operation, (folder, name) => check(native().opd_btrfs_create(folder, name), operation));
}

export interface SnapshotOptions {
  /** A snapshot that can be sent, and that nobody can write to. */
  readonly readOnly: boolean;
}

/** Makes a snapshot of the subvolume `source`. EINVAL where that is not a subvolume, EXDEV where `path` is on another file system. */
export function snapshotSubvolume(source: string, path: string, { readOnly }: SnapshotOptions): void {
  const operation = `snapshot ${source} as ${path}`;
  withOpen(source, operation, (fd) =>
    inFolder(path, operation, (folder, name) => check(native().opd_btrfs_snapshot(fd, folder, name, readOnly ? 1 : 0), operation)),
  );
}

/**
 * Deletes a subvolume with all that is in it, read-only ones too; its space comes back later, in the background. A link is not followed.
 * ENOTEMPTY where it holds another subvolume, EINVAL where it is not one, EPERM where it is the file system's default or is being sent.
 */
export function deleteSubvolume(path: string): void {
  const operation = `delete the subvolume ${path}`;
  inFolder(path, operation, (folder, name) => check(native().opd_btrfs_delete(folder, name), operation));
}

/**
 * EINVAL where the path is not a subvolume, EPERM while it is being sent. A received subvolume that is made writable keeps its received
 * uuid, though it may soon differ from what was sent: do not build another receive on it.
 */
export function setReadOnly(path: string, readOnly: boolean): void {
  const operation = `make ${path} ${readOnly ? "read-only" : "writable"}`;
  withOpen(path, operation, (fd) => check(native().opd_btrfs_set_read_only(fd, readOnly ? 1 : 0), operation));
}

export interface ReceivedFrom {
  /** The sender's uuid of the subvolume. */
  readonly uuid: string;
  /** The sender's generation of it (ctransid in the stream). */
  readonly transid: bigint;
}

/** Notes on a subvolume what it was received from, as `btrfs receive` does before it makes it read-only. EROFS where that is done already. */
export function setReceived(path: string, { uuid, transid }: ReceivedFrom): void {
  const operation = `mark ${path} as received`;
  withOpen(path, operation, (fd) => check(native().opd_btrfs_set_received(fd, uuidBytes(uuid), transid), operation));
}

/** Returns when everything that was written to the path's file system is on the disk. It blocks for as long as that takes. */
export function syncFilesystem(path: string): void {
  const operation = `sync the file system of ${path}`;
  withOpen(path, operation, (fd) => check(native().opd_btrfs_sync(fd), operation));
}

function kindOf(path: string): number {
  const operation = `look at ${path}`;
  return withOpen(path, operation, (fd) => check(native().opd_btrfs_kind(fd), operation));
}

function inFolder(path: string, operation: string, act: (folder: number, name: Buffer) => void): void {
  const absolute = resolve(path);
  withOpen(dirname(absolute), operation, (folder) => act(folder, cString(basename(absolute))));
}
