import type { StateDocument } from "./document.ts";
import { equalJson, hashJson, toJson, type Json } from "./json.ts";
import type { StrayKey } from "./ownership.ts";
import type { Action, Note, Step } from "./plugin.ts";
import { leavesOf, valueAt, type Resources } from "./resource.ts";

/** What will happen, exactly, and what it was computed from. */
export interface Plan {
  readonly document: StateDocument;
  readonly documentHash: string;
  readonly prune: boolean;
  /** By plugin: the document's resources, with what `--prune` adds. */
  readonly desired: Readonly<Record<string, Resources>>;
  readonly basis: Basis;
  /** SHA-256 over document, prune and basis. */
  readonly hash: string;
  /** In the order they will be taken, across plugins. */
  readonly steps: readonly Step[];
  readonly notes: readonly Note[];
  /** By plugin: owned, no longer declared. */
  readonly strays: Readonly<Record<string, readonly StrayKey[]>>;
}

/** By plugin, by resource: the actual values of exactly the keys named, ownership, identity and facts. */
export type Basis = Readonly<Record<string, Readonly<Record<string, BasisOfResource>>>>;

export interface BasisOfResource {
  readonly state: Json;
  readonly owned?: Json;
  readonly identity?: string;
  readonly facts?: Json;
}

export interface Moved {
  readonly plugin: string;
  readonly resource: string;
  /** The key, or "identity", "facts.unit_file", "ownership". */
  readonly what: string;
  readonly then: Json;
  readonly now: Json;
}

export function planHash(document: StateDocument, prune: boolean, basis: Basis): string {
  return hashJson(toJson({ document, prune, basis }));
}

export function actionsOf(steps: readonly Step[]): Action[] {
  return steps.flatMap((step) => step.actions);
}

/** What differs between the host that a plan was computed from and the host now. */
export function whatMoved(then: Basis, now: Basis): Moved[] {
  const moved: Moved[] = [];
  for (const plugin of new Set([...Object.keys(then), ...Object.keys(now)])) {
    for (const resource of new Set([...Object.keys(then[plugin] ?? {}), ...Object.keys(now[plugin] ?? {})])) {
      const a = toJson(then[plugin]?.[resource] ?? {});
      const b = toJson(now[plugin]?.[resource] ?? {});
      for (const path of leafPaths(a, b)) {
        const [before, after] = [valueAt(a, path), valueAt(b, path)];
        if (equalJson(before ?? null, after ?? null)) continue;
        const what = (path[0] === "state" ? path.slice(1) : path).join(".");
        moved.push({ plugin, resource, what, then: before ?? null, now: after ?? null });
      }
    }
  }
  return moved;
}

function leafPaths(...values: Json[]): (readonly string[])[] {
  const paths = new Map<string, readonly string[]>();
  for (const value of values) {
    for (const { path } of leavesOf(value as never)) paths.set(path.join("\0"), path);
  }
  return [...paths.values()];
}
