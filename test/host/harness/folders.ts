import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/** The checkout's root folder. */
export const CHECKOUT = resolve(import.meta.dir, "../../..");

/** Everything the tests keep between runs; not in git, safe to delete. */
export const CACHE = join(CHECKOUT, ".cache");

/** What an image is made of. */
export const RECIPE = resolve(import.meta.dir, "../image");

/** The built binary, or an error that says how to get it. */
export function builtBinary(): string {
  const path = join(CHECKOUT, "dist/op-dbus");
  if (!existsSync(path)) throw new Error(`There is no ${path}: run scripts/build first`);
  return path;
}

/** Fails early and clearly where no host can be had. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0) throw new Error("Booting a test host needs root (mount namespaces, systemd-nspawn)");
}
