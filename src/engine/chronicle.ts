import { messageOf } from "../core/errors.ts";
import type { Change, Step } from "../core/plugin.ts";
import { changesOf } from "../core/plugin.ts";
import type { AuditEvent, JournalRecord, Phase } from "../core/ports.ts";
import { keyName } from "../core/resource.ts";
import type { Host } from "./host.ts";

/**
 * The two records of a running transaction: the journal decides recovery, the log tells. On the way there a record that
 * cannot be written stops the transaction. On the way back nothing may stop the revert. What happened and cannot be logged is
 * kept, goes before the next entries that can, and is marked late.
 */
export class Chronicle {
  readonly #host: Host;
  readonly #transaction: string;
  #unlogged: readonly AuditEvent[];
  readonly #troubles: string[] = [];
  #goingBack = false;
  /** True once a plugin may have written anything. */
  touched = false;

  /** `unlogged` is what a process before this one could not log. */
  constructor(host: Host, transaction: string, unlogged: readonly AuditEvent[] = []) {
    this.#host = host;
    this.#transaction = transaction;
    this.#unlogged = unlogged;
  }

  /** What could not be recorded, in words. */
  get troubles(): readonly string[] {
    return [...new Set(this.#troubles)];
  }

  /** Entries that are in no log. While there are any, the journal must stay open. */
  get unlogged(): readonly AuditEvent[] {
    return this.#unlogged;
  }

  trouble(what: string): void {
    this.#troubles.push(what);
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
    await this.#write(events, this.#goingBack);
  }

  /** Announces a step: journal, then log. Both are durable before this returns, and so before the step's first write. */
  async begin(step: Step, number: number, phase: Phase): Promise<void> {
    await this.note({ record: "step-begun", phase, step: number });
    await this.log(...eventsOf(step, "begun"));
  }

  /** Records a step as done: log, then journal. */
  async done(step: Step, number: number, phase: Phase, effects: readonly Change[]): Promise<void> {
    await this.#write([...eventsOf(step, "done"), ...effects.map((change) => effectEvent(step, change))], true);
    await this.note({ record: "step-done", phase, step: number, plugin: step.plugin, effects });
  }

  /** After a step that failed there is only the way back. */
  async failed(step: Step, error: unknown): Promise<void> {
    this.goBack();
    await this.log(...eventsOf(step, "failed").map((event) => ({ ...event, detail: messageOf(error) })));
  }

  /** Writes the entries after those that could not be written before; keeps them where that fails and `keep` says so. */
  async #write(events: readonly AuditEvent[], keep: boolean): Promise<void> {
    const stamped = events.map((event) => ({ transaction: this.#transaction, ...event }));
    const late = this.#unlogged;
    if (late.length + stamped.length === 0) return;
    try {
      await this.#host.audit.append([...late, ...stamped]);
    } catch (error) {
      if (keep) await this.#keep(stamped, error);
      if (!this.#goingBack) throw error;
      return;
    }
    if (late.length === 0) return;
    this.#unlogged = [];
    await this.note({ record: "unlogged", events: [] });
  }

  async #keep(events: readonly AuditEvent[], error: unknown): Promise<void> {
    this.#unlogged = [...this.#unlogged, ...events.map((event) => ({ ...event, late: true }))];
    this.#troubles.push(`The audit log could not be written: ${messageOf(error)}`);
    await this.note({ record: "unlogged", events: this.#unlogged }).catch((reason: unknown) => {
      this.#troubles.push(`The journal could not be written: ${messageOf(reason)}`);
    });
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
