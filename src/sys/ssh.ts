import { messageOf, OpError } from "../core/errors.ts";
import type { Channel } from "../core/ports.ts";

/** Where ssh is to go. No part of it begins with "-". */
export interface SshPlace {
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
}

/** ssh(1): it could not connect, or the connection broke. */
const NO_CONNECTION = 255;
/** What a shell says of a program that is not there. */
const NOT_FOUND = 127;
/** Enough for the last words of ssh and of what it ran. */
const WORDS_LIMIT = 4096;
const MOST_LINES = 10;
/** How long the other end may take to end when it is told that there is no more. */
const END_MS = 10_000;
/** Nobody is there to answer a question, and a connection that died is noticed within a minute. */
const OPTIONS = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15"];

/**
 * Runs `command`, a text for the shell at the other end, through the system's ssh, with its configuration, keys and known hosts.
 * Throws kind unavailable where there is no ssh.
 */
export function openSsh({ user, host, port }: SshPlace, command: string): SshLine {
  const ssh = Bun.which("ssh");
  if (ssh === null) throw new OpError("unavailable", "There is no ssh in PATH", { hint: "Debian has it in the package openssh-client" });
  const where = [...(port === undefined ? [] : ["-p", String(port)]), ...(user === undefined ? [] : ["-l", user]), "--", host];
  try {
    return new SshLine(Bun.spawn([ssh, ...OPTIONS, ...where, command], { stdin: "pipe", stdout: "pipe", stderr: "pipe" }), host);
  } catch (cause) {
    throw new OpError("unavailable", `${ssh} cannot be run: ${messageOf(cause)}`, { cause });
  }
}

/** What the program at the other end reads and writes. */
class SshLine implements Channel, AsyncDisposable {
  /** The host. */
  readonly who: string;
  readonly #ssh: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #output: AsyncIterator<Uint8Array>;
  readonly #words: Promise<string>;

  constructor(ssh: Bun.Subprocess<"pipe", "pipe", "pipe">, who: string) {
    this.who = who;
    this.#ssh = ssh;
    this.#output = ssh.stdout[Symbol.asyncIterator]();
    this.#words = lastWords(ssh.stderr);
  }

  async read(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#output.next();
    return done === true ? undefined : value;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#ssh.stdin.write(bytes);
    await this.#ssh.stdin.flush();
  }

  /** Why there is nothing more to read: kind unavailable, with what was said on standard error. */
  async trouble(): Promise<OpError> {
    const exit = await this.#ssh.exited;
    const lines = (await this.#words).split(/\r?\n/).filter((line) => line.trim() !== "");
    const [message, hint] = this.#reason(exit);
    return new OpError("unavailable", message, { hint, details: lines.slice(-MOST_LINES) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#ssh.kill(), END_MS);
    try {
      await this.#ssh.stdin.end();
    } catch {
      // The other end has gone first.
    }
    await this.#ssh.exited;
    clearTimeout(timer);
  }

  #reason(exit: number): [message: string, hint: string] {
    if (exit === NO_CONNECTION) return [`ssh has no connection to ${this.who}`, `It asks nothing: the key and the host must be known. Try: ssh -o BatchMode=yes ${this.who} true`];
    if (exit === NOT_FOUND) return [`op-dbus is not installed on ${this.who}`, "The other end of a replication is op-dbus: copy it to /usr/local/bin there"];
    return [`op-dbus on ${this.who} ended without an answer (exit ${exit})`, "Install the same op-dbus on both"];
  }
}

async function lastWords(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let words = "";
  for await (const chunk of stream) words = (words + decoder.decode(chunk, { stream: true })).slice(-WORDS_LIMIT);
  return words;
}
