import { expect, test } from "bun:test";
import * as fc from "fast-check";
import type { StateDocument } from "../../src/core/document.ts";
import { OpError } from "../../src/core/errors.ts";
import { inForceAt } from "../../src/engine/in-force.ts";
import { hasCommit } from "../../src/engine/transaction.ts";
import { memorySubject, MemoryWorld } from "./memory-subject.ts";
import type { Change } from "./recovery.ts";
import { StoreWorld } from "./store-subject.ts";

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 2, arbitrary: memorySubject.documents.map((document) => ({ do: "apply", document }) as const) },
  { weight: 1, arbitrary: fc.constant({ do: "roll back" } as const) },
);

/** Changes, each by a process that dies at an instant or lives. */
const history = fc.array(fc.tuple(change, fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(60))), { minLength: 2, maxLength: 8 });

test.each([
  { where: "in memory", make: () => new MemoryWorld(), runs: 150 },
  { where: "in a real state directory", make: () => new StoreWorld(), runs: 15 },
])("what was in force between any applies, rollbacks and deaths is told as it was, $where", async ({ make, runs }) => {
  let told = 0;
  const property = fc.asyncProperty(history, async (changes) => {
    await using world = make();
    const seen: { at: Date; document: StateDocument }[] = [];
    for (const [each, instant] of changes) {
      // A rollback that finds one interrupted has only that to mend.
      if (each.do === "roll back") await world.run({ do: "recover" }, Number.POSITIVE_INFINITY);
      await world.run(each, instant).catch(expectRefusal);
      const { audit, journal, ledger } = await world.open();
      // Between the commit point and the log's entry of it the books do not tell.
      if (audit.size() === 0 || hasCommit(journal.pending()?.records ?? [])) continue;
      seen.push({ at: world.clock.now(), document: ledger.current() });
    }
    await world.run({ do: "recover" }, Number.POSITIVE_INFINITY);
    const host = await world.open();
    for (const { at, document } of seen) expect(inForceAt(host, at)).toEqual(document);
    told += new Set(seen.map(({ document }) => JSON.stringify(document))).size;
  });
  await fc.assert(property, { numRuns: runs });
  expect(told).toBeGreaterThan(runs);
}, 120_000);

test("what was in force is told as it was after a prune, or the prune is given as the reason", async () => {
  const counts = { told: 0, pruned: 0, cut: 0 };
  const crowded = fc.array(fc.tuple(change, fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(60)), fc.nat(200)), { minLength: 4, maxLength: 10 });
  const property = fc.asyncProperty(crowded, fc.nat(9), async (changes, until) => {
    await using world = new StoreWorld();
    const seen: { at: Date; document: StateDocument }[] = [];
    for (const [each, instant, others] of changes) {
      if (each.do === "roll back") await world.run({ do: "recover" }, Number.POSITIVE_INFINITY);
      await world.run(each, instant).catch(expectRefusal);
      const { audit, journal, ledger } = await world.open();
      // Also between a commit and the recovery that tells of it again.
      await audit.append(Array.from({ length: others }, () => ({ kind: "refusal" }) as const));
      if (audit.size() === 0 || hasCommit(journal.pending()?.records ?? [])) continue;
      seen.push({ at: world.clock.now(), document: ledger.current() });
    }
    await world.run({ do: "recover" }, Number.POSITIVE_INFINITY);
    await world.prune(seen[until]?.at ?? world.clock.now());
    const host = await world.open();
    const pruned = host.audit.pruned();
    for (const { at, document } of seen) {
      if (pruned !== undefined && at < new Date(pruned.latest)) {
        expect(() => inForceAt(host, at)).toThrow(expect.objectContaining({ kind: "refused", details: [expect.stringContaining("were pruned on")] }));
        counts.pruned += 1;
      } else {
        expect(inForceAt(host, at)).toEqual(document);
        counts.told += 1;
      }
    }
    if (pruned !== undefined) counts.cut += 1;
  });
  await fc.assert(property, { numRuns: 40 });
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(5);
}, 120_000);

/** Not every document can be applied to every host, and there is not always something to roll back. */
function expectRefusal(error: unknown): void {
  if (!(error instanceof OpError) || error.kind === "integrity") throw error;
}
