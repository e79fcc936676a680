import { canonicalJson } from "../core/json.ts";
import { filesBelow } from "../sys/files.ts";
import { Frontier } from "./audit/frontier.ts";
import { leafHash } from "./audit/merkle.ts";

/** What counts of a file, and of a symbolic link. */
export type ContentLeaf = FileLeaf | { readonly path: string; readonly link: string };

export interface FileLeaf {
  /** From the folder that was hashed. */
  readonly path: string;
  /** In octal digits. */
  readonly mode: string;
  /** In hex. */
  readonly sha256: string;
}

/**
 * One hash for all that a folder holds: the RFC 6962 root, in hex, over a leaf for each file, sorted by path. A leaf is the canonical JSON of
 * {"mode", "path", "sha256"}, or {"link", "path"} for a symbolic link. Folders and times do not count.
 */
export function contentRoot(folder: string): string {
  const found = filesBelow(folder);
  return rootOfLeaves(found.map(({ path, mode, target, read }) => (target === undefined ? { path, mode: mode.toString(8), sha256: sha256(read()) } : { path, link: target })));
}

/** The content root of a folder with these leaves. Takes them sorted by path. */
export function rootOfLeaves(leaves: Iterable<ContentLeaf>): string {
  const tree = new Frontier();
  for (const leaf of leaves) tree.push(leafHash(Buffer.from(canonicalJson({ ...leaf }))));
  return Buffer.from(tree.root()).toString("hex");
}

/** Of bytes in pieces, in hex. */
export function sha256(pieces: Iterable<Uint8Array>): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const piece of pieces) hasher.update(piece);
  return hasher.digest("hex");
}
