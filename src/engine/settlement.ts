import type { Ownership, OwnedResource } from "../core/ownership.ts";
import { ownershipAfter } from "../core/ownership.ts";
import type { Change, Plugin } from "../core/plugin.ts";
import type { Checkpoint, Commit, Ledger, Rejection, TransactionHeader } from "../core/ports.ts";
import { valueAt, withValue, type Resource, type Resources } from "../core/resource.ts";
import { pluginOf } from "./host.ts";

type ByPlugin<T> = Readonly<Record<string, T>>;

export interface Settled {
  readonly header: TransactionHeader;
  /** All that changed, by plugin, in order. */
  readonly changes: ByPlugin<readonly Change[]>;
  readonly now: string;
}

/** What the ledger is told of an apply that was verified. Depends on nothing but its arguments, so recovery comes to the same. */
export function settleApply(settled: Settled, ledger: Ledger, plugins: readonly Plugin[]): Commit {
  const { header, changes, now } = settled;
  const [current, ownership] = [ledger.current(), ledger.ownership()];
  const owned = { ...ownership };
  for (const [plugin, made] of Object.entries(changes)) {
    owned[plugin] = ownershipAfter(owned[plugin] ?? {}, made, { now, identities: header.identities[plugin] ?? {} });
  }
  return {
    current: { version: 1, plugins: { ...current.plugins, ...header.document.plugins } },
    ownership: owned,
    checkpoints: [checkpointOf(settled, ledger, plugins)],
    accept: [header.documentHash],
    ...(header.planId === undefined ? {} : { spend: header.planId }),
  };
}

/** What the ledger is told of a rollback that was verified: the applies are undone, their documents rejected. */
export function settleRollback({ header, now }: Settled, ledger: Ledger): Commit {
  const undone = ledger.checkpoints().filter(({ name }) => header.undoes?.includes(name));
  const [oldest] = undone;
  const why = `rolled back on ${now}`;
  return {
    ...(oldest?.applied === undefined ? {} : { current: oldest.applied.currentBefore }),
    ownership: ownershipBefore(undone, ledger.ownership()),
    checkpoints: undone.map((checkpoint) => markUndone(checkpoint, now, why)),
    reject: undone.flatMap(({ applied }) =>
      applied === undefined ? [] : [rejectionOf(header, applied.documentHash, now, "it was rolled back")],
    ),
  };
}

/** What the ledger is told when an apply was taken back by itself. */
export function settleRevert(header: TransactionHeader, why: string, now: string): Commit {
  if (header.kind === "rollback") return {};
  const spend = header.planId === undefined ? {} : { spend: header.planId };
  return { reject: [rejectionOf(header, header.documentHash, now, why)], ...spend };
}

/**
 * What the ledger is told when an apply failed and could not be fully taken back: what it changed stays on record, so that
 * `rollback` can try again.
 */
export function settleUnreverted(settled: Settled, why: string, ledger: Ledger, plugins: readonly Plugin[]): Commit {
  const { header, now } = settled;
  if (header.kind === "rollback") return {};
  const { ownership, checkpoints } = settleApply(settled, ledger, plugins);
  return { ...settleRevert(header, why, now), ...(ownership && { ownership }), ...(checkpoints && { checkpoints }) };
}

/** The changes of the steps and what the peers reported besides, by plugin. */
export function changesByPlugin(
  steps: readonly { readonly plugin: string; readonly changes: readonly Change[] }[],
): ByPlugin<readonly Change[]> {
  const result: Record<string, Change[]> = {};
  for (const { plugin, changes } of steps) result[plugin] = [...(result[plugin] ?? []), ...changes];
  return result;
}

/** The state before (or after) changes, the first (or last) value of each key winning, policies of the resources carried along. */
export function stateOf(
  changes: readonly Change[],
  which: "before" | "after",
  policies: Resources = {},
): Record<string, Resource> {
  const state: Record<string, Resource> = {};
  for (const { resource, path, from, to } of changes) {
    const so = state[resource] ?? policies[resource] ?? {};
    if (which === "before" && valueAt(so, path) !== undefined) continue;
    state[resource] = withValue(so, path, which === "before" ? from : to);
  }
  return state;
}

/** The policy keys of a plugin's resources. */
export function policiesOf(plugin: Plugin, resources: Resources): Resources {
  const entries = Object.entries(resources).flatMap(([name, resource]) => {
    const kept = Object.entries(resource).filter(([key]) => plugin.policies.includes(key));
    return kept.length === 0 ? [] : [[name, Object.fromEntries(kept)] as const];
  });
  return Object.fromEntries(entries);
}

function checkpointOf({ header, changes }: Settled, ledger: Ledger, plugins: readonly Plugin[]): Checkpoint {
  const existing = ledger.checkpoints();
  const policies = Object.entries(header.desired).map(
    ([name, resources]) => [name, policiesOf(pluginOf(plugins, name), resources)] as const,
  );
  return {
    name: autoName(header.started, existing),
    sequence: (existing.at(-1)?.sequence ?? 0) + 1,
    created: header.started,
    actor: header.actor,
    applied: {
      transaction: header.id,
      documentHash: header.documentHash,
      changes,
      policies: Object.fromEntries(policies),
      ownershipBefore: ledger.ownership(),
      currentBefore: ledger.current(),
    },
  };
}

/** "auto-20261120T170312.123Z", counted on where one by that name exists. */
function autoName(started: string, existing: readonly Checkpoint[]): string {
  const base = `auto-${started.replaceAll(/[-:]/g, "")}`;
  const taken = new Set(existing.map(({ name }) => name));
  let name = base;
  for (let count = 2; taken.has(name); count += 1) name = `${base}-${count}`;
  return name;
}

/** Ownership with every resource that the checkpoints touched as it was before the oldest of them. */
function ownershipBefore(undone: readonly Checkpoint[], current: Ownership): Ownership {
  const result: Record<string, Record<string, OwnedResource>> = {};
  for (const [plugin, owned] of Object.entries(current)) result[plugin] = { ...owned };
  for (const { applied } of undone.toReversed()) {
    for (const [plugin, changes] of Object.entries(applied?.changes ?? {})) {
      const owned = (result[plugin] ??= {});
      for (const { resource } of changes) {
        const before = applied?.ownershipBefore[plugin]?.[resource];
        if (before === undefined) delete owned[resource];
        else owned[resource] = before;
      }
    }
  }
  return result;
}

function markUndone(checkpoint: Checkpoint, when: string, why: string): Checkpoint {
  const { applied } = checkpoint;
  return applied === undefined ? checkpoint : { ...checkpoint, applied: { ...applied, undone: { when, why } } };
}

function rejectionOf(header: TransactionHeader, documentHash: string, when: string, why: string): Rejection {
  return { documentHash, when, who: header.actor.user, why };
}

