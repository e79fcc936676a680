import type { Proof } from "../core/confirmation.ts";
import type { SourcedDocument } from "../core/document.ts";
import type { Basis, Plan } from "../core/plan.ts";
import type { HeldHeader, Waiting } from "./hold.ts";
import type { Observer } from "./host.ts";
import type { Recovered } from "./recovery.ts";
import type { RollbackPlan } from "./rollback.ts";

/** A plan kept for later: single use, and only on the host it was made on, unmoved. */
export interface SavedPlan {
  readonly id: string;
  readonly hash: string;
  readonly basis: Basis;
}

export interface ChangeOptions {
  readonly force: boolean;
  readonly observer: Observer;
  /** Told what was recovered before anything else is done. */
  recovered(report: Recovered): void;
}

export interface HostChangeOptions extends ChangeOptions {
  /** Taken back unless it is confirmed within so much of its first write; without it, it is kept as soon as it is verified. */
  readonly confirmWithinMs?: number | undefined;
}

export interface ApplyRequest extends HostChangeOptions {
  readonly source: SourcedDocument;
  readonly plugin: string | undefined;
  readonly prune: boolean;
  readonly saved: SavedPlan | undefined;
  /** Shown the plan before anything is changed; what it throws ends the apply. */
  confirm(plan: Plan): Promise<void>;
}

export interface RollbackRequest extends HostChangeOptions {
  readonly to: string | undefined;
  confirm(plan: RollbackPlan): Promise<void>;
  /** Shown instead what waits to be confirmed, and is to be taken back. */
  confirmTakingBack(waiting: Waiting): Promise<void>;
}

export interface ConfirmRequest extends ChangeOptions {
  /** Whether the change that waits may be kept. */
  prove(waiting: Waiting): Proof;
}

export interface RecoverRequest extends Omit<ChangeOptions, "force"> {
  /** Nobody is there: waits for the deadline of what is held, takes the lock from a holder that does not let go, and puts the guards away. */
  readonly guard: boolean;
}

export interface Applied {
  readonly plan: Plan;
  /** False when there was nothing to change, and nothing was written. */
  readonly changed: boolean;
  readonly checkpoint: string | undefined;
  /** The change that waits to be confirmed; undefined for one that was kept at once. */
  readonly waiting: HeldHeader | undefined;
}

export interface RolledBack extends Pick<Applied, "waiting"> {
  readonly plan: RollbackPlan;
}
