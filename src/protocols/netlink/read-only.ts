import { OpError } from "../../core/errors.ts";
import type { Netlink } from "./netlink.ts";
import { isRead } from "./reads.ts";

/** The same for whoever only looks: a request that is not in the list of reads is refused before it reaches the kernel. */
export function readOnly(netlink: Netlink): Netlink {
  return {
    async send(request) {
      if (!isRead(request)) throw new OpError("internal", `The request to ${request.operation} would write`, { operation: request.operation });
      return netlink.send(request);
    },
    subscribe: (groups, handler) => netlink.subscribe(groups, handler),
    get counts() {
      return netlink.counts;
    },
    close: () => netlink.close(),
  };
}
