import { OpError } from "../../core/errors.ts";
import { describeCall, type Bus } from "./bus.ts";
import { isRead } from "./reads.ts";

/** The same bus for whoever only looks: a call that is not in the list of reads is refused before it reaches the wire. */
export function readOnly(bus: Bus): Bus {
  return {
    get peer() {
      return bus.peer;
    },
    async call(call) {
      if (!isRead(call)) throw new OpError("internal", `${describeCall(call)} would write`, { operation: call.member });
      return bus.call(call);
    },
    subscribe: (match, handler) => bus.subscribe(match, handler),
    get counts() {
      return bus.counts;
    },
    get closed() {
      return bus.closed;
    },
    close: () => bus.close(),
  };
}
