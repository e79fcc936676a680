import type { ConfigFile, Operator } from "../../core/ports.ts";
import type { DropIns } from "./drop-in.ts";
import type { Manager, UnitStatus } from "./manager.ts";

/** What `plan` looks at besides a unit's keys. */
export interface UnitFacts {
  readonly load: string;
  /** active, inactive, failed, activating … */
  readonly active: string;
  /** The unit file, and its state as systemctl is-enabled prints it. */
  readonly file: string | null;
  readonly fileState: string | null;
  /** Whether it is enabled for good; null where that cannot be said or changed (static, generated …). */
  readonly enabled: boolean | null;
  /** The unit's own name, when it was asked for by an alias. */
  readonly aliasOf?: string;
  readonly dropIns?: DropIns;
  readonly start?: StartFacts;
  readonly stop?: { readonly transient: boolean };
  readonly implied?: Implied;
}

export interface StartFacts {
  readonly canStart: boolean;
  /** "" for a unit that is not a service. */
  readonly serviceType: string;
  readonly remainAfterExit: boolean;
}

export interface Sources {
  readonly manager: Manager;
  readonly configFiles: ConfigFile;
  readonly operator: Operator;
}

/** What happens to other units along with a change of this one, as far as the unit files say. */
export interface Implied {
  /** Inactive units that starting this one starts (Requires=, BindsTo=, Wants=). */
  readonly starts?: readonly string[];
  /** Active units that starting (Conflicts=) or stopping this one stops (their Requires=, BindsTo=, PartOf=). */
  readonly stops?: readonly string[];
  /** Units named by Also= in [Install]. */
  readonly also?: Readonly<Record<string, AlsoUnit>>;
  /** Units that can start this one again (TriggeredBy). */
  readonly triggers?: readonly string[];
}

export interface AlsoUnit {
  readonly enabled: boolean;
  /** Its own Also= names this unit in turn: neither can be enabled or disabled alone. */
  readonly mutual: boolean;
}

/** A unit's active state, where a job that waits its turn counts as begun. */
export function activeStateOf({ activeState, job }: Pick<UnitStatus, "activeState" | "job">): string {
  const steady = steadyState(activeState);
  if (job === "start" && steady === "inactive") return "activating";
  return job === "stop" && steady === "active" ? "deactivating" : activeState;
}

/** "active" or "inactive" where a unit rests in that; null while it is on its way. A failed unit is one that does not run. */
export function steadyState(active: string): "active" | "inactive" | null {
  if (active === "active" || active === "reloading" || active === "refreshing") return "active";
  return active === "inactive" || active === "failed" ? "inactive" : null;
}
