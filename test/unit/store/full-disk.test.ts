import { describe, expect, test } from "bun:test";
import { scratch } from "../sys/scratch.ts";
import { hasNamespaces, runOnDisk, type Outcome } from "./small-disk.ts";

const FINE: Outcome = { kind: "fine" };

describe.skipIf(!hasNamespaces)("a full disk (needs unshare)", () => {
  test("refuses the way there in words, changing nothing, and lets the way back in by what was reserved", async () => {
    await using folder = scratch();
    const { root, steps } = await runOnDisk(folder.path, { bytes: 1 << 20, scenario: "full on the way" });
    const full: Outcome = { kind: "refused", message: `The state directory ${root} is on a full file system`, code: "ENOSPC" };
    expect(steps).toEqual({
      forwardLog: full,
      forwardCommit: full,
      forwardJournal: full,
      secondReserve: FINE,
      unchanged: { ...FINE, same: true, whole: true },
      backJournal: FINE,
      backLog: FINE,
      backCommit: FINE,
      after: { ...FINE, entries: 101, rejected: 2, checkpoints: 2 },
      free: FINE,
    });
  });

  test("with any number of pages left: what was refused is not there, what is there is whole", async () => {
    await using folder = scratch();
    const { steps } = await runOnDisk(folder.path, { bytes: 256 << 10, scenario: "full at any point" });
    expect(steps.outcome).toEqual({ ...FINE, torn: [], sometimesRefused: true });
  });
});
