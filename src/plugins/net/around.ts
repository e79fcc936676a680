import type { Moves } from "./moves.ts";
import type { Guard } from "./protection.ts";
import type { Reach } from "./reach.ts";
import type { View } from "./state.ts";

/** What a plan is made from, and what follows from it for all of its parts. */
export interface Around {
  readonly view: View;
  readonly moves: Moves;
  readonly guard: Guard;
  readonly reach: Reach;
}
