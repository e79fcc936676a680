import { realpath } from "node:fs/promises";
import { basename } from "node:path";
import type { CommandOptions, Result } from "./command.ts";
import { describe, shellQuote } from "./command.ts";
import { builtBinary, requireRoot } from "./folders.ts";
import { Ground } from "./ground.ts";
import type { Variant } from "./image.ts";
import { image } from "./image.ts";
import type { Machine } from "./machine.ts";
import type { Bind } from "./nspawn.ts";
import { Nspawn } from "./nspawn.ts";
import { PATH, Program } from "./program.ts";
import type { WaitOptions } from "./wait.ts";
import { waitUntil } from "./wait.ts";

export type { Bind, Program, Result };

export interface BootOptions {
  /** Its hostname. */
  name: string;
  variant?: Variant;
  binds?: readonly Bind[];
  /** What is at /usr/local/bin/op-dbus: by default dist/op-dbus; `false` for nothing. */
  binary?: string | false;
}

export interface RunOptions extends CommandOptions {
  /** A user of the host; root by default. */
  user?: string;
  /** Gives the program a terminal of 80x24: what it prints there, both streams, is `stdout`. */
  terminal?: boolean;
}

export const BINARY = "/usr/local/bin/op-dbus";
const ENVIRONMENT = {
  PATH,
  HOME: "/root",
  LANG: "C.UTF-8",
  DEBIAN_FRONTEND: "noninteractive",
};

/** A throw-away Debian host, pristine at boot. Disposing it leaves nothing behind. */
export class Host implements AsyncDisposable {
  readonly name: string;
  readonly #ground: Ground;
  readonly #machine: Machine;

  protected constructor(name: string, ground: Ground, machine: Machine) {
    this.name = name;
    this.#ground = ground;
    this.#machine = machine;
  }

  /** Unique on this machine; its folder below the temporary folder and its cgroups are named so. */
  get id(): string {
    return basename(this.#ground.folder);
  }

  static async boot(options: BootOptions): Promise<Host> {
    requireRoot();
    const binary = options.binary === false ? [] : [{ source: await realpath(options.binary ?? builtBinary()), path: BINARY }];
    const ground = await Ground.prepare(await image(options.variant ?? "base"));
    const machine = new Nspawn(ground, { hostname: options.name, binds: [...binary, ...(options.binds ?? [])] });
    try {
      await machine.start();
    } catch (error) {
      await ground[Symbol.asyncDispose]();
      throw error;
    }
    return new Host(options.name, ground, machine);
  }

  /** Runs a program inside to its end. It belongs to no unit and has no more environment than a bare login. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<Result> {
    return await this.spawn(argv, options).ended(options.timeoutMs);
  }

  /** As `run`, and a failure throws with what was printed. */
  async must(argv: readonly string[], options: RunOptions = {}): Promise<Result> {
    const result = await this.run(argv, options);
    if (result.exit !== 0) throw new Error(describe(`Exit ${result.exit} on ${this.name}`, result));
    return result;
  }

  /** Starts a program inside and does not wait for it. */
  spawn(argv: readonly string[], options: Omit<RunOptions, "timeoutMs"> = {}): Program {
    return new Program(argv, this.#machine.inside(withOptions(argv, options)), options);
  }

  async write(path: string, text: string, mode = 0o644): Promise<void> {
    await this.must(["install", "-D", "-m", mode.toString(8), "/dev/stdin", path], { input: text });
  }

  async read(path: string): Promise<string> {
    return (await this.must(["cat", "--", path])).stdout;
  }

  /** Copies a file of this machine into the host. */
  async put(source: string, path: string, mode = 0o644): Promise<void> {
    await this.must(["install", "-D", "-m", mode.toString(8), "/dev/stdin", path], { input: Bun.file(source) });
  }

  /** Reboots in an orderly way and waits until the host is up again. */
  async reboot(): Promise<void> {
    await this.rebooted(() => this.run(["systemctl", "reboot"]));
  }

  /** Waits until the host has come up again after `cause` made it reboot. */
  async rebooted(cause: () => Promise<unknown>, timeoutMs = 120_000): Promise<void> {
    const before = this.#machine.boots;
    await cause();
    await waitUntil(() => this.#machine.boots > before, { what: `${this.name} to come back from its reboot`, timeoutMs });
  }

  /** Cuts the power and switches on again. */
  async powerCut(): Promise<void> {
    await this.#machine.cut();
    await this.#machine.start();
  }

  /** The journal of all boots, or what other arguments of journalctl select. */
  async journal(args: readonly string[] = []): Promise<string> {
    return (await this.must(["journalctl", "--no-pager", "--output=short-precise", ...args])).stdout;
  }

  /** Polls, with a deadline; see `waitUntil`. */
  async waitUntil<T>(probe: () => T | Promise<T>, options: WaitOptions): Promise<NonNullable<T>> {
    return await waitUntil(probe, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#machine.cut().finally(() => this.#ground[Symbol.asyncDispose]());
  }
}

function withOptions(argv: readonly string[], options: RunOptions): string[] {
  const env = { ...ENVIRONMENT, TERM: options.terminal ? "linux" : "dumb", ...options.env };
  const folder = options.cwd === undefined ? [] : ["-C", options.cwd];
  const surroundings = ["env", "-i", ...folder, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  const terminal = options.terminal ? ["script", "--quiet", "--return", "--command", `stty rows 24 cols 80; exec ${argv.map(shellQuote).join(" ")}`, "/dev/null"] : argv;
  const user = options.user === undefined ? [] : ["setpriv", `--reuid=${options.user}`, `--regid=${options.user}`, "--init-groups", "--"];
  return [...user, ...surroundings, ...terminal];
}
