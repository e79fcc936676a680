import { constants } from "node:os";

/** How a program ended and what it printed. */
export interface Result {
  argv: readonly string[];
  /** Exit status; 128 + n when signal n ended it. */
  exit: number;
  stdout: string;
  stderr: string;
  ms: number;
}

export interface CommandOptions {
  env?: Record<string, string>;
  /** Text or a file for standard input; without it standard input is empty. */
  input?: string | Uint8Array | Blob;
  timeoutMs?: number;
  cwd?: string;
}

const LONGEST_QUOTE = 4000;

/** Runs a program of this machine to its end. Its failure is a result, not an exception; only a timeout throws. */
export async function command(argv: readonly string[], options: CommandOptions = {}): Promise<Result> {
  const started = performance.now();
  const process = Bun.spawn([...argv], {
    stdin: standardInput(options.input),
    stdout: "pipe",
    stderr: "pipe",
    ...(options.env && { env: options.env }),
    ...(options.cwd && { cwd: options.cwd }),
  });
  const timeoutMs = options.timeoutMs ?? 60_000;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    process.kill("SIGKILL");
  }, timeoutMs);
  const [stdout, stderr] = await Promise.all([process.stdout.text(), process.stderr.text(), process.exited]);
  clearTimeout(timer);
  const result = { argv, exit: exitStatus(process), stdout, stderr, ms: performance.now() - started };
  if (late) throw new Error(describe(`Not finished within ${timeoutMs} ms`, result));
  return result;
}

/** As `command`, and a failure throws with what was printed. */
export async function must(argv: readonly string[], options: CommandOptions = {}): Promise<Result> {
  const result = await command(argv, options);
  if (result.exit !== 0) throw new Error(describe(`Exit ${result.exit}`, result));
  return result;
}

/** One message that a reader can act on: what was run and the end of what it printed. */
export function describe(what: string, result: Pick<Result, "argv" | "stdout" | "stderr">): string {
  return [`${what}: ${result.argv.join(" ")}`, quote("stdout", result.stdout), quote("stderr", result.stderr)]
    .filter((part) => part !== "")
    .join("\n");
}

/** What `Bun.spawn` takes as standard input. */
export function standardInput(input: CommandOptions["input"]): Uint8Array | Blob | "ignore" {
  if (input === undefined) return "ignore";
  return typeof input === "string" ? new TextEncoder().encode(input) : input;
}

/** Exit status of an ended process, as a shell gives it. */
export function exitStatus(process: Pick<Bun.Subprocess, "exitCode" | "signalCode">): number {
  if (process.exitCode !== null) return process.exitCode;
  const numbers: Record<string, number> = constants.signals;
  return 128 + (numbers[process.signalCode ?? ""] ?? 0);
}

export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function quote(name: string, text: string): string {
  const end = text.trimEnd().slice(-LONGEST_QUOTE);
  return end === "" ? "" : `--- ${name}\n${end}`;
}
