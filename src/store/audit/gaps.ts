import type { AuditEntry, Pruned } from "../../core/ports.ts";
import { prunedBy } from "./prune-entry.ts";
import { TILE_WIDTH } from "./tile.ts";

/** Bundles that are not there, and what the log says of it: only a prune that is an entry of the log lets them be gone. */
export class Gaps {
  /** By index, in order. */
  readonly #gone: number[] = [];
  /** The prune that reaches furthest. */
  #pruned: Pruned | undefined;

  /** Told of each bundle that is not there, in order. */
  gone(index: number): void {
    this.#gone.push(index);
  }

  /** Told of entries, in order. */
  saw(entry: AuditEntry): void {
    const found = prunedBy(entry);
    if (found !== undefined && found.minimumIndex >= (this.#pruned?.minimumIndex ?? 0)) this.#pruned = found;
  }

  /** The first bundle that is gone and was not pruned, by its index. */
  get lost(): number | undefined {
    return this.#gone.find((index) => (index + 1) * TILE_WIDTH > (this.#pruned?.minimumIndex ?? 0));
  }

  /** What was pruned, and how many bundles of it are still there. */
  get pruned(): (Pruned & { readonly bundlesLeft: number }) | undefined {
    return this.#pruned && { ...this.#pruned, bundlesLeft: this.#pruned.minimumIndex / TILE_WIDTH - this.#gone.length };
  }
}
