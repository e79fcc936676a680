import { OpError } from "../../core/errors.ts";
import { describeOperation } from "./operation.ts";
import type { Ovsdb } from "./ovsdb.ts";
import { isReadOperation } from "./reads.ts";

/** The same database for whoever only looks: a transaction with an operation that writes is refused before it reaches the wire. */
export function readOnly(ovsdb: Ovsdb): Ovsdb {
  return {
    databases: () => ovsdb.databases(),
    schema: () => ovsdb.schema(),
    async transact(operations, options) {
      const write = operations.find((operation) => !isReadOperation(operation));
      if (write !== undefined) throw new OpError("internal", `${describeOperation(write)} would write`, { operation: "transact" });
      return ovsdb.transact(operations, options);
    },
    monitor: (columns) => ovsdb.monitor(columns),
    get counts() {
      return ovsdb.counts;
    },
    get closed() {
      return ovsdb.closed;
    },
    close: () => ovsdb.close(),
  };
}
