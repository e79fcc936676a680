import type { PortNames } from "./port-names.ts";
import type { Draft } from "./prerequisites.ts";
import type { TextPart } from "./text-numbers.ts";

/** What an action's meaning depends on besides its words. */
export interface ActionContext {
  readonly names: PortNames;
  readonly match: Draft;
  /** Whether the packet has a VLAN tag here: what is matched, or what an action before this one has pushed. */
  hasVlan: boolean;
  /** Whether the packet is still of the type that is matched. */
  typeKnown: boolean;
}

/** What follows an action's word. */
export interface Argument extends TextPart {
  readonly word: string;
  readonly form: "none" | "colon" | "parentheses";
}
