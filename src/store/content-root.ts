import { canonicalJson } from "../core/json.ts";
import { filesBelow } from "../sys/files.ts";
import { Frontier } from "./audit/frontier.ts";
import { leafHash } from "./audit/merkle.ts";

/**
 * One hash for all that a folder holds: the RFC 6962 root, in hex, over a leaf for each file, sorted by path. A leaf is the canonical JSON of
 * {"mode", "path", "sha256"}, or {"link", "path"} for a symbolic link. Folders and times do not count.
 */
export function contentRoot(folder: string): string {
  const tree = new Frontier();
  for (const { path, mode, target, read } of filesBelow(folder)) {
    const leaf = target === undefined ? { path, mode: mode.toString(8), sha256: sha256(read()) } : { path, link: target };
    tree.push(leafHash(Buffer.from(canonicalJson(leaf))));
  }
  return Buffer.from(tree.root()).toString("hex");
}

function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}
