import type { OpError } from "../../core/errors.ts";
import type { Operation } from "./operation.ts";
import type { DatabaseSchema } from "./schema.ts";
import type { Result } from "./transaction.ts";
import type { TableUpdates } from "./updates.ts";

export interface TransactOptions {
  /** How long the server may take, where the client's own limit does not fit. */
  readonly timeoutMs?: number;
}

/**
 * What happens in some tables: the first element is what is there from the start, each later one a change. It ends when it is disposed;
 * when the connection ends, or changes come faster than they are read, the iteration throws an OpError of kind unavailable.
 */
export interface Monitor extends AsyncDisposable, AsyncIterable<TableUpdates> {}

/** A connection to one database of an ovsdb-server. Values look as value.ts has them. */
export interface Ovsdb {
  /** The names of the server's databases. */
  databases(): Promise<readonly string[]>;
  schema(): Promise<DatabaseSchema>;
  /**
   * Sends all operations as one atomic transaction and gives the result of each. Rejects with an OpError: the database's own errors by
   * errors.ts, the failed operation named by number and table, and nothing was changed; kind unavailable when there is no server, no answer
   * in time or no connection any more, and then only a look tells whether it happened; kind invalid for a value that the database cannot hold.
   */
  transact(operations: readonly Operation[], options?: TransactOptions): Promise<readonly Result[]>;
  /** Watches columns, by table. When this resolves, no later change is missed. */
  monitor(columns: Readonly<Record<string, readonly string[]>>): Promise<Monitor>;
  /** Requests put on the wire so far, by the list of reads.ts; the echoes of an idle connection count as reads. */
  readonly counts: { readonly reads: number; readonly writes: number };
  /** Resolves when the connection has ended: with the reason, or with nothing after `close`. */
  readonly closed: Promise<OpError | undefined>;
  /** Ends the connection; what is still waiting for an answer is rejected. */
  close(): void;
}
