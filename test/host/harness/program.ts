import type { CommandOptions, Result } from "./command.ts";
import { describe, exitStatus, standardInput } from "./command.ts";
import type { WayIn } from "./machine.ts";
import { waitUntil } from "./wait.ts";

/** Where a program is looked for, outside and inside. */
export const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A program that runs inside a host. */
export class Program {
  readonly argv: readonly string[];
  readonly #wayIn: WayIn;
  readonly #entry: Bun.Subprocess<any, "pipe", "pipe">;
  readonly #started = performance.now();
  readonly #outputs: Promise<unknown>;
  #stdout = "";
  #stderr = "";

  constructor(argv: readonly string[], wayIn: WayIn, options: Pick<CommandOptions, "input">) {
    this.argv = argv;
    this.#wayIn = wayIn;
    this.#entry = Bun.spawn([...wayIn.line], { stdin: standardInput(options.input), stdout: "pipe", stderr: "pipe", env: { PATH } });
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
    const outcome = await waitUntil(() => (this.running ? this.#wayIn.signal(entry, signal) : "ended"), { what: `${this.argv[0]} to start` });
    return outcome === "sent";
  }

  /** Its end. A process that it left behind with its output open counts as part of it. */
  async ended(timeoutMs = 60_000): Promise<Result> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    let isLate = false;
    const timer = setTimeout(async () => {
      isLate = true;
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
    // It may have ended by being killed.
    if (isLate) await late;
    const { argv, stdout, stderr } = this;
    return { argv, exit: exitStatus(this.#entry), stdout, stderr, ms: performance.now() - this.#started };
  }
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
  take(decoder.decode());
}
