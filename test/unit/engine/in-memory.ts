import { expect } from "bun:test";
import { messageOf, OpError, type ErrorKind } from "../../../src/core/errors.ts";
import type { Json } from "../../../src/core/json.ts";
import type { Ownership } from "../../../src/core/resource.ts";
import type { Plan } from "../../../src/core/plan.ts";
import { Engine, type Applied, type SavedPlan } from "../../../src/engine/engine.ts";
import type { Recovered } from "../../../src/engine/recovery.ts";
import type { RollbackPlan } from "../../../src/engine/rollback.ts";
import { documentOf, sourced } from "../../conformance/fixture.ts";
import { Instants } from "../../conformance/instants.ts";
import { MemoryWorld } from "../../conformance/memory-subject.ts";

export interface ApplyOptions {
  readonly force?: boolean;
  readonly prune?: boolean;
  readonly plugin?: string;
  readonly saved?: SavedPlan;
  readonly confirmWithinMs?: number;
  confirm?(plan: Plan): void;
}

/** A host in memory with an engine on it. Every call is a process of its own. */
export class Bench extends MemoryWorld {
  /** What the calls so far found of dead processes. */
  readonly recovered: Recovered[] = [];
  /** Of the process that calls next. */
  instants = new Instants();

  override async open(instants = this.instants) {
    this.memory.instants = this.second.instants = instants;
    return await super.open(instants);
  }

  async engine(): Promise<Engine> {
    return new Engine(await this.open());
  }

  async apply(items: Json | Readonly<Record<string, Json>>, options: ApplyOptions = {}): Promise<Applied> {
    const { force = false, prune = false, plugin, saved, confirmWithinMs, confirm } = options;
    const request = { source: sourced(memoryDocument(items)), plugin, prune, force, saved, confirmWithinMs, ...this.#quiet };
    return await (await this.engine()).apply({ ...request, confirm: async (plan) => confirm?.(plan) });
  }

  async plan(items: Json, { prune = false } = {}): Promise<Plan> {
    return await (await this.engine()).plan(sourced(memoryDocument(items)), { plugin: undefined, prune });
  }

  async rollBack(to?: string, { force = false, confirmWithinMs }: Pick<ApplyOptions, "force" | "confirmWithinMs"> = {}): Promise<RollbackPlan | undefined> {
    const agree = () => Promise.resolve();
    return (await (await this.engine()).rollback({ to, force, ...this.#quiet, confirmWithinMs, confirm: agree, confirmTakingBack: agree }))?.plan;
  }

  async recover(): Promise<Recovered | undefined> {
    const known = this.recovered.length;
    await (await this.engine()).change("recover", { force: false, ...this.#quiet }, () => Promise.resolve());
    return this.recovered[known];
  }

  /** Runs as a process that dies at the first instant that matches. */
  async dying(at: { test(instant: string): boolean }, work: () => Promise<unknown>): Promise<void> {
    const trial = new Instants();
    const pass = trial.around.bind(trial);
    trial.around = (call, act) => {
      if (at.test(`before ${call}`)) trial.die(`before ${call}`);
      const result = pass(call, act);
      if (at.test(`after ${call}`)) trial.die(`after ${call}`);
      return result;
    };
    this.instants = trial;
    await work().catch(() => undefined);
    if (!trial.dead) throw new Error(`Nothing passed ${at}`);
    this.instants = new Instants();
  }

  /** Lets every call that matches fail, until the returned function is called. */
  failing(calls: RegExp, error: () => Error): () => void {
    this.instants = new Instants();
    this.instants.failing = (call) => (calls.test(call) ? error() : undefined);
    return () => void (this.instants = new Instants());
  }

  get owned(): Ownership[string] {
    return this.disk.ownership.memory ?? {};
  }

  /** Kind, operation and outcome of each entry, in one word a line. */
  get history(): string[] {
    return this.disk.entries.map(({ kind, outcome = "", late }) => [kind, outcome, late === true ? "late" : ""].filter(Boolean).join(" "));
  }

  get #quiet() {
    return { observer: {}, recovered: (report: Recovered) => void this.recovered.push(report) };
  }
}

function memoryDocument(items: Json | Readonly<Record<string, Json>>) {
  return documentOf({ memory: { items: items as Json } });
}

/** The error of a call that must fail, of the kind that it must have. */
export async function failure(kind: ErrorKind, work: Promise<unknown>): Promise<OpError> {
  const error = await work.then(() => undefined, (reason: unknown) => reason);
  if (!(error instanceof OpError)) throw new Error(`Expected ${kind}, got ${error === undefined ? "success" : messageOf(error)}`, { cause: error });
  expect({ kind: error.kind, message: error.message }).toEqual({ kind, message: error.message });
  return error;
}
