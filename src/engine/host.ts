import { OpError } from "../core/errors.ts";
import type { Plugin, Step } from "../core/plugin.ts";
import type { DeadMan } from "../core/confirmation.ts";
import type { Actor, AuditReader, AuditSink, Clock, Journal, Ledger, Lock, Phase, SecretStore } from "../core/ports.ts";

/** Everything the engine works with, handed over by the composition root. */
export interface Host {
  /** In the order in which steps are taken where nothing else decides. */
  readonly plugins: readonly Plugin[];
  readonly lock: Lock;
  readonly journal: Journal;
  readonly audit: AuditSink & AuditReader;
  readonly ledger: Ledger;
  readonly secrets: SecretStore;
  readonly clock: Clock;
  readonly actor: Actor;
  readonly deadMan: DeadMan;
}

/** What a running change tells whoever watches. */
export interface Observer {
  /** Called before a step is announced; what it throws ends the way there, and all that was done is taken back. */
  beforeStep?(step: Step, phase: Phase): void;
  stepBegun?(step: Step, phase: Phase): void;
  actionDone?(step: Step, resource: string, what: string): void;
  verifying?(attempt: number): void;
  reverting?(why: string): void;
  /** Called now and then while a change waits to be confirmed; what it throws ends the waiting, and the change is taken back. */
  waiting?(leftMs: number, probed: string | undefined): void;
}

export function pluginOf(plugins: readonly Plugin[], name: string): Plugin {
  const plugin = plugins.find((candidate) => candidate.name === name);
  if (plugin === undefined) {
    const known = plugins.map((candidate) => candidate.name).join(", ");
    throw new OpError("invalid", `There is no plugin '${name}'`, { hint: `Plugins: ${known}` });
  }
  return plugin;
}
