import type { Action } from "../../../core/plugin.ts";
import type { Stage, Work } from "../steps.ts";
import type { VswitchOperation } from "./operations.ts";

/** A change of Open vSwitch that is not before one turn and not after another. */
export interface VswitchWork {
  readonly operations: readonly VswitchOperation[];
  readonly actions: readonly Action[];
  /** Within a transaction, lower ranks come first. */
  readonly rank: number;
  readonly turns: readonly [first: Turn, last: Turn];
}

/** 1: before links are set and get addresses; 2: after that, and before routes are set; 3: when all else is in place. */
export type Turn = 1 | 2 | 3;

const STAGES: Readonly<Record<Turn, Stage>> = { 1: "change Open vSwitch", 2: "change Open vSwitch again", 3: "change Open vSwitch at last" };

/** As few transactions as the turns allow: each work is done in the last turn that another one needs anyway. */
export function inTurns(work: readonly VswitchWork[]): Work[] {
  const taken: Turn[] = [];
  for (const { turns: [first, last] } of work.toSorted((a, b) => a.turns[1] - b.turns[1])) {
    if (!taken.some((turn) => turn >= first && turn <= last)) taken.push(last);
  }
  return work.map(({ operations, actions, rank, turns: [first, last] }) => {
    const turn = taken.find((each) => each >= first && each <= last) ?? last;
    return { stage: STAGES[turn], operations, actions, rank };
  });
}
