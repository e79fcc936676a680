import { OpError } from "../../core/errors.ts";
import type { Bridge, Bridges } from "./bridge.ts";

/** The same bridges for whoever only looks: a change is refused before it reaches the wire. */
export function readOnly(bridges: Bridges): Bridges {
  return { names: () => bridges.names(), open: (name) => readOnlyBridge(bridges.open(name)) };
}

function readOnlyBridge(bridge: Bridge): Bridge {
  return {
    name: bridge.name,
    features: () => bridge.features(),
    flows: () => bridge.flows(),
    ports: () => bridge.ports(),
    async change() {
      throw new OpError("internal", `Changing the flows of bridge '${bridge.name}' would write`, { operation: "change flows" });
    },
    get counts() {
      return bridge.counts;
    },
    close: () => bridge.close(),
    [Symbol.dispose]: () => bridge.close(),
  };
}
