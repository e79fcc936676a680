import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, stat } from "node:fs/promises";
import { arch } from "node:os";
import { basename, join } from "node:path";
import { command, must } from "./command.ts";
import { CACHE, RECIPE, requireRoot } from "./folders.ts";
import { buildRepository } from "./repository.ts";
import { copyTree, digestTree } from "./tree.ts";

/** Which packages and units a host has: `base` for tests, `bench` with ansible and more units, `network` with who configures one, `virtual` with a kernel. */
export type Variant = "base" | "bench" | "network" | "virtual";

/** A root file system as overlay layers, uppermost first. Never written to. */
export interface Image {
  layers: readonly string[];
}

const STORE = join(CACHE, "host");
const BULK_UNITS = 200;
const BULK_EXEC_UNITS = 20;
/** A run in the same checkout may still use the image before this one. */
const KEPT_PER_KIND = 2;

const pending = new Map<Variant, Promise<Image>>();

/** The image of a variant: from the cache, or built when its recipe changed. */
export function image(variant: Variant): Promise<Image> {
  const known = pending.get(variant) ?? buildImage(variant);
  pending.set(variant, known);
  return known;
}

async function buildImage(variant: Variant): Promise<Image> {
  requireRoot();
  const harness = join(import.meta.dir, "image.ts");
  const packages = await listPackages(variant);
  const sources = await debianSources();
  const key = [arch(), sources.suite, ...packages, await readFile(join(RECIPE, "customize.sh"), "utf8")].join("\n");
  const system = await cached(`${sources.suite}-${variant}-system`, digest(key), (target) => installPackages(target, packages, sources));
  const recipe = await digestTree(join(RECIPE, "files"), join(RECIPE, "bulk"), join(RECIPE, "debs"), join(RECIPE, "virtual"));
  const files = await cached(`${sources.suite}-${variant}-files`, digest(recipe + (await readFile(harness, "utf8"))), (target) => addFiles(target, variant));
  return { layers: [files, system] };
}

/** Builds under a temporary name and renames, so that what has the final name is whole. */
async function cached(kind: string, hash: string, build: (target: string) => Promise<void>): Promise<string> {
  const path = join(STORE, `${kind}-${hash}`);
  if (existsSync(path)) return path;
  await mkdir(STORE, { recursive: true });
  const scratch = join(STORE, `building-${process.pid}-${kind}`);
  await must(["rm", "-rf", "--one-file-system", scratch]);
  const umask = process.umask(0o022);
  try {
    await mkdir(scratch);
    await build(scratch);
    await rename(scratch, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    process.umask(umask);
    await command(["rm", "-rf", "--one-file-system", scratch]);
  }
  await removeOld(kind);
  await removeUnfinished();
  return path;
}

async function removeOld(kind: string): Promise<void> {
  const names = (await readdir(STORE)).filter((name) => name.startsWith(`${kind}-`)).map((name) => join(STORE, name));
  const dated = await Promise.all(names.map(async (path) => ({ path, at: (await stat(path)).ctimeMs })));
  const old = dated.sort((a, b) => b.at - a.at).slice(KEPT_PER_KIND);
  for (const { path } of old) await must(["rm", "-rf", "--one-file-system", path]);
}

/** What killed builds have left. */
async function removeUnfinished(): Promise<void> {
  for (const name of await readdir(STORE)) {
    const builder = /^building-(\d+)-/.exec(name)?.[1];
    if (builder !== undefined && !existsSync(`/proc/${builder}`)) await must(["rm", "-rf", "--one-file-system", join(STORE, name)]);
  }
}

async function installPackages(target: string, packages: readonly string[], sources: Sources): Promise<void> {
  console.error(`Building a Debian ${sources.suite} host image with ${packages.length} packages (once; cached in .cache/host)`);
  const argv = ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "--format=directory", `--include=${packages.join(",")}`];
  argv.push("--aptopt=Acquire::Retries \"3\"", `--customize-hook=sh '${join(RECIPE, "customize.sh")}' "$1"`, sources.suite, target);
  if (sources.lines.length > 0) argv.push("-");
  await must(argv, { input: sources.lines.join("\n") + "\n", timeoutMs: 600_000 });
}

async function addFiles(target: string, variant: Variant): Promise<void> {
  await copyTree(join(RECIPE, "files"), target);
  if (variant === "virtual") await copyTree(join(RECIPE, "virtual"), target);
  await buildRepository(join(RECIPE, "debs"), join(target, "srv/apt"));
  for (const template of await readdir(join(RECIPE, "bulk"))) {
    const exec = basename(template).includes("bulkexec");
    if (exec && variant !== "bench") continue;
    const text = await readFile(join(RECIPE, "bulk", template), "utf8");
    // systemd's own time for the state of a unit file grows with the number of unit files, so there are no more than needed.
    for (let n = 1; n <= (exec ? BULK_EXEC_UNITS : BULK_UNITS); n++) {
      const number = String(n).padStart(3, "0");
      const unit = join(target, "usr/lib/systemd/system", template.replaceAll("@N@", number));
      await Bun.write(unit, text.replaceAll("@N@", number), { mode: 0o644 });
    }
  }
}

async function listPackages(variant: Variant): Promise<string[]> {
  const files = variant === "base" ? ["base"] : ["base", variant];
  const texts = await Promise.all(files.map((name) => readFile(join(RECIPE, "packages", name), "utf8")));
  return texts.flatMap((text) => text.split("\n")).filter((line) => line !== "" && !line.startsWith("#"));
}

interface Sources {
  suite: string;
  /** Lines for sources.list; empty where mmdebstrap's own default is to be used. */
  lines: string[];
}

/**
 * The Debian sources that this machine itself uses, mirrors included; a machine that is not Debian gets Debian 12 from the default mirror.
 * HOST_SUITE names another release for the hosts ("trixie").
 */
async function debianSources(): Promise<Sources> {
  const wanted = Bun.env["HOST_SUITE"];
  const format = "$(ORIGIN)|$(CODENAME)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)";
  const result = await command(["apt-get", "indextargets", "Created-By: Packages", "--format", format]);
  const rows = result.stdout.split("\n").map((line) => line.split("|")).filter(([origin]) => origin === "Debian");
  const main = rows.find(([, codename]) => codename !== undefined && !codename.includes("-"));
  const suite = main?.[1];
  if (suite === undefined) return { suite: wanted ?? "bookworm", lines: [] };
  const own = rows.filter(([, codename]) => codename === suite || codename?.startsWith(`${suite}-`));
  const lines = own.map(([, , line = ""]) => (wanted === undefined ? line : line.replaceAll(` ${suite}`, ` ${wanted}`)));
  return { suite: wanted ?? suite, lines: [...new Set(lines)] };
}

function digest(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16);
}
