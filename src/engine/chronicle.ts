import { messageOf } from "../core/errors.ts";
import type { Change, Step } from "../core/plugin.ts";
import { changesOf } from "../core/plugin.ts";
import type { AuditEvent, JournalRecord, Phase } from "../core/ports.ts";
import { keyName } from "../core/resource.ts";
import type { Host } from "./host.ts";

/**
 * The two records of a running transaction: the journal decides recovery, the log tells. On the way there a record that
 * cannot be written stops the transaction. On the way back nothing may stop the revert, so what cannot be logged is kept and
 * written later, marked late.
 */
export class Chronicle {
  readonly #host: Host;
  readonly #transaction: string;
  readonly #unlogged: AuditEvent[] = [];
  readonly #troubles: string[] = [];
  #goingBack = false;
  /** True once a plugin may have written anything. */
  touched = false;

  constructor(host: Host, transaction: string) {
    this.#host = host;
    this.#transaction = transaction;
  }

  /** What could not be recorded, in words. */
  get troubles(): readonly string[] {
    return this.#troubles;
  }

  /** Entries that are in no log. While there are any, the journal must stay open. */
  get unlogged(): readonly AuditEvent[] {
    return this.#unlogged;
  }

  /** From here on nothing that fails to be recorded stops anything. */
  goBack(): void {
    this.#goingBack = true;
  }

  async note(record: JournalRecord): Promise<void> {
    try {
      await this.#host.journal.append(record);
    } catch (error) {
      if (!this.#goingBack) throw error;
      this.#troubles.push(`The journal could not be written: ${messageOf(error)}`);
    }
  }

  async log(...events: AuditEvent[]): Promise<void> {
    const stamped = events.map((event) => ({ transaction: this.#transaction, ...event }));
    try {
      await this.#host.audit.append(stamped);
    } catch (error) {
      if (!this.#goingBack) throw error;
      this.#unlogged.push(...stamped.map((event) => ({ ...event, late: true })));
      this.#troubles.push(`The audit log could not be written: ${messageOf(error)}`);
      await this.note({ record: "unlogged", events: this.#unlogged });
    }
  }

  /** Announces a step: journal, then log. Both are durable before this returns, and so before the step's first write. */
  async begin(step: Step, number: number, phase: Phase): Promise<void> {
    await this.note({ record: "step-begun", phase, step: number });
    await this.log(...eventsOf(step, "begun"));
  }

  /** Records a step as done: log, then journal. */
  async done(step: Step, number: number, phase: Phase, effects: readonly Change[]): Promise<void> {
    await this.log(...eventsOf(step, "done"), ...effects.map((change) => effectEvent(step, change)));
    await this.note({ record: "step-done", phase, step: number, plugin: step.plugin, effects });
  }

  async failed(step: Step, error: unknown): Promise<void> {
    await this.log(...eventsOf(step, "failed").map((event) => ({ ...event, detail: messageOf(error) })));
  }
}

function eventsOf(step: Step, outcome: "begun" | "done" | "failed"): AuditEvent[] {
  return step.actions.map(({ resource, verb, path, from, to }) => ({
    kind: "action",
    plugin: step.plugin,
    operation: path === undefined ? verb : `${verb} ${keyName(path)}`,
    resource,
    outcome,
    ...(path === undefined ? {} : { before: from ?? null, after: to ?? null }),
  }));
}

function effectEvent(step: Step, { resource, path, from, to, impliedBy }: Change): AuditEvent {
  return {
    kind: "action",
    plugin: step.plugin,
    operation: `implied ${keyName(path)}`,
    resource,
    outcome: "done",
    before: from,
    after: to,
    ...(impliedBy === undefined ? {} : { detail: `brought about by ${impliedBy}` }),
  };
}

export function stepsAsRecorded(steps: readonly Step[]) {
  return steps.map((step) => ({
    plugin: step.plugin,
    name: step.name,
    changes: changesOf(step),
    ...(step.oneWay === undefined ? {} : { oneWay: step.oneWay }),
  }));
}
