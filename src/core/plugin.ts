import type { GenericSchema } from "valibot";
import type { Json } from "./json.ts";
import type { KeyPath, Resource, Resources, OwnedResources } from "./resource.ts";

/**
 * What brings one domain of the host to its declared state. A plugin reads what is, plans the difference and applies one step;
 * journal, audit, revert and the order of steps belong to the engine. `test/conformance` holds every plugin to the laws.
 */
export interface Plugin {
  /** The section's name in a state document. */
  readonly name: string;
  /**
   * The section's shape. The plugin's other functions see only what passed it. A text marked with `secret` is sealed wherever it could
   * be stored or shown: `plan` is given commitments, which are equal where the texts are, and `apply` alone the texts.
   */
  readonly schema: GenericSchema;
  /** How each list among the keys is meant: writing a complete one names all of it (DESIGN.md, Ownership). */
  readonly lists: Readonly<Record<string, "complete" | "members">>;
  /** Top-level keys that say how, not what. They are never read back; a before-state carries them along. */
  readonly policies: readonly string[];
  /** The kinds of step that cannot be taken back, with the reason. The plugin's README lists the same. */
  readonly oneWay: Readonly<Record<string, string>>;

  /** The section's resources by name. Pure; `section` is its inverse. */
  resources(section: Json): Resources;
  section(resources: Resources): Json;
  /** Where in the section a resource's key stands, so that a message can point at it. Pure. */
  locate(section: Json, resource: string, path: KeyPath): (string | number)[];

  /**
   * What is. `scope` names resources and keys of interest; without it, all there is. Sends no write. Secrets are read as they are,
   * `UNREADABLE` where the peer does not tell them, and stand in `state` alone.
   */
  read(scope?: Resources): Promise<Reading>;
  /** The difference, as steps in the order they must be taken. Pure: the same arguments give the same plan. */
  plan(desired: Resources, actual: Reading, owned: OwnedResources): PluginPlan;
  /** Takes one step of a plan and returns when the host has taken it, or throws. May be given a step again after a crash. */
  apply(step: Step, progress: Progress): Promise<StepOutcome>;
  /**
   * Whether a key lasts only until the next boot, which takes it back by itself and leaves it to whoever sets the host up; `keys` are those of
   * the resource that a change names. Without it every key lasts. Pure.
   */
  endsWithBoot?(resource: string, path: KeyPath, keys: Resource): boolean;
  /** The keys that op-dbus takes charge of when the user asks it to own a resource it did not make. Pure. */
  adopt(reading: ResourceReading): readonly AdoptedKey[];
}

export interface AdoptedKey {
  readonly path: KeyPath;
  readonly value: Json;
  /** What `--prune` returns it to. */
  readonly original: Json;
}

/** What `read` found, by resource name. A resource named in the scope and not there is in it too, with what can be said of it. */
export interface Reading {
  readonly resources: Readonly<Record<string, ResourceReading>>;
}

export interface ResourceReading {
  /** Keys that can be declared, with their values now, in the one spelling that `plan` compares. null: unset. */
  readonly state: Resource;
  /** What can only be seen. */
  readonly observed?: Resource;
  /** What makes it the same resource: another one by the same name has another identity, and is not owned. */
  readonly identity?: string;
  /** What `plan` looks at besides the keys. It is part of the plan's hash, so nothing that changes by itself. */
  readonly facts?: Json;
  /** What `plan` tells its reader besides; it may differ from one reader to the next and is not part of the hash. */
  readonly advice?: Json;
}

export interface PluginPlan {
  readonly steps: readonly Step[];
  /** Why the document cannot be brought about on this host. Any one of them stops the plan. */
  readonly problems: readonly Problem[];
  /** What a reader should know although nothing is to be done about it. */
  readonly notes?: readonly Note[];
}

export interface Note {
  readonly resource: string;
  readonly message: string;
}

export interface Problem {
  readonly resource: string;
  readonly path: KeyPath;
  readonly message: string;
  readonly hint?: string;
}

/** What the peer takes as one. */
export interface Step {
  readonly plugin: string;
  /** What it does, as a word or two: "start units". */
  readonly name: string;
  readonly actions: readonly Action[];
  /** A kind from the plugin's `oneWay`, when the step cannot be taken back. */
  readonly oneWay?: string;
  /** Events that this step brings about: "unit:nginx.service active". */
  readonly provides?: readonly string[];
  /** Events that this step waits for where another step of the plan brings them about. */
  readonly after?: readonly string[];
  /** The plugin's own arguments for `apply`. */
  readonly call: Json;
}

/** One line of a plan: one key of one resource, or (without `path`) something done to it that changes no key. */
export interface Action {
  readonly resource: string;
  /** The verb people know: "start", "enable", "set", "restart". */
  readonly verb: string;
  readonly path?: KeyPath;
  readonly from?: Json;
  readonly to?: Json;
  readonly risk: Risk;
  /** What else a reader should know before agreeing. */
  readonly note?: string;
  /** The named resource that brings this about, where the document does not name this one. */
  readonly impliedBy?: string;
  /** Why it needs --force: it would cut off the operator or op-dbus itself. */
  readonly protected?: string;
}

export type Risk = "low" | "medium" | "high";

/** A key that had one value and has another. */
export interface Change {
  readonly resource: string;
  readonly path: KeyPath;
  readonly from: Json;
  readonly to: Json;
  readonly impliedBy?: string;
}

export interface StepOutcome {
  /** What the peer reports to have changed besides the step's own actions. */
  readonly effects: readonly Change[];
}

export interface Progress {
  /** Called as each action of the running step is done. */
  done(resource: string, what: string): void;
}

/** The keys that a step changes. */
export function changesOf(step: Step): Change[] {
  const changes: Change[] = [];
  for (const { resource, path, from, to, impliedBy } of step.actions) {
    if (path === undefined) continue;
    changes.push({ resource, path, from: from ?? null, to: to ?? null, ...(impliedBy === undefined ? {} : { impliedBy }) });
  }
  return changes;
}
