import { join } from "node:path";

/** The native library's file when op-dbus runs from source. In a binary another module takes this one's place (scripts/lib/native.ts) and names the file inside it. */
export const LIBRARY = join(import.meta.dir, `../../../dist/native/${process.arch}.so`);
