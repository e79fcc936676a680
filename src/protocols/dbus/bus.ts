import type { OpError } from "../../core/errors.ts";

/** One method call. `body` has one value for each complete type of `signature`. */
export interface Call {
  /** Left out by the bus on PID 1's private socket, where there is only one to ask. */
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
  /** How long the peer may take, where the bus's own limit does not fit. */
  readonly timeoutMs?: number;
  /** The call is not to start the service that it is for. */
  readonly noAutoStart?: boolean;
}

/** A value that carries its own type (D-Bus specification, "Variant"): one complete type and one value. */
export interface Variant {
  readonly signature: string;
  readonly value: unknown;
}

/** Which signals: all of what is given must match. */
export interface SignalMatch {
  /** A well-known name; signals from anybody but its present owner are not delivered. */
  readonly sender: string;
  readonly path?: string;
  readonly interface: string;
  readonly member?: string;
  /** The body's first value, a string. */
  readonly arg0?: string;
}

export interface Signal {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

/**
 * A connection to message peers. D-Bus values are JavaScript's: integers of up to 32 bits and doubles are numbers, 64-bit integers are
 * bigints, `ay` is a Uint8Array, `a{..}` is a Map, structs and other arrays are arrays, variants are `Variant`s.
 */
export interface Bus {
  /** Who answers. A bus that may fall back to the private socket knows once it is connected; before, it says "system-bus". */
  readonly peer: "system-bus" | "private-socket";
  /**
   * Sends a call and gives the reply's body. Calls made together travel together. Rejects with an OpError: the peer's own errors by
   * errors.ts, kind unavailable when there is no peer, no answer in time or no connection any more, kind invalid for names that D-Bus
   * does not allow.
   */
  call(call: Call): Promise<readonly unknown[]>;
  /**
   * Delivers signals in the order of arrival until disposed. When this resolves, no later signal is missed. A signal that arrives right
   * after a reply may be delivered before the reply's awaiter runs. Who waits for a signal also watches `closed`.
   */
  subscribe(match: SignalMatch, handler: (signal: Signal) => void): Promise<AsyncDisposable>;
  /** Calls put on the wire so far, by the list of reads.ts; the bus's own Hello and AddMatch count as reads. */
  readonly counts: { readonly reads: number; readonly writes: number };
  /** Resolves when the connection has ended: with the reason, or with nothing after `close`. */
  readonly closed: Promise<OpError | undefined>;
  /** Ends the connection; what is still waiting for a reply is rejected. */
  close(): void;
}

/** A call as people read it: "StartUnit(nginx.service, replace) on org.freedesktop.systemd1". */
export function describeCall({ destination, member, body = [] }: Call): string {
  const words = body.filter((value) => typeof value === "string").map((value) => (value.length > 60 ? `${value.slice(0, 57)}...` : value));
  return `${member}${words.length === 0 ? "" : `(${words.join(", ")})`} on ${destination}`;
}
