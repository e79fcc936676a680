import type * as fc from "fast-check";
import type { StateDocument } from "../../src/core/document.ts";
import { OpError } from "../../src/core/errors.ts";
import type { Json } from "../../src/core/json.ts";
import type { KeyPath } from "../../src/core/resource.ts";
import type { Diagnostic } from "../../src/core/diagnostic.ts";
import { Engine, type Applied } from "../../src/engine/engine.ts";
import type { Host } from "../../src/engine/host.ts";
import type { Plan } from "../../src/core/plan.ts";
import type { RollbackPlan } from "../../src/engine/rollback.ts";
import { expectSame, picture } from "./picture.ts";

/** A host with the plugins under test and a state directory. Its disposal leaves nothing behind. */
export interface Fixture<Edit> extends AsyncDisposable {
  /** A process's view of what outlives processes; each call is a new process. */
  open(): Promise<Host>;
  /** How many writes were sent on any wire so far. */
  writes(): number;
  /** What somebody else does to the host. */
  edit(edit: Edit): Promise<void>;
}

/** What the laws are to be shown of: a kind of host, and the documents and foreign changes that can befall it. */
export interface Subject<Edit = never> {
  readonly name: string;
  make(): Promise<Fixture<Edit>>;
  /** Valid sections for the plugins under test. One that a host cannot be brought to is passed over. */
  readonly documents: fc.Arbitrary<StateDocument>;
  readonly edits?: fc.Arbitrary<Edit>;
  /** Documents whose plans have every kind of one-way step. */
  readonly oneWay: readonly StateDocument[];
  /** By plugin: the README that lists its one-way steps. */
  readonly readmes: Readonly<Record<string, string>>;
  /** Keys of a resource that nobody can see while this one of it is set. */
  hides?(path: KeyPath): readonly KeyPath[];
  /** Whether the document speaks of a member of somebody else's in a list by this key: names it, or calls the list complete. */
  claims?(document: StateDocument, key: string, member: unknown): boolean;
  /** How many generated cases each law is tried on. */
  readonly runs: number;
  /** To repeat a failure; it is printed with one. */
  readonly seed?: number;
  /** How long one law may take. */
  readonly timeoutMs?: number;
}

export interface Options {
  readonly force?: boolean;
  readonly prune?: boolean;
  readonly confirmWithinMs?: number;
}

const quiet = { observer: {}, recovered: () => undefined };

export function applyTo(host: Host, document: StateDocument, { force = false, prune = false, confirmWithinMs }: Options = {}): Promise<Applied> {
  const confirm = () => Promise.resolve();
  return new Engine(host).apply({ ...quiet, source: sourced(document), plugin: undefined, prune, force, saved: undefined, confirmWithinMs, confirm });
}

/**
 * Applies a document, or returns undefined for one that this host cannot be brought to: refused by the plan, or found out only
 * by verifying. Then everything must be as it was before.
 */
export async function applyIfPossible(host: Host, document: StateDocument, options: Options = {}): Promise<Applied | undefined> {
  if (!(await isPossible(host, document))) return undefined;
  const was = await picture(host);
  try {
    return await applyTo(host, document, options);
  } catch (error) {
    if (!(error instanceof OpError) || error.kind !== "failed") throw error;
    expectSame(was, await picture(host));
    return undefined;
  }
}

/** Returns the plan that was carried out. */
export async function rollBack(host: Host, to?: string, { force = false }: Options = {}): Promise<RollbackPlan> {
  const confirm = () => Promise.resolve();
  const rolledBack = await new Engine(host).rollback({ ...quiet, to, force, confirm, confirmTakingBack: confirm });
  if (rolledBack === undefined) throw new Error("Nothing was rolled back: recovery had done it");
  return rolledBack.plan;
}

export function planFor(host: Host, document: StateDocument, { prune = false }: Options = {}): Promise<Plan> {
  return new Engine(host).plan(sourced(document), { plugin: undefined, prune });
}

/** False for a document that this host cannot be brought to as it is. */
export async function isPossible(host: Host, document: StateDocument): Promise<boolean> {
  try {
    const { steps } = await planFor(host, document);
    return steps.every(({ actions }) => actions.every((action) => action.protected === undefined));
  } catch (error) {
    if (error instanceof OpError && error.kind === "invalid") return false;
    throw error;
  }
}

export function documentOf(sections: Readonly<Record<string, Json>>): StateDocument {
  return { version: 1, plugins: sections };
}

/** A document as if from a file, whose errors say the path instead of the line. */
export function sourced(document: StateDocument) {
  return {
    document,
    reject(findings: readonly Diagnostic[]): never {
      throw new OpError("invalid", findings.map(({ message, path }) => `${path.join(".")}: ${message}`).join("; "));
    },
  };
}
