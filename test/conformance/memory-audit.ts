import type { AuditEntry, AuditReader } from "../../src/core/ports.ts";

/** Reads a log that is a list. */
export function readerOf(list: () => readonly AuditEntry[]): AuditReader {
  return {
    size: () => list().length,
    *entries({ from = 0, to, newestFirst = false } = {}) {
      const entries = structuredClone(list().slice(from, to));
      yield* newestFirst ? entries.reverse() : entries;
    },
  };
}
