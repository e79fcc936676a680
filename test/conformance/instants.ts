/** A process that was killed. Nothing that it tries after that happens. */
export class Killed extends Error {
  constructor(instant: string) {
    super(`Killed ${instant}`);
    this.name = "Killed";
  }
}

/** A disk without room, as the system says it. */
export function diskFull(): Error {
  return Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
}

/**
 * The instants of one process's life: just before and just after everything that outlives it. A process can be told to die at
 * one of them, and any of its calls to fail.
 */
export class Instants {
  readonly passed: string[] = [];
  /** Makes the call at hand fail instead of happening. */
  failing: (call: string) => Error | undefined = () => undefined;
  readonly #killAt: number;
  #dead = false;

  /** Counted from 1; without it the process lives on. */
  constructor(killAt = Number.POSITIVE_INFINITY) {
    this.#killAt = killAt;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Does what outlives the process, with an instant on each side of it. */
  around<T>(call: string, work: () => T): T {
    this.#pass(`before ${call}`);
    const error = this.failing(call);
    if (error !== undefined) throw error;
    const result = work();
    this.#pass(`after ${call}`);
    return result;
  }

  /** Throws when the process is dead. */
  alive(): void {
    if (this.#dead) throw new Killed("before");
  }

  #pass(instant: string): void {
    this.alive();
    this.passed.push(instant);
    if (this.passed.length !== this.#killAt) return;
    this.die(instant);
  }

  die(instant: string): never {
    this.#dead = true;
    throw new Killed(instant);
  }
}
