import type { Bridges } from "../../protocols/openflow/bridge.ts";
import type { Ovsdb } from "../../protocols/ovsdb/ovsdb.ts";
import type { Ports } from "./names.ts";

export interface Sources {
  readonly bridges: Bridges;
  readonly ovsdb: Ovsdb;
}

/** What `plan` looks at besides a bridge's keys: the ports that declared flows mean. */
export interface BridgeFacts {
  readonly ports: Ports;
}

/** What comes and goes by itself, and is no part of a plan's hash. */
export interface BridgeAdvice {
  /** Flows with a time-out that nobody has declared. */
  readonly temporary: readonly string[];
}

/** The plugin's own arguments for `apply`. */
export interface Call {
  readonly bridge: string;
  /** What the flows' names of ports meant when the plan was made. */
  readonly ports: Ports;
  /** Set first, where it is there: Open vSwitch empties every table with it, and so does `apply`. */
  readonly fail_mode?: "secure" | "standalone" | null;
  readonly remove: readonly string[];
  readonly add: readonly string[];
}
