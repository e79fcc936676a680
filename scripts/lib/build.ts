import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { buildLibrary, embedLibrary, type LibraryTarget } from "./native.ts";

const CHECKOUT = resolve(import.meta.dir, "../..");

/** The targets that `scripts/build --target` takes: Bun's names for them, and which native library belongs into each. */
const TARGETS = {
  x64: { bun: "bun-linux-x64", library: "x64" },
  "x64-baseline": { bun: "bun-linux-x64-baseline", library: "x64" },
  "x64-musl": { bun: "bun-linux-x64-musl", library: "x64-musl" },
  arm64: { bun: "bun-linux-arm64", library: "arm64" },
} as const satisfies Record<string, { bun: Bun.Build.CompileTarget; library: LibraryTarget }>;

type Target = keyof typeof TARGETS;

/** The target that becomes plain dist/op-dbus. */
const NATIVE: Target = process.arch === "arm64" ? "arm64" : "x64";

const USAGE = `Usage: scripts/build [--target ${Object.keys(TARGETS).join("|")}|all] [--entry FILE] [--outdir FOLDER]`;

async function build(target: Target, options: { entry: string; outdir: string }): Promise<void> {
  const started = performance.now();
  const name = target === NATIVE ? "op-dbus" : `op-dbus-${target}`;
  // The file's name ends up inside the binary, so only its folder may be a temporary one.
  const folder = join(options.outdir, `.building-${process.pid}`);
  const scratch = join(folder, name);
  await mkdir(folder, { recursive: true });
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
  const result = await Bun.build({
    entrypoints: [options.entry],
    target: "bun",
    format: "esm",
    minify: true,
    bytecode: true,
    sourcemap: "none",
    allowUnresolved: [],
    define: { __VERSION__: JSON.stringify(packageJson.version), __COMMIT__: JSON.stringify(await commit()) },
    plugins: [embedLibrary(await buildLibrary(TARGETS[target].library))],
    compile: {
      target: TARGETS[target].bun,
      outfile: scratch,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  for (const log of result.logs) console.error(log);
  // A rename, so that a running op-dbus keeps the file it was started from.
  await rename(scratch, join(options.outdir, name));
  const { size } = await stat(join(options.outdir, name));
  console.log(`${join(options.outdir, name)}  ${(size / 1e6).toFixed(1)} MB  ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** The commit that is built, with "+" when the checkout differs from it; "unknown" without git. */
async function commit(): Promise<string> {
  const git = async (...args: string[]) => {
    const process = Bun.spawn(["git", "-C", CHECKOUT, ...args], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
    const text = await process.stdout.text();
    return (await process.exited) === 0 ? text.trim() : undefined;
  };
  const head = await git("rev-parse", "--short=12", "HEAD").catch(() => undefined);
  if (head === undefined) return "unknown";
  const changes = await git("status", "--porcelain", "--untracked-files=no");
  return changes === "" ? head : `${head}+`;
}

function parseArguments(args: string[]): { targets: Target[]; entry: string; outdir: string } {
  const parsed = { targets: [NATIVE] as Target[], entry: join(CHECKOUT, "src/main.ts"), outdir: join(CHECKOUT, "dist") };
  for (let option = args.shift(); option !== undefined; option = args.shift()) {
    const value = args.shift();
    if (value === undefined) fail(`${option} needs a value`);
    else if (option === "--entry") parsed.entry = resolve(value);
    else if (option === "--outdir") parsed.outdir = resolve(value);
    else if (option === "--target" && value === "all") parsed.targets = Object.keys(TARGETS) as Target[];
    else if (option === "--target" && value in TARGETS) parsed.targets = [value as Target];
    else fail(`Unknown ${option} ${value}`);
  }
  return parsed;
}

function fail(message: string): never {
  console.error(`${message}\n${USAGE}`);
  process.exit(2);
}

const { targets, ...options } = parseArguments(Bun.argv.slice(2));
for (const target of targets) await build(target, options);
