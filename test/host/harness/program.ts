import { readFile } from "node:fs/promises";
import type { CommandOptions, Result } from "./command.ts";
import { describe, exitStatus, standardInput } from "./command.ts";
import { waitUntil } from "./wait.ts";

/** A program that runs inside a host. Its number is the one this machine knows it by. */
export class Program {
  readonly argv: readonly string[];
  readonly #entry: Bun.Subprocess<any, "pipe", "pipe">;
  readonly #started = performance.now();
  readonly #outputs: Promise<unknown>;
  #stdout = "";
  #stderr = "";

  /** `line` is what this machine runs to get `argv` run inside; it forks once, into the host's PID namespace. */
  constructor(argv: readonly string[], line: readonly string[], options: Pick<CommandOptions, "env" | "input">) {
    this.argv = argv;
    this.#entry = Bun.spawn([...line], { stdin: standardInput(options.input), stdout: "pipe", stderr: "pipe", env: options.env ?? {} });
    this.#outputs = Promise.all([
      collect(this.#entry.stdout, (text) => (this.#stdout += text)),
      collect(this.#entry.stderr, (text) => (this.#stderr += text)),
    ]);
  }

  /** What it has printed so far. */
  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get running(): boolean {
    return this.#entry.exitCode === null && this.#entry.signalCode === null;
  }

  /** Sends a signal to the program itself. False when it had ended already. */
  async kill(signal: NodeJS.Signals = "SIGTERM"): Promise<boolean> {
    const entry = this.#entry.pid;
    const inside = await waitUntil(async () => (this.running ? await onlyChild(entry) : "ended"), { what: `${this.argv[0]} to start` });
    if (inside === "ended" || !this.running) return false;
    try {
      process.kill(inside, signal);
      return true;
    } catch {
      return false;
    }
  }

  /** Its end. A process that it left behind with its output open counts as part of it. */
  async ended(timeoutMs = 60_000): Promise<Result> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(async () => {
      const { argv, stdout, stderr } = this;
      await this.kill("SIGKILL").catch(() => undefined);
      this.#entry.kill("SIGKILL");
      reject(new Error(describe(`Not finished within ${timeoutMs} ms`, { argv, stdout, stderr })));
    }, timeoutMs);
    try {
      await Promise.race([late, Promise.all([this.#outputs, this.#entry.exited])]);
    } finally {
      clearTimeout(timer);
    }
    const { argv, stdout, stderr } = this;
    return { argv, exit: exitStatus(this.#entry), stdout, stderr, ms: performance.now() - this.#started };
  }
}

async function onlyChild(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const first = children.trim().split(" ")[0];
  return first === undefined || first === "" ? undefined : Number(first);
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
  take(decoder.decode());
}
