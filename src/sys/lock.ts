import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { codeOf, messageOf, OpError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import type { Lock, LockHolder } from "../core/ports.ts";
import { userName } from "./actor.ts";
import { errno, libc } from "./libc.ts";
import { processStat } from "./process-stat.ts";

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const EAGAIN = 11;
const O_CLOEXEC = 0o2000000;

/** A holder is nameless for the instant between taking the lock and saying so, and `holder` itself shares the lock for an instant. */
const RETRIES = 10;
const RETRY_MS = 10;
/** How long a holder that was killed, or does not say who it is, may take to go. */
const LAST_MS = 10_000;
const SEIZE_INTERVAL_MS = 50;
/** proc_pid_stat(5): by a signal, not by a debugger. */
const STOPPED = "T";
/** The text always has this length, so that on a full disk it can still be written over. */
const TEXT_BYTES = 1024;

/** It can be let go of at once as well. */
export interface KernelLock extends Lock {
  acquire(purpose: string): Promise<Disposable & AsyncDisposable>;
  seize(purpose: string, patienceMs: () => number): Promise<Disposable & AsyncDisposable>;
}

/**
 * The lock in a file that is never removed. The kernel lets go of it when its holder dies, however that happens; the text in the file
 * only says who it is, and without the kernel's lock it says nothing. Root's alone: who can open a file can lock it.
 */
export function createLock(path: string): KernelLock {
  return new FileLock(path);
}

class FileLock implements KernelLock {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async acquire(purpose: string): Promise<Disposable & AsyncDisposable> {
    const fd = this.#open(constants.O_RDWR | constants.O_CREAT);
    try {
      for (let retries = RETRIES; !tryLock(fd, LOCK_EX); retries -= 1) {
        const holder = readHolder(fd);
        if (retries === 0 || (holder !== undefined && isAlive(holder.pid))) throw taken(holder);
        await Bun.sleep(RETRY_MS);
      }
    } catch (error) {
      closeSync(fd);
      throw error instanceof OpError ? error : this.#unusable(error);
    }
    const user = userName(process.getuid?.() ?? 0);
    const startedMs = processStat(process.pid)?.startedMs;
    writeText(fd, JSON.stringify({ pid: process.pid, startedMs, user, purpose: purpose.slice(0, 100), since: new Date().toISOString() }));
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      writeText(fd, "");
      closeSync(fd);
    };
    return { [Symbol.dispose]: release, [Symbol.asyncDispose]: async () => release() };
  }

  async seize(purpose: string, patienceMs: () => number): Promise<Disposable & AsyncDisposable> {
    const began = performance.now();
    for (;;) {
      try {
        return await this.acquire(purpose);
      } catch (error) {
        const [waitedMs, patience] = [performance.now() - began, patienceMs()];
        if (!(error instanceof OpError) || !error.retryable || waitedMs > patience + LAST_MS) throw error;
        this.#endHolder(waitedMs >= patience);
      }
      await Bun.sleep(SEIZE_INTERVAL_MS);
    }
  }

  /** Kills the process that says it is the holder, if it is still the same one and stopped, or `late`. */
  #endHolder(late: boolean): void {
    const holder = this.#namedHolder();
    const stat = holder === undefined ? undefined : processStat(holder.pid);
    if (holder === undefined || stat === undefined || stat.startedMs !== holder.startedMs) return;
    if (!late && stat.state !== STOPPED) return;
    try {
      process.kill(holder.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  holder(): LockHolder | undefined {
    const holder = this.#namedHolder();
    if (holder === undefined) return undefined;
    const { pid, user, purpose, since } = holder;
    return { pid, user, purpose, since };
  }

  #namedHolder(): NamedHolder | undefined {
    let fd: number;
    try {
      fd = this.#open(constants.O_RDONLY);
    } catch (error) {
      if (codeOf((error as OpError).cause) === "ENOENT") return undefined;
      throw error;
    }
    try {
      for (let retries = RETRIES; !tryLock(fd, LOCK_SH); retries -= 1) {
        const holder = readHolder(fd);
        if (holder !== undefined && (retries === 0 || isAlive(holder.pid))) return holder;
        if (retries === 0) return NAMELESS;
        Bun.sleepSync(RETRY_MS);
      }
      return undefined;
    } finally {
      closeSync(fd);
    }
  }

  #open(flags: number): number {
    try {
      return openSync(this.#path, flags | constants.O_NOFOLLOW | O_CLOEXEC, 0o600);
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  #unusable(cause: unknown): OpError {
    return new OpError("refused", `The lock ${this.#path} cannot be used: ${messageOf(cause)}`, { cause });
  }
}

/** With when its process began (CLOCK_BOOTTIME): another by its number is not the one that wrote this. */
interface NamedHolder extends LockHolder {
  readonly startedMs?: number;
}

const NAMELESS: NamedHolder = { pid: 0, user: "unknown", purpose: "unknown", since: "unknown" };

function taken(holder: LockHolder | undefined): OpError {
  const who = holder === undefined ? "by a process that has not said who it is" : describe(holder);
  return new OpError("refused", `Locked ${who}`, { retryable: true, hint: "One change at a time; try again when it is done" });
}

function describe({ pid, user, purpose, since }: LockHolder): string {
  return `by pid ${pid} (${user}), '${purpose}', since ${localTime(since)}`;
}

function localTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace("T", " ");
}

/** Who holds the lock is a courtesy to others: it is held whether or not the disk takes the text. */
function writeText(fd: number, text: string): void {
  try {
    const bytes = Buffer.alloc(TEXT_BYTES, " ");
    bytes.write(`${text}\n`);
    writeSync(fd, bytes, 0, TEXT_BYTES, 0);
  } catch {
    // Nameless, then.
  }
}

function readHolder(fd: number): NamedHolder | undefined {
  const buffer = Buffer.alloc(TEXT_BYTES);
  try {
    const value: unknown = JSON.parse(buffer.toString("utf8", 0, readSync(fd, buffer, 0, buffer.length, 0)));
    if (!isObject(value)) return undefined;
    const { pid, startedMs, user, purpose, since } = value;
    const named = typeof pid === "number" && typeof user === "string" && typeof purpose === "string" && typeof since === "string";
    return named ? { pid, user, purpose, since, ...(typeof startedMs === "number" ? { startedMs } : {}) } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** True when it is ours now (until the descriptor is closed), false when another has it. */
function tryLock(fd: number, operation: number): boolean {
  if (libc().flock(fd, operation | LOCK_NB) === 0) return true;
  const code = errno();
  if (code === EAGAIN) return false;
  throw new Error(`flock failed (errno ${code})`);
}
