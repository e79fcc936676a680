import { basename, join } from "node:path";
import { must } from "./command.ts";
import { CACHE, CHECKOUT } from "./folders.ts";

/** Compiles a TypeScript file as scripts/build does op-dbus, native library included, and returns the program's path. The next time replaces it. */
export async function compiled(entry: string): Promise<string> {
  const folder = join(CACHE, "programs", basename(entry, ".ts"));
  await must([process.execPath, join(CHECKOUT, "scripts/lib/build.ts"), "--entry", entry, "--outdir", folder], { timeoutMs: 240_000 });
  return join(folder, "op-dbus");
}
