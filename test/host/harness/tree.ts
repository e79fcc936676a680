import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { must } from "./command.ts";

/** Copies a folder so that the copy belongs to root and everybody can read it, whoever owns the checkout and whatever the umask is. */
export async function copyTree(from: string, to: string): Promise<void> {
  await must(["mkdir", "-p", "-m", "755", to]);
  const script = 'tar --owner=0 --group=0 --mode=u=rwX,go=rX -C "$0" -cf - . | tar --same-owner -p -C "$1" -xf -';
  await must(["sh", "-c", script, from, to]);
}

/** A digest of names, contents and executable bits of the files below `folders`. */
export async function digestTree(...folders: string[]): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const path of paths.sort()) {
      const executable = ((await stat(path)).mode & 0o100) !== 0;
      hash.update(`${path.slice(folder.length)}\0${executable}\0`).update(await readFile(path)).update("\0");
    }
  }
  return hash.digest("hex").slice(0, 16);
}
