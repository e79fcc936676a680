import { ownershipAfter, ownershipForWayBack, strayKeys, withoutKeys } from "../core/ownership.ts";
import { changesOf, type Change, type Plugin, type Step } from "../core/plugin.ts";
import type { Checkpoint, CheckpointMark, Commit, Ledger, Rejection, TransactionHeader, Undone } from "../core/ports.ts";
import { valueAt, withValue, type Resource, type Resources, type Ownership, type OwnedResource } from "../core/resource.ts";
import { pluginOf } from "./host.ts";
import { renewedBooks } from "./renewal.ts";
import type { Settled } from "./settled.ts";
import type { ByPlugin } from "./survey.ts";

/** What the ledger is told of an apply that was verified. Depends on nothing but its arguments, so recovery comes to the same. */
export function settleApply(settled: Settled, ledger: Ledger, plugins: readonly Plugin[]): Commit {
  const { header } = settled;
  const books = renewedBooks(settled, ledger);
  return {
    current: { version: 1, plugins: { ...ledger.current().plugins, ...header.document.plugins } },
    ownership: withoutPruned(ownershipWith(settled, ledger, plugins), header, plugins),
    checkpoints: [...books.rewritten, checkpointOf(settled, books, ledger.marks(), plugins)],
    accept: [header.documentHash],
    ...(header.planId === undefined ? {} : { spend: header.planId }),
  };
}

/** What was pruned is op-dbus's no more, also where it was back at its original already. */
function withoutPruned(ownership: Ownership, { document, desired }: TransactionHeader, plugins: readonly Plugin[]): Ownership {
  const result: Record<string, Ownership[string]> = { ...ownership };
  for (const [name, section] of Object.entries(document.plugins)) {
    const strays = strayKeys(ownership[name] ?? {}, pluginOf(plugins, name).resources(section));
    const pruned = strays.filter(({ resource, key }) => valueAt(desired[name]?.[resource], key.path) !== undefined);
    if (pruned.length > 0) result[name] = withoutKeys(ownership[name] ?? {}, pruned);
  }
  return result;
}

/** Ownership to plan by while the changes are taken back. */
export function ownershipForTakingBack(changes: ByPlugin<readonly Change[]>, ledger: Pick<Ledger, "ownership">, plugins: readonly Plugin[]): Ownership {
  const owned = { ...ledger.ownership() };
  for (const [name, made] of Object.entries(changes)) owned[name] = ownershipForWayBack(owned[name] ?? {}, made, pluginOf(plugins, name));
  return owned;
}

/** Ownership to plan by while a transaction goes where it is to go. */
export function ownershipOf({ undoes = [] }: TransactionHeader, ledger: Ledger, plugins: readonly Plugin[]): Ownership {
  const undone = undoes.length === 0 ? [] : ledger.checkpoints().filter(({ name }) => undoes.includes(name));
  return ownershipForTakingBack(changedBy(undone), ledger, plugins);
}

/** Ownership with the changes, as if they were to last. */
function ownershipWith({ header, changes, identities, now }: Settled, ledger: Ledger, plugins: readonly Plugin[]): Ownership {
  const owned = { ...ledger.ownership() };
  for (const [plugin, made] of Object.entries(changes)) {
    const { lists } = pluginOf(plugins, plugin);
    const [before, after] = [header.identities[plugin] ?? {}, identities[plugin] ?? {}];
    owned[plugin] = ownershipAfter(owned[plugin] ?? {}, made, { now, lists, before, after });
  }
  return owned;
}

/** What the ledger is told of a rollback that was verified: the applies are undone, their documents rejected. */
export function settleRollback(settled: Settled, ledger: Ledger): Commit {
  const { header, now } = settled;
  const books = renewedBooks(settled, ledger);
  const undone = books.checkpoints().filter(({ name }) => header.undoes?.includes(name));
  const kept = books.rewritten.filter(({ name }) => !header.undoes?.includes(name));
  const [oldest] = undone;
  const undoneBy: Undone = { when: now, why: `rolled back on ${now}`, transaction: header.id, currentBefore: books.current() };
  return {
    ...(oldest?.applied === undefined ? {} : { current: oldest.applied.currentBefore }),
    ownership: ownershipBefore(undone, books.ownership()),
    checkpoints: [...kept, ...undone.map((checkpoint) => markUndone(checkpoint, undoneBy))],
    reject: undone.flatMap(({ applied }) =>
      applied === undefined ? [] : [rejectionOf(header, applied.documentHash, now, "it was rolled back")],
    ),
  };
}

/** What the ledger is told when a change was taken back by itself. */
export function settleRevert(settled: Settled, why: string, ledger: Ledger): Commit {
  const { header, now } = settled;
  const { rewritten: checkpoints, ...books } = renewedBooks(settled, ledger);
  const renewed = { ownership: books.ownership(), checkpoints };
  if (header.kind === "rollback") return renewed;
  const spend = header.planId === undefined ? {} : { spend: header.planId };
  return { ...renewed, reject: [rejectionOf(header, header.documentHash, now, why)], ...spend };
}

/**
 * What the ledger is told when an apply failed and could not be fully taken back: what it changed stays on record, so that
 * `rollback` can try again.
 */
export function settleUnreverted(settled: Settled, why: string, ledger: Ledger, plugins: readonly Plugin[]): Commit {
  if (settled.header.kind === "rollback") return settleRevert(settled, why, ledger);
  const { ownership, checkpoints } = settleApply(settled, ledger, plugins);
  return { ...settleRevert(settled, why, ledger), ...(ownership && { ownership }), ...(checkpoints && { checkpoints }) };
}

export interface Changes {
  readonly plugin: string;
  readonly changes: readonly Change[];
}

/** What the steps are foreseen to bring about besides. */
export function impliedChanges(steps: readonly Step[]): Changes[] {
  const implied = steps.map((step) => ({ plugin: step.plugin, changes: changesOf(step).filter(({ impliedBy }) => impliedBy !== undefined) }));
  return implied.filter(({ changes }) => changes.length > 0);
}

export function changesByPlugin(steps: readonly Changes[]): ByPlugin<readonly Change[]> {
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

function checkpointOf(
  { header, changes }: Settled,
  books: Pick<Ledger, "ownership" | "current">,
  existing: readonly CheckpointMark[],
  plugins: readonly Plugin[],
): Checkpoint {
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
      ownershipBefore: books.ownership(),
      currentBefore: books.current(),
    },
  };
}

/** "auto-20261120T170312.123Z", counted on where one by that name exists. */
function autoName(started: string, existing: readonly CheckpointMark[]): string {
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

/** What the applies changed, oldest first. */
export function changedBy(checkpoints: readonly Checkpoint[]): ByPlugin<readonly Change[]> {
  const made = checkpoints.flatMap(({ applied }) => Object.entries(applied?.changes ?? {}));
  return changesByPlugin(made.map(([plugin, changes]) => ({ plugin, changes })));
}

function markUndone(checkpoint: Checkpoint, undone: Undone): Checkpoint {
  const { applied } = checkpoint;
  return applied === undefined ? checkpoint : { ...checkpoint, applied: { ...applied, undone } };
}

function rejectionOf(header: TransactionHeader, documentHash: string, when: string, why: string): Rejection {
  return { documentHash, when, who: header.actor.user, why };
}

