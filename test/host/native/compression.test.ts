import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { createSubvolume, setReadOnly, syncFilesystem } from "../../../src/sys/native/btrfs.ts";
import { readCompression, setCompression, type Compression } from "../../../src/sys/native/compression.ts";
import { diskForTests } from "../harness/disk.ts";
import { refusalOf } from "./errors.ts";

setDefaultTimeout(120_000);

const disk = diskForTests();
const at = (path: string) => disk.at(`btrfs/${path}`);

async function shown(path: string): Promise<string> {
  return (await disk.run("btrfs", "property", "get", `btrfs/${path}`, "compression")).stdout;
}

test("setCompression sets and removes what `btrfs property get` shows, and folders hand it on", async () => {
  mkdirSync(at("folder"));
  writeFileSync(at("file"), "x");
  expect(readCompression(at("file"))).toBeUndefined();
  for (const compression of ["zlib", "lzo", "zstd", "no"] satisfies Compression[]) {
    setCompression(at("file"), compression);
    expect(readCompression(at("file"))).toBe(compression);
    expect(await shown("file")).toBe(`compression=${compression}\n`);
  }
  setCompression(at("folder"), "zstd");
  writeFileSync(at("folder/inherits"), "x");
  expect(readCompression(at("folder/inherits"))).toBe("zstd");
  for (const path of ["file", "folder"]) {
    setCompression(at(path), undefined);
    setCompression(at(path), undefined);
    expect(readCompression(at(path))).toBeUndefined();
    expect(await shown(path)).toBe("");
  }
});

test("what is written to a file with compression is compressed on the disk", async () => {
  const isEncoded = async (compression: Compression) => {
    writeFileSync(at(compression), "");
    setCompression(at(compression), compression);
    // Not by Bun, which allocates a large file's blocks beforehand: those are never compressed.
    await disk.run("sh", "-c", `yes compressible | head -c 4M > btrfs/${compression}`);
    syncFilesystem(at("."));
    // FIEMAP_EXTENT_ENCODED: the extents are not as the file reads.
    return (await disk.run("filefrag", "-v", `btrfs/${compression}`)).stdout.includes("encoded");
  };
  expect([await isEncoded("zstd"), await isEncoded("no")]).toEqual([true, false]);
});

test("what cannot be set throws with errno, operation and path", async () => {
  createSubvolume(at("ro"));
  writeFileSync(at("ro/file"), "");
  setReadOnly(at("ro"), true);
  writeFileSync(disk.at("ext4/file"), "");
  const seen = [
    await refusalOf(() => setCompression(at("ro/file"), "zstd")),
    await refusalOf(() => setCompression(disk.at("ext4/file"), "zstd")),
    await refusalOf(() => setCompression(at("missing"), "zstd")),
    await refusalOf(() => setCompression(at("file"), "brotli" as Compression)),
    await refusalOf(() => readCompression(disk.at("ext4/file"))),
  ];
  expect(seen).toEqual([
    "EROFS failed: set the compression of /mnt/btrfs/ro/file to zstd",
    "EOPNOTSUPP unavailable: set the compression of /mnt/ext4/file to zstd",
    "ENOENT failed: set the compression of /mnt/btrfs/missing to zstd",
    "EINVAL failed: set the compression of /mnt/btrfs/file to brotli",
    "EOPNOTSUPP unavailable: read the compression of /mnt/ext4/file",
  ]);
});
