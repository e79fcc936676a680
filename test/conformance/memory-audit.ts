import type { AuditEntry, AuditReader } from "../../src/core/ports.ts";

/** Reads a log that is a list. */
export function readerOf(list: () => readonly AuditEntry[]): AuditReader {
  return {
    size: () => list().length,
    pruned: () => undefined,
    *entries({ from = 0, to, newestFirst = false } = {}) {
      const entries = structuredClone(list().slice(from, to));
      yield* newestFirst ? entries.reverse() : entries;
    },
  };
}
