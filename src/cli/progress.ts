import { OpError } from "../core/errors.ts";
import type { Step } from "../core/plugin.ts";
import type { Phase } from "../core/ports.ts";
import type { Observer } from "../engine/host.ts";
import type { Context } from "./context.ts";
import { printable } from "./printable.ts";

/**
 * Shows a running change, and lets a signal end it: the running step is finished, none is begun after it, and what was done is
 * taken back. On the way back, and in a recovery, a signal changes nothing. A second signal ends the process; the journal and the next command mend what that leaves.
 * While a change waits to be confirmed, SIGINT takes it back at once; that the terminal went away changes nothing, and what else ends the process leaves the
 * change to its deadline.
 */
export class Progress implements Observer, Disposable {
  readonly #context: Pick<Context, "output" | "signals">;
  #listening: Disposable | undefined;
  #signal: string | undefined;
  #interruptible = false;
  #waiting = false;
  #total = 0;
  #done = 0;

  constructor(context: Pick<Context, "output" | "signals">) {
    this.#context = context;
  }

  /** The change was agreed to and begins now. What went before was a recovery, which is always finished. */
  begin(steps: readonly Step[]): void {
    this.#checkInterrupted();
    this.#interruptible = true;
    this.#total = steps.reduce((sum, { actions }) => sum + actions.length, 0);
    this.#done = 0;
  }

  beforeStep(_: Step, phase: Phase): void {
    this.#listening ??= this.#context.signals.listen((signal) => this.#interrupt(signal));
    if (phase === "apply" && this.#interruptible) this.#checkInterrupted();
  }

  stepBegun({ plugin, name }: Step, phase: Phase): void {
    this.#show(`${phase === "revert" ? "taking back: " : ""}${plugin}: ${name}`);
  }

  actionDone(_: Step, resource: string, what: string): void {
    this.#done += 1;
    this.#show(`${what} ${resource}`);
  }

  verifying(attempt: number): void {
    if (this.#interruptible) this.#checkInterrupted();
    this.#context.output.status(attempt === 1 ? "reading the host back" : `reading the host back, waiting for it to settle (${attempt})`);
  }

  waiting(leftMs: number, probed: string | undefined): void {
    if (!this.#waiting) this.#listenWaiting();
    this.#waiting = true;
    this.#checkInterrupted();
    const what = probed === undefined ? "'op-dbus confirm' from a new login keeps it" : `the probe had no success yet: ${printable(probed)}`;
    this.#context.output.status(`${Math.ceil(leftMs / 1000)} s until it is taken back; ${what}`);
  }

  reverting(why: string): void {
    this.#context.output.message(`${printable(why.replace(/\.$/, ""))}: taking back what was done`);
    this.#total = 0;
    this.#interruptible = false;
  }

  [Symbol.dispose](): void {
    this.#listening?.[Symbol.dispose]();
    this.#context.output.status("");
  }

  #checkInterrupted(): void {
    if (this.#signal !== undefined) throw new OpError("refused", `Interrupted by ${this.#signal}`);
  }

  #interrupt(signal: string): void {
    this.#signal = signal;
    this.#context.output.message(`${signal}: stopping after the running step; once more ends op-dbus at once`);
  }

  #listenWaiting(): void {
    this.#listening?.[Symbol.dispose]();
    this.#listening = this.#context.signals.listen((signal) => {
      if (signal === "SIGINT") this.#signal = signal;
      else this.#listenWaiting();
    }, ["SIGINT", "SIGHUP"]);
  }

  #show(text: string): void {
    const count = this.#total === 0 ? "" : `[${Math.min(this.#done, this.#total)}/${this.#total}] `;
    this.#context.output.status(`${count}${printable(text)}`);
  }
}
