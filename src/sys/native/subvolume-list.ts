import { fstatSync } from "node:fs";
import { codeOf, type OpError } from "../../core/errors.ts";
import { withOpen } from "./descriptor.ts";
import { check } from "./failure.ts";
import { native } from "./library.ts";
import { SubvolumeRecord, type Subvolume } from "./subvolume.ts";

export interface ListedSubvolume extends Subvolume {
  /** From the folder that was asked for: "a/b". */
  readonly path: string;
}

/** linux/btrfs.h, struct btrfs_ioctl_ino_lookup_args: treeid, objectid, name. */
const LOOKUP_BYTES = 4096;
const NAME_OFFSET = 16;

/**
 * All subvolumes below a folder, sorted by path, also those that another mount hides; by a search of the tree of roots, which needs
 * CAP_SYS_ADMIN. It is no snapshot: of what comes or goes meanwhile, some may be in it. Generations are those of the last commit.
 */
export function listSubvolumes(folder: string): readonly ListedSubvolume[] {
  const operation = `list the subvolumes below ${folder}`;
  return withOpen(folder, operation, (fd) => {
    const search = new Search(fd, operation);
    const top = search.treeOf(fd);
    const above = search.folderPath(top, fstatSync(fd, { bigint: true }).ino) ?? "";
    const all = new Map(search.all().map((subvolume) => [subvolume.id, subvolume]));
    const paths = new Map<bigint, string | undefined>([[top, ""]]);
    // From the top of `top`'s tree; undefined for what lies elsewhere. A subvolume lies in one with any id: what is moved keeps its own.
    const pathOf = (id: bigint): string | undefined => {
      if (paths.has(id)) return paths.get(id);
      const subvolume = all.get(id);
      const parent = subvolume?.parentId === undefined ? undefined : pathOf(subvolume.parentId);
      const within = subvolume?.parentId === undefined || parent === undefined ? undefined : search.folderPath(subvolume.parentId, subvolume.folderInode);
      const path = within === undefined ? undefined : `${parent}${within}${subvolume?.name}/`;
      paths.set(id, path);
      return path;
    };
    return [...all.values()]
      .flatMap((subvolume) => {
        const path = subvolume.id === top ? undefined : pathOf(subvolume.id);
        return path?.startsWith(above) ? [{ ...subvolume, path: path.slice(above.length, -1) }] : [];
      })
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  });
}

class Search {
  readonly #fd: number;
  readonly #operation: string;

  constructor(fd: number, operation: string) {
    this.#fd = fd;
    this.#operation = operation;
  }

  all(): Subvolume[] {
    const found: Subvolume[] = [];
    const record = new SubvolumeRecord();
    for (let after = 0n; check(native().opd_btrfs_next(this.#fd, after, record.bytes), this.#operation) === 1; after = record.id) found.push(record.decode());
    return found;
  }

  /** The id of the subvolume that an open file is in. */
  treeOf(fd: number): bigint {
    const args = lookup(0n, TOP_INODE);
    check(native().opd_btrfs_lookup(fd, args), this.#operation);
    return args.readBigUInt64LE(0);
  }

  /** From the top of a subvolume, with a slash at its end, or "" for the top; undefined where it was deleted meanwhile. */
  folderPath(tree: bigint, inode: bigint): string | undefined {
    const args = lookup(tree, inode);
    try {
      check(native().opd_btrfs_lookup(this.#fd, args), this.#operation);
    } catch (error) {
      if (codeOf((error as OpError).cause) === "ENOENT") return undefined;
      throw error;
    }
    return args.toString("utf8", NAME_OFFSET, args.indexOf(0, NAME_OFFSET));
  }
}

/** btrfs_tree.h, BTRFS_FIRST_FREE_OBJECTID. */
const TOP_INODE = 256n;

function lookup(tree: bigint, inode: bigint): Buffer {
  const args = Buffer.alloc(LOOKUP_BYTES);
  args.writeBigUInt64LE(tree, 0);
  args.writeBigUInt64LE(inode, 8);
  return args;
}
