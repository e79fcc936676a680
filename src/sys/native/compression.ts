import { codeOf, type OpError } from "../../core/errors.ts";
import { cString } from "../libc.ts";
import { withOpen } from "./descriptor.ts";
import { check } from "./failure.ts";
import { native } from "./library.ts";

/** btrfs-property(8). "no" keeps a file from being compressed whatever the mount says; levels cannot be given by inode. */
export type Compression = "zlib" | "lzo" | "zstd" | "no";

const ATTRIBUTE = "btrfs.compression";
const LONGEST_BYTES = 64;

/** The inode's own property, as the kernel has it ("none" for "no" that was set as such); undefined where it has none. EOPNOTSUPP where it is not on BTRFS. */
export function readCompression(path: string): string | undefined {
  const operation = `read the compression of ${path}`;
  const value = Buffer.alloc(LONGEST_BYTES);
  return ifSet(() => {
    const length = withOpen(path, operation, (fd) => check(native().opd_attribute_get(fd, cString(ATTRIBUTE), value, value.length), operation));
    return value.toString("utf8", 0, length);
  });
}

/** Sets or, with undefined, removes the property. It is for what is written from now on; what is made in a folder inherits it. EROFS in a read-only subvolume. */
export function setCompression(path: string, compression: Compression | undefined): void {
  const operation = compression === undefined ? `remove the compression of ${path}` : `set the compression of ${path} to ${compression}`;
  withOpen(path, operation, (fd) => {
    if (compression === undefined) return ifSet(() => check(native().opd_attribute_remove(fd, cString(ATTRIBUTE)), operation));
    const value = Buffer.from(compression);
    return check(native().opd_attribute_set(fd, cString(ATTRIBUTE), value, value.length), operation);
  });
}

function ifSet<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (codeOf((error as OpError).cause) === "ENODATA") return undefined;
    throw error;
  }
}
