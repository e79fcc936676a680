import { hashJson } from "../../../src/core/json.ts";
import type { Actor, Checkpoint, Clock, Commit, JournalRecord, TransactionHeader } from "../../../src/core/ports.ts";
import { openStore, type Store } from "../../../src/store/open.ts";

/** A clock that a test can tell. */
export const clock: Clock = {
  now: () => new Date("2026-11-20T17:03:12.123Z"),
  monotonicMs: () => 4711.5,
  bootTime: () => ({ boot: host.boot, ms: 4711 }),
  sleep: async () => undefined,
};

export const actor: Actor = { uid: 0, user: "root", loginUid: 1000, door: "cli" };

export const host = { host: "alder", boot: "6f1c2b9e-0000-4000-8000-000000000001" };

export const DOCUMENT_HASH = hashJson({ version: 1, plugins: {} });

export function openAt(root: string): Store {
  return openStore({ root, clock, actor, host });
}

const change = { resource: "demo.service", path: ["active_state"], from: "inactive", to: "active" };

export const header: TransactionHeader = {
  id: "t1",
  kind: "apply",
  started: "2026-11-20T17:03:12.123Z",
  actor,
  document: { version: 1, plugins: { systemd: { units: { "demo.service": { active_state: "active" } } } } },
  documentHash: DOCUMENT_HASH,
  desired: { systemd: { "demo.service": { active_state: "active" } } },
  before: { systemd: { "demo.service": { active_state: "inactive" } } },
  identities: { systemd: { "demo.service": "/etc/systemd/system/demo.service" } },
  steps: [{ plugin: "systemd", name: "start units", changes: [change] }],
};

export function checkpointNamed(name: string, sequence: number): Checkpoint {
  return {
    name,
    sequence,
    created: header.started,
    actor,
    applied: {
      transaction: header.id,
      documentHash: DOCUMENT_HASH,
      changes: { systemd: [change] },
      policies: {},
      ownershipBefore: {},
      currentBefore: { version: 1, plugins: {} },
    },
  };
}

export const commit: Commit = {
  current: header.document,
  ownership: {
    systemd: {
      "demo.service": {
        since: header.started,
        keys: [{ path: ["active_state"], value: "active", original: "inactive" }],
      },
    },
  },
  checkpoints: [checkpointNamed("auto-20261120T170312.123Z", 1)],
  reject: [{ documentHash: "a".repeat(64), when: header.started, who: "root", why: "it was rolled back" }],
  spend: "plan-1",
};

/** One of each kind, in an order that a transaction could write. */
export const records: readonly JournalRecord[] = [
  { record: "step-begun", phase: "apply", step: 0 },
  { record: "step-done", phase: "apply", step: 0, plugin: "systemd", effects: [{ ...change, resource: "demo.socket", impliedBy: "demo.service" }] },
  { record: "unlogged", events: [{ kind: "action", resource: "demo.service", outcome: "done", late: true }] },
  { record: "reverting", why: "no \u2028 \ud83d\ude80 \"reason\"\n" },
  { record: "reverted", commit, left: ["demo.socket active_state"] },
  { record: "waiting", commit, verified: { boot: host.boot, ms: 4711 } },
  { record: "committing", commit, confirmed: "by root, at the console tty1" },
];
