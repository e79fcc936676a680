import { equalJson, toJson } from "../core/json.ts";
import { underNewIdentities, type Identities, type Renewals } from "../core/ownership.ts";
import type { Ownership } from "../core/resource.ts";
import type { Checkpoint, Ledger } from "../core/ports.ts";
import type { Settled } from "./settled.ts";
import type { ByPlugin } from "./survey.ts";

export interface RenewedBooks extends Pick<Ledger, "ownership" | "checkpoints" | "current"> {
  /** The checkpoints that are not as the ledger has them. */
  readonly rewritten: readonly Checkpoint[];
}

/** The books with every resource that the change made again under its new identity: it goes on being op-dbus's. */
export function renewedBooks(settled: Settled, ledger: Ledger): RenewedBooks {
  const renewals = renewalsOf(settled, ledger);
  const nothing = Object.values(renewals).every((each) => Object.keys(each).length === 0);
  if (nothing) return { ownership: () => ledger.ownership(), checkpoints: () => ledger.checkpoints(), current: () => ledger.current(), rewritten: [] };
  const known = ledger.checkpoints();
  const checkpoints = known.map((checkpoint) => renewedCheckpoint(checkpoint, renewals));
  const ownership = renewed(ledger.ownership(), renewals);
  return {
    ownership: () => ownership,
    checkpoints: () => checkpoints,
    current: () => ledger.current(),
    rewritten: checkpoints.filter((checkpoint, index) => !equalJson(toJson(checkpoint), toJson(known[index]))),
  };
}

/** Who is who since op-dbus made resources again that it or somebody else had removed. */
function renewalsOf({ header, changes, identities }: Settled, ledger: Ledger): ByPlugin<Renewals> {
  const entries = Object.entries(changes).map(([plugin, made]) => {
    const identified = [...new Set(made.map(({ resource }) => resource))].filter((name) => identities[plugin]?.[name] !== undefined);
    const known = identified.length === 0 ? () => undefined : identitiesBefore(plugin, header.identities[plugin] ?? {}, ledger);
    const renewals = identified.flatMap((name) => {
      const [from, to] = [known(name), identities[plugin]?.[name]];
      return from === undefined || to === undefined || from === to ? [] : [[name, { from, to }] as const];
    });
    return [plugin, Object.fromEntries(renewals)] as const;
  });
  return Object.fromEntries(entries);
}

/** Who a resource was before the change, or when op-dbus last had to do with it. */
function identitiesBefore(plugin: string, read: Identities, ledger: Ledger): (name: string) => string | undefined {
  const owned = ledger.ownership()[plugin] ?? {};
  const before = ledger.checkpoints().toReversed().map(({ applied }) => applied?.ownershipBefore[plugin] ?? {});
  return (name) => read[name] ?? [owned, ...before].map((each) => each[name]?.identity).find((identity) => identity !== undefined);
}

function renewed(ownership: Ownership, renewals: ByPlugin<Renewals>): Ownership {
  const entries = Object.entries(ownership).map(([plugin, owned]) => [plugin, underNewIdentities(owned, renewals[plugin] ?? {})] as const);
  return Object.fromEntries(entries);
}

function renewedCheckpoint(checkpoint: Checkpoint, renewals: ByPlugin<Renewals>): Checkpoint {
  const { applied } = checkpoint;
  return applied === undefined ? checkpoint : { ...checkpoint, applied: { ...applied, ownershipBefore: renewed(applied.ownershipBefore, renewals) } };
}
