import { readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, type OpError } from "../../../src/core/errors.ts";
import type { AuditEvent, Commit } from "../../../src/core/ports.ts";
import { checkpointNamed, commit, header, openAt } from "./samples.ts";
import type { DiskReport, Outcome } from "./small-disk.ts";

/*
 * Run by small-disk.ts in a process of its own: bun disk-scenarios.ts SCENARIO ROOT. Prints a DiskReport.
 */

type Scenario = (root: string) => Promise<Record<string, Outcome>>;

const scenarios: Readonly<Record<string, Scenario>> = {
  async "read-only"(root) {
    const { audit, ledger } = openAt(root);
    await audit.append([{ kind: "plan" }]);
    await ledger.commit(commit);
    Bun.spawnSync(["mount", "-o", "remount,ro", root]);
    const store = openAt(root);
    return {
      prepare: await tried(() => store.prepare()),
      begin: await tried(() => store.journal.begin(header)),
      append: await tried(() => store.audit.append([{ kind: "plan" }])),
      commit: await tried(() => store.ledger.commit(commit)),
      reserve: await tried(() => store.audit.reserve()),
      read: await tried(async () => ({ entries: store.audit.size(), plugins: Object.keys(store.ledger.current().plugins).length })),
    };
  },

  async "other-user"(root) {
    const { audit, journal, ledger, prepare } = openAt(root);
    return {
      prepare: await tried(() => prepare()),
      append: await tried(() => audit.append([{ kind: "plan" }])),
      commit: await tried(() => ledger.commit(commit)),
      close: await tried(() => journal.close()),
      read: await tried(async () => ({ pending: journal.pending()?.header.id })),
    };
  },

  /** The disk fills up in the middle of a transaction, and stays full. */
  async "full on the way"(root) {
    const { audit, journal, ledger, paths } = openAt(root);
    await ledger.commit(commit);
    await audit.append([{ kind: "plan" }]);
    await audit.reserve();
    await journal.begin(header);
    fill(root);
    const before = contentOf(root);
    const steps = {
      forwardLog: await tried(() => audit.append(Array.from({ length: 30 }, () => EVENT))),
      forwardCommit: await tried(() => ledger.commit(NEXT)),
      forwardJournal: await tried(async () => {
        for (let step = 0; step < 1000; step += 1) await journal.append({ record: "step-begun", phase: "apply", step });
      }),
      secondReserve: await tried(() => audit.reserve()),
    };
    const records = journal.pending()?.records ?? [];
    const { [paths.journal]: _, ...others } = contentOf(root);
    const { [paths.journal]: __, ...othersBefore } = before;
    const unchanged = await tried(async () => ({ same: Bun.deepEquals(others, othersBefore), whole: records.every((record, index) => record.record === "step-begun" && record.step === index) }));
    await journal.append({ record: "reverting", why: "The disk is full" });
    const back: AuditEvent[] = Array.from({ length: 100 }, () => ({ ...EVENT, outcome: "done" }));
    return {
      ...steps,
      unchanged,
      backJournal: await tried(() => journal.append({ record: "step-begun", phase: "revert", step: 0 })),
      backLog: await tried(() => audit.append(back)),
      backCommit: await tried(() => ledger.commit(NEXT)),
      after: await tried(async () => ({ entries: openAt(root).audit.size(), rejected: ledger.rejections().length, checkpoints: ledger.checkpoints().length })),
      free: await tried(() => audit.free()),
    };
  },

  /** Everything that can be written is tried with every number of bytes left on the disk, a page at a time. */
  async "full at any point"(root) {
    const pages = 12;
    const torn: string[] = [];
    let refused = 0;
    for (let left = 0; left < pages; left += 1) {
      rmSync(join(root, "state"), { recursive: true, force: true });
      rmSync(join(root, "fill"), { force: true });
      const at = join(root, "state");
      const { audit, ledger, journal } = openAt(at);
      await ledger.commit(commit);
      await audit.append([{ kind: "plan" }]);
      fill(root, left * 4096);
      const attempts: readonly (() => Promise<void>)[] = [
        () => audit.append(Array.from({ length: 20 }, () => EVENT)),
        () => ledger.commit(NEXT),
        () => journal.begin(header),
        () => journal.append({ record: "committing", commit: NEXT }),
      ];
      for (const attempt of attempts) {
        const outcome = await tried(attempt);
        if (outcome.kind === "refused" && outcome.code === "ENOSPC") refused += 1;
        else if (outcome.kind !== "fine" && outcome.message !== "No transaction is open") torn.push(JSON.stringify(outcome));
      }
      const store = openAt(at);
      const whole = await tried(async () => {
        const entries = store.audit.size();
        if (entries !== 1 && entries !== 21) throw new Error(`${entries} entries`);
        const current = store.ledger.current();
        if (![commit.current, NEXT.current].some((one) => Bun.deepEquals(one, current))) throw new Error(JSON.stringify(current));
        for (const read of [() => store.ledger.checkpoints(), () => store.ledger.rejections(), () => store.ledger.ownership(), () => store.journal.pending()]) read();
        const odd = Object.keys(contentOf(at)).filter((path) => path.endsWith(".tmp"));
        if (odd.length > 0) throw new Error(odd.join());
      });
      if (whole.kind !== "fine") torn.push(JSON.stringify(whole));
    }
    return { outcome: { kind: "fine", torn, sometimesRefused: refused > 0 } };
  },
};

const EVENT: AuditEvent = { kind: "action", transaction: "t1", plugin: "systemd", operation: "start", resource: "demo.service", before: "inactive".repeat(100), outcome: "begun" };

const NEXT: Commit = {
  current: { version: 1, plugins: { net: { text: "n".repeat(10_000) } } },
  checkpoints: [checkpointNamed("second", 2)],
  reject: [{ documentHash: "b".repeat(64), when: header.started, who: "root", why: "w".repeat(6000) }],
};

async function tried(act: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { kind: "fine", ...((await act()) as object | undefined) };
  } catch (error) {
    const { kind = "crash", message, cause } = error as OpError;
    const code = codeOf(cause);
    return { kind, message, ...(code === undefined ? {} : { code }) };
  }
}

/** Leaves so many bytes on the disk. */
function fill(root: string, leave = 0): void {
  const { bavail, bsize } = statfsSync(root);
  writeFileSync(join(root, "fill"), new Uint8Array(Math.max(0, bavail * bsize - leave)));
}

function contentOf(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== "fill");
  return Object.fromEntries(files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), "latin1")]));
}

const [name = "", root = ""] = process.argv.slice(2);
const scenario = scenarios[name];
if (scenario === undefined) throw new Error(`There is no scenario '${name}'`);
const report: DiskReport = { root, steps: await scenario(root) };
console.log(JSON.stringify(report));
