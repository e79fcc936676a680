import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { exitStatus, must } from "./command.ts";
import type { Image } from "./image.ts";
import { waitUntil } from "./wait.ts";

/**
 * What one host stands on: a pristine root file system in a private mount namespace, a folder and a cgroup.
 * All of it goes when the ground is disposed, and also when this process dies in any way.
 */
export class Ground implements AsyncDisposable {
  readonly folder: string;
  /** The host's own cgroup, a folder of the unified hierarchy. */
  readonly cgroup: string;
  readonly #guard: Bun.Subprocess<"pipe", "pipe", "pipe">;

  private constructor(folder: string, cgroup: string, guard: Bun.Subprocess<"pipe", "pipe", "pipe">) {
    this.folder = folder;
    this.cgroup = cgroup;
    this.#guard = guard;
  }

  static async prepare(image: Image): Promise<Ground> {
    const folder = await mkdtemp(join(tmpdir(), "op-dbus-host-"));
    try {
      const cgroups = await cgroupPaths(basename(folder));
      const script = join(import.meta.dir, "guard.sh");
      const argv = ["unshare", "--mount", "--propagation", "private", "sh", script, folder, image.layers.join(":"), ...cgroups];
      const guard = Bun.spawn(argv, { stdin: "pipe", stdout: "pipe", stderr: "pipe", detached: true });
      const ready = await guard.stdout.getReader().read();
      if (ready.done) throw new Error(`No root file system for the host (exit ${exitStatus(guard)}): ${await guard.stderr.text()}`);
      guard.unref();
      return new Ground(folder, cgroups[0], guard);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Where the root file system is, as seen by programs that `enter` starts. */
  get root(): string {
    return join(this.folder, "root");
  }

  /** The command line that runs a program in the ground's mount namespace and cgroup, with this process's child being the program itself. */
  enter(argv: readonly string[]): string[] {
    return joinCgroup(this.cgroup, ["nsenter", "--target", String(this.#guard.pid), "--mount", "--", ...argv]);
  }

  /**
   * Kills every process of the host and returns when they and their cgroups are gone. A kernel (6.18) that is asked to start a process
   * in another cgroup kills it when one of the two cgroups saw such a kill and the other did not; systemd 257 asks for that.
   */
  async killAll(): Promise<void> {
    await writeFile(join(this.cgroup, "cgroup.kill"), "1");
    await waitUntil(async () => (await readFile(join(this.cgroup, "cgroup.events"), "utf8")).includes("populated 0"), {
      what: "the host's processes to end",
    });
    await must(["find", this.cgroup, "-mindepth", "1", "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#guard.stdin.end();
    await this.#guard.exited;
  }
}

/** The command line that runs a program in a cgroup. */
export function joinCgroup(cgroup: string, argv: readonly string[]): string[] {
  return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', join(cgroup, "cgroup.procs"), ...argv];
}

/** A cgroup below this process's own; nspawn mirrors it in systemd's v1 hierarchy where there is one. */
async function cgroupPaths(name: string): Promise<[string, ...string[]]> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  const own = (await readFile("/proc/self/cgroup", "utf8")).split("\n");
  const path = (prefix: RegExp) => own.find((line) => prefix.test(line))?.replace(prefix, "");
  const unified = mounts.find(([, , type]) => type === "cgroup2")?.[1];
  const unifiedPath = path(/^0::/);
  if (unified === undefined || unifiedPath === undefined) throw new Error("Booting a test host needs a cgroup2 hierarchy (is /sys/fs/cgroup mounted?)");
  const named = mounts.find(([, , type, options]) => type === "cgroup" && options?.includes("name=systemd"))?.[1];
  const mirror = named === undefined ? [] : [join(named, path(/^\d+:name=systemd:/) ?? "/", name)];
  return [join(unified, unifiedPath, name), ...mirror];
}
