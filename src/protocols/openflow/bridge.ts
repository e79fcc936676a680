import type { Features } from "./features.ts";
import type { FlowMod, FlowStats } from "./flow.ts";
import type { Port } from "./port.ts";

/**
 * One bridge's flow tables. What it is asked rejects with an OpError: kind unavailable where there is no such bridge, no answer in time
 * or no connection any more, and by errors.ts where the bridge answered with an error.
 */
export interface Bridge extends Disposable {
  readonly name: string;
  features(): Promise<Features>;
  /** Every flow of every table; hidden ones, which Open vSwitch made itself, are not among them. */
  flows(): Promise<FlowStats[]>;
  /** Every port, the bridge's own (LOCAL) included. */
  ports(): Promise<Port[]>;
  /** Makes all of the changes, in their order, or none: one bundle. When this resolves the bridge has them. An error says which change it is about. */
  change(mods: readonly FlowMod[]): Promise<void>;
  /** Messages put on the wire so far, by the list of reads.ts. */
  readonly counts: { readonly reads: number; readonly writes: number };
  /** Ends the connection; what still waits is rejected. Disposing does the same. */
  close(): void;
}

/** Makes bridges, and knows which there are. */
export interface Bridges {
  /** Nothing is connected to before something is asked. */
  open(name: string): Bridge;
  /** The bridges that ovs-vswitchd runs now. */
  names(): Promise<string[]>;
}
