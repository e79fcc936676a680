import { join, resolve } from "node:path";
import type { BunPlugin } from "bun";

const CHECKOUT = resolve(import.meta.dir, "../..");
/** What another machine's compiler is in; Debian's names. */
const CROSS = {
  x64: "gcc-x86-64-linux-gnu, libc6-dev-amd64-cross",
  arm64: "gcc-aarch64-linux-gnu, libc6-dev-arm64-cross",
  "x64-musl": "musl-tools, linux-libc-dev",
} as const;

/** What native/Makefile can build. */
export type LibraryTarget = keyof typeof CROSS;

/** This machine's own, which op-dbus loads when it runs from source. */
export const OWN_LIBRARY: LibraryTarget = process.arch === "arm64" ? "arm64" : "x64";

/** Builds the native library where it is missing or older than its sources, and returns its path. Throws, saying what is missing, where it cannot. */
export async function buildLibrary(target: LibraryTarget = OWN_LIBRARY): Promise<string> {
  const { exit, output } = await run(["make", "--silent", "-C", join(CHECKOUT, "native"), target]);
  if (exit === 0) return join(CHECKOUT, `dist/native/${target}.so`);
  const compiler = target === process.arch ? "gcc, libc6-dev" : CROSS[target];
  throw new Error(`The native library for ${target} cannot be built. It needs these Debian packages: make, ${compiler}\n${output}`);
}

/** Puts a library into the binary: the module that says where the library is names the file inside. */
export function embedLibrary(path: string): BunPlugin {
  return {
    name: "embed-library",
    setup(build) {
      build.onLoad({ filter: /\/src\/sys\/native\/library-file\.ts$/ }, () => ({
        contents: `import path from ${JSON.stringify(path)} with { type: "file" };\nexport const LIBRARY = path;`,
        loader: "js",
      }));
    },
  };
}

async function run(argv: string[]): Promise<{ exit: number; output: string }> {
  try {
    const child = Bun.spawn(argv, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    const [output, exit] = await Promise.all([child.stderr.text(), child.exited]);
    return { exit, output };
  } catch (error) {
    return { exit: 127, output: String(error) };
  }
}
