import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../src/engine/host.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { createLock } from "../../src/sys/lock.ts";
import { Instants } from "./instants.ts";
import { deadManOn } from "./memory-guard.ts";
import { memorySubject, MemoryWorld } from "./memory-subject.ts";

const ACTOR = { uid: 0, user: "tester", door: "cli" };

/** The memory plugins over the real state directory, in a folder of its own. */
export class StoreWorld extends MemoryWorld {
  readonly root = mkdtempSync(join(tmpdir(), "op-dbus-conformance-"));

  override async open(instants = new Instants()): Promise<Host> {
    const store = this.#store();
    await store.prepare();
    const { plugins, clock } = this;
    const deadMan = deadManOn(this.disk.guards, async (call, work) => instants.around(call, work));
    return mortal({ plugins, clock, actor: ACTOR, lock: createLock(store.lockPath), deadMan, ...store }, instants);
  }

  override stored(): string {
    const files = readdirSync(this.root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.parentPath !== join(this.root, "secrets"));
    return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1")).join("\n");
  }

  /** Lets go what the log has from before an instant. */
  async prune(before: Date): Promise<void> {
    const { pruning } = this.#store();
    await pruning.prune(pruning.plan(before));
  }

  #store(): Store {
    return openStore({ root: this.root, clock: this.clock, actor: ACTOR, host: { host: "test", boot: "test" } });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A host whose process can die just before and just after everything that it keeps. */
function mortal({ journal, audit, ledger, secrets, plugins, clock, actor, lock, deadMan }: Host, instants: Instants): Host {
  const around = (call: string, work: () => Promise<void>) => instants.around(call, work);
  return {
    plugins, clock, actor, lock, deadMan,
    journal: {
      begin: async (header) => around("journal begin", () => journal.begin(header)),
      append: async (record) => around(`journal ${record.record}`, () => journal.append(record)),
      close: async () => around("journal close", () => journal.close()),
      pending: () => journal.pending(),
    },
    audit: {
      append: async (events) => around("log", () => audit.append(events)),
      reserve: async () => around("reserve", () => audit.reserve()),
      free: async () => around("free", () => audit.free()),
      size: () => audit.size(),
      pruned: () => audit.pruned(),
      entries: (range) => audit.entries(range),
    },
    ledger: {
      current: () => ledger.current(),
      ownership: () => ledger.ownership(),
      checkpoints: () => ledger.checkpoints(),
      marks: () => ledger.marks(),
      rejection: (hash) => ledger.rejection(hash),
      rejections: () => ledger.rejections(),
      isSpent: (plan) => ledger.isSpent(plan),
      commit: async (commit) => around("ledger", () => ledger.commit(commit)),
    },
    secrets: {
      commit: (key, value) => secrets.commit(key, value),
      open: (commitment) => secrets.open(commitment),
      unkept: (named) => secrets.unkept(named),
      keep: async (named) => (secrets.unkept(named).length === 0 ? undefined : around("secrets", () => secrets.keep(named))),
    },
  };
}

export const storeSubject = {
  ...memorySubject,
  name: "memory plugin, real state directory",
  make: () => Promise.resolve(new StoreWorld()),
  runs: 10,
};
