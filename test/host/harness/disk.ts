import { afterAll, beforeAll } from "bun:test";
import { join } from "node:path";
import { buildLibrary } from "../../../scripts/lib/native.ts";
import { command, exitStatus, must, type Result } from "./command.ts";
import { requireRoot } from "./folders.ts";

/** Real file systems in a mount namespace of their own; see disk.sh for what is mounted where. They go with the test, and when the run dies. */
export class Disk implements AsyncDisposable {
  readonly #guard: Bun.Subprocess<"pipe", "pipe", "pipe">;

  private constructor(guard: Bun.Subprocess<"pipe", "pipe", "pipe">) {
    this.#guard = guard;
  }

  static async mount(size = "512M", ...mkfs: string[]): Promise<Disk> {
    const argv = ["unshare", "--mount", "--propagation", "private", "sh", join(import.meta.dir, "disk.sh"), size, ...mkfs];
    const guard = Bun.spawn(argv, { stdin: "pipe", stdout: "pipe", stderr: "pipe", detached: true });
    const ready = await guard.stdout.getReader().read();
    if (ready.done) throw new Error(`No file systems (exit ${exitStatus(guard)}): ${await guard.stderr.text()}`);
    guard.unref();
    return new Disk(guard);
  }

  /** A path of the namespace, as this process reaches it. */
  at(path: string): string {
    return `/proc/${this.#guard.pid}/root/mnt/${path}`;
  }

  /** Runs a program in the namespace, in /mnt. Its failure throws. */
  run(...argv: string[]): Promise<Result> {
    return must(this.#enter(argv));
  }

  try(...argv: string[]): Promise<Result> {
    return command(this.#enter(argv));
  }

  #enter(argv: readonly string[]): string[] {
    return ["nsenter", "--target", String(this.#guard.pid), "--mount", "--wdns=/mnt", "--", ...argv];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#guard.stdin.end();
    await this.#guard.exited;
    if (this.#guard.exitCode !== 0) throw new Error(`The file systems could not be unmounted: ${await this.#guard.stderr.text()}`);
  }
}

/** File systems for all tests of a file, mounted before the first and gone after the last; and the native library, built. */
export function diskForTests(prepare: () => unknown = () => undefined): Pick<Disk, "at" | "run" | "try"> {
  let disk: Disk | undefined;
  const mounted = (): Disk => {
    if (disk === undefined) throw new Error("The file systems are mounted before the first test, not when the file is loaded");
    return disk;
  };
  beforeAll(async () => {
    requireRoot();
    await buildLibrary();
    disk = await Disk.mount();
    await prepare();
  });
  afterAll(() => disk?.[Symbol.asyncDispose]());
  return { at: (path) => mounted().at(path), run: (...argv) => mounted().run(...argv), try: (...argv) => mounted().try(...argv) };
}
