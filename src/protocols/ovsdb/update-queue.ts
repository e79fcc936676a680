import { OpError } from "../../core/errors.ts";
import type { Wire } from "./json.ts";
import { decodeUpdates, type TableUpdates } from "./updates.ts";

/** Of what waits to be read, in characters of JSON. */
const QUEUE_LIMIT = 64 * 1024 * 1024;

interface Entry {
  readonly updates: TableUpdates;
  readonly length: number;
}

/** The updates of one monitor, from when they arrive to when they are read. Nothing is read before `begin`. */
export class UpdateQueue implements AsyncIterator<TableUpdates> {
  readonly #overflow: (error: OpError) => void;
  readonly #limit: number;
  readonly #entries: Entry[] = [];
  #length = 0;
  #end: { readonly error: OpError | undefined } | undefined;
  /** Who waits for what comes next. */
  #reader: PromiseWithResolvers<void> | undefined;

  constructor(overflow: (error: OpError) => void, limit = QUEUE_LIMIT) {
    this.#overflow = overflow;
    this.#limit = limit;
  }

  /** The state that the monitor began with: ahead of changes that were quicker than whoever asked for it. */
  begin(initial: Wire): void {
    this.#entries.unshift({ updates: decodeUpdates(initial), length: 0 });
  }

  /** Throws ProtocolViolation for what is no update. */
  push(updates: Wire | undefined, length: number): void {
    if (this.#end !== undefined) return;
    const entry = { updates: decodeUpdates(updates), length };
    this.#length += entry.length;
    if (this.#length > this.#limit) {
      this.#entries.length = 0;
      const error = new OpError("unavailable", `Changes came faster than they were read: ${this.#limit} characters of them were waiting`, { retryable: true });
      this.end(error);
      return this.#overflow(error);
    }
    this.#entries.push(entry);
    this.#wake();
  }

  /** What arrived before is still read; then the iteration ends, or throws the error. */
  end(error: OpError | undefined): void {
    this.#end ??= { error };
    this.#wake();
  }

  async next(): Promise<IteratorResult<TableUpdates, undefined>> {
    while (this.#entries.length === 0 && this.#end === undefined) {
      this.#reader ??= Promise.withResolvers();
      await this.#reader.promise;
    }
    const entry = this.#entries.shift();
    if (entry !== undefined) {
      this.#length -= entry.length;
      return { done: false, value: entry.updates };
    }
    if (this.#end?.error !== undefined) throw this.#end.error;
    return { done: true, value: undefined };
  }

  #wake(): void {
    this.#reader?.resolve();
    this.#reader = undefined;
  }
}
