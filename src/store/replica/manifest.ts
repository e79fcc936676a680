import { rootOfLeaves, sha256 as hashOf, type FileLeaf } from "../content-root.ts";

/** A file of a snapshot's state, without its bytes. */
export interface SnapshotFile extends FileLeaf {
  readonly sizeBytes: number;
}

/** A snapshot as it is sent: its entry of the log, by number, and the files of its state, sorted by path. */
export interface Manifest {
  readonly entry: number;
  readonly files: readonly SnapshotFile[];
}

/** How many snapshots are offered at once. */
export const MOST_OFFERED = 1000;
export const MOST_FILES = 100_000;
const MIB = 1024 * 1024;
/** Files are sent together until they have so many bytes. */
export const CONTENTS_BYTES = MIB;
/** Either end holds a file in memory. */
const FILE_LIMIT_BYTES = 64 * MIB;
export const CONTENTS_LIMIT_BYTES = CONTENTS_BYTES + FILE_LIMIT_BYTES;
const STATE_LIMIT_BYTES = 4096 * MIB;
const ALL_PATHS_LIMIT_BYTES = 16 * MIB;
const PATH_LIMIT_BYTES = 1024;
const NAME_LIMIT_BYTES = 255;
const MOST_NAMES = 8;
const NOTHING = hashOf([]);
/** A file's own user may read it, nobody else write it, and it lends nobody any rights. */
const MODE = /^[4-7][0145]{2}$/;

/** The content root of what is to come. */
export function manifestRoot({ files }: Manifest): string {
  return rootOfLeaves(files.map(({ path, mode, sha256 }) => ({ path, mode, sha256 })));
}

/** Why a replica takes no such files, whoever vouches for them; undefined where it does. */
export function unfit(files: readonly SnapshotFile[]): string | undefined {
  if (files.length === 0) return "it has no files";
  if (files.length > MOST_FILES) return `it has ${files.length} files, and ${MOST_FILES} are the most`;
  const size = sum(files, ({ sizeBytes }) => sizeBytes);
  if (size > STATE_LIMIT_BYTES) return `it has ${size} bytes, and ${STATE_LIMIT_BYTES} are the most`;
  const paths = sum(files, ({ path }) => Buffer.byteLength(path));
  if (paths > ALL_PATHS_LIMIT_BYTES) return `its paths have ${paths} bytes, and ${ALL_PATHS_LIMIT_BYTES} are the most`;
  const folders = new Set(files.flatMap(({ path }) => foldersOf(path)));
  for (const [index, file] of files.entries()) {
    const why = unfitFile(file) ?? unfitPlace(file.path, files[index - 1]?.path, folders);
    if (why !== undefined) return `its file ${JSON.stringify(file.path)} ${why}`;
  }
  return undefined;
}

function unfitFile({ path, mode, sha256, sizeBytes }: SnapshotFile): string | undefined {
  const names = path.split("/");
  if (!names.every(isPlain) || !path.isWellFormed()) return "has a path that may lead elsewhere";
  if (names.length > MOST_NAMES || Buffer.byteLength(path) > PATH_LIMIT_BYTES || names.some((name) => Buffer.byteLength(name) > NAME_LIMIT_BYTES)) return "lies too deep, or has too long a name";
  if (!MODE.test(mode)) return `has the mode ${mode}`;
  if (sizeBytes > FILE_LIMIT_BYTES) return `has ${sizeBytes} bytes, and ${FILE_LIMIT_BYTES} are the most`;
  return sizeBytes === 0 && sha256 !== NOTHING ? "has no bytes, and the hash of some" : undefined;
}

/** In order, none twice, and no file where others need a folder. */
function unfitPlace(path: string, before: string | undefined, folders: ReadonlySet<string>): string | undefined {
  if (before !== undefined && !(before < path)) return "is out of order";
  return folders.has(path) ? "is a folder too" : undefined;
}

function isPlain(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[\u0000-\u001f\u007f]/.test(name);
}

function foldersOf(path: string): string[] {
  const names = path.split("/").slice(0, MOST_NAMES);
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join("/"));
}

function sum(files: readonly SnapshotFile[], of: (file: SnapshotFile) => number): number {
  return files.reduce((total, file) => total + of(file), 0);
}
