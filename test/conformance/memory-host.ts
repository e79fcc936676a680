import type { BootTime } from "../../src/core/confirmation.ts";
import { EMPTY_DOCUMENT, type StateDocument } from "../../src/core/document.ts";
import { OpError } from "../../src/core/errors.ts";
import { toJson } from "../../src/core/json.ts";
import type { Ownership } from "../../src/core/resource.ts";
import type { Plugin } from "../../src/core/plugin.ts";
import type { Opening } from "../../src/core/secret.ts";
import type {
  Actor,
  AuditEntry,
  AuditEvent,
  Checkpoint,
  Clock,
  Commit,
  Journal,
  JournalRecord,
  Ledger,
  Lock,
  LockHolder,
  Rejection,
  TransactionHeader,
} from "../../src/core/ports.ts";
import type { Host } from "../../src/engine/host.ts";
import { diskFull, Instants } from "./instants.ts";
import { readerOf } from "./memory-audit.ts";
import { deadManOn, MemoryGuards } from "./memory-guard.ts";
import { secretsOn } from "./memory-secrets.ts";

const ACTOR: Actor = { uid: 0, user: "tester", door: "cli" };
const RESERVED_ENTRIES = 32;

/** A clock that goes on by itself a little and, when somebody sleeps, at once. */
export class MemoryClock implements Clock {
  #ms = Date.UTC(2026, 10, 20, 12);
  #bootedAt = this.#ms - 100_000;
  #boots = 1;
  sleptMs = 0;

  now(): Date {
    return new Date((this.#ms += 1));
  }

  monotonicMs(): number {
    return (this.#ms += 1);
  }

  bootTime(): BootTime {
    return { boot: `boot ${this.#boots}`, ms: this.#ms - this.#bootedAt };
  }

  reboot(): void {
    this.#boots += 1;
    this.#bootedAt = this.#ms;
  }

  sleep(ms: number): Promise<void> {
    this.#ms += ms;
    this.sleptMs += ms;
    return Promise.resolve();
  }
}

/** What outlives a process: the state directory. */
export class MemoryDisk {
  journal: { readonly header: TransactionHeader; readonly records: JournalRecord[] } | undefined;
  entries: AuditEntry[] = [];
  current: StateDocument = EMPTY_DOCUMENT;
  ownership: Ownership = {};
  checkpoints: Checkpoint[] = [];
  rejections: Rejection[] = [];
  spent: string[] = [];
  readonly secrets = new Map<string, Opening>();
  secretsKey: string | undefined;
  lock: { readonly by: Instants; readonly holder: LockHolder } | undefined;
  /** How many entries the log still has room for. */
  logRoom = Number.POSITIVE_INFINITY;
  reserved = 0;
  /** Whether what is set aside may be used: only on the way back. */
  reserveOpen = false;
  readonly guards = new MemoryGuards();
  /** How often anything was written here. */
  writes = 0;
}

export interface HostOptions {
  readonly disk: MemoryDisk;
  readonly plugins: readonly Plugin[];
  readonly clock?: Clock;
  readonly instants?: Instants;
}

/** One process's view of what outlives it. */
export function openMemoryHost({ disk, plugins, clock = new MemoryClock(), instants = new Instants() }: HostOptions): Host {
  const write = <T>(call: string, work: () => T): Promise<T> =>
    Promise.resolve().then(() =>
      instants.around(call, () => {
        disk.writes += 1;
        return work();
      }),
    );
  return {
    plugins,
    clock,
    actor: ACTOR,
    lock: lockOn(disk, instants, clock),
    journal: journalOn(disk, instants, write),
    audit: {
      append: (events) => write(`log ${events.map(({ kind, outcome }) => `${kind} ${outcome ?? ""}`.trim()).join(", ")}`, () => appendTo(disk, events, clock)),
      reserve: () => write("reserve", () => reserve(disk)),
      free: () => write("free", () => free(disk)),
      ...readerOf(() => disk.entries),
    },
    ledger: ledgerOn(disk, instants, write),
    secrets: secretsOn(disk, write),
    deadMan: deadManOn(disk.guards, write),
  };
}

export type Write = <T>(call: string, work: () => T) => Promise<T>;

function journalOn(disk: MemoryDisk, instants: Instants, write: Write): Journal {
  return {
    begin: (header) =>
      write("journal begin", () => {
        if (disk.journal !== undefined) throw new Error("A journal is open already");
        disk.journal = { header: asStored(header), records: [] };
      }),
    append: (record) =>
      write(`journal ${record.record}`, () => {
        if (disk.journal === undefined) throw new Error("No journal is open");
        disk.journal.records.push(asStored(record));
        disk.reserveOpen ||= record.record !== "step-begun" && record.record !== "step-done";
      }),
    pending() {
      instants.alive();
      return structuredClone(disk.journal);
    },
    close: () => write("journal close", () => void (disk.journal = undefined)),
  };
}

function lockOn(disk: MemoryDisk, instants: Instants, clock: Clock): Lock {
  const holder = () => (disk.lock === undefined || disk.lock.by.dead ? undefined : disk.lock.holder);
  const acquire: Lock["acquire"] = (purpose) => {
    const held = holder();
    if (held !== undefined) return Promise.reject(new OpError("refused", `Locked by ${held.user} since ${held.since}`, { retryable: true }));
    const mine = { by: instants, holder: { pid: 1, user: ACTOR.user, purpose, since: clock.now().toISOString() } };
    disk.lock = mine;
    return Promise.resolve({
      async [Symbol.asyncDispose]() {
        if (disk.lock === mine) disk.lock = undefined;
      },
    });
  };
  return { holder, acquire, seize: acquire };
}

function ledgerOn(disk: MemoryDisk, instants: Instants, write: Write): Ledger {
  const read = <T>(value: T): T => {
    instants.alive();
    return structuredClone(value);
  };
  return {
    current: () => read(disk.current),
    ownership: () => read(disk.ownership),
    checkpoints: () => read(disk.checkpoints),
    marks: () => read(disk.checkpoints.map(({ name, sequence }) => ({ name, sequence }))),
    rejection: (hash) => read(disk.rejections.find(({ documentHash }) => documentHash === hash)),
    rejections: () => read(disk.rejections),
    isSpent: (plan) => read(disk.spent.includes(plan)),
    // Each part is a file of its own: a process can die between any two.
    async commit(commit) {
      for (const [name, part] of partsOf(asStored(commit), disk)) await write(`ledger ${name}`, part);
    },
  };
}

function partsOf(commit: Commit, disk: MemoryDisk): (readonly [string, () => void])[] {
  const { current, ownership, checkpoints = [], forget = [], reject = [], accept = [], spend } = commit;
  const parts: [string, () => void][] = [];
  if (ownership !== undefined) parts.push(["ownership", () => void (disk.ownership = ownership)]);
  for (const checkpoint of checkpoints) {
    parts.push([`checkpoint ${checkpoint.sequence}`, () => void (disk.checkpoints = [...disk.checkpoints.filter(({ name }) => name !== checkpoint.name), checkpoint].sort((a, b) => a.sequence - b.sequence))]);
  }
  if (forget.length > 0) parts.push(["forget", () => void (disk.checkpoints = disk.checkpoints.filter(({ name }) => !forget.includes(name)))]);
  if (accept.length > 0) parts.push(["accept", () => void (disk.rejections = disk.rejections.filter(({ documentHash }) => !accept.includes(documentHash)))]);
  for (const rejection of reject) {
    parts.push(["reject", () => void (disk.rejections = [...disk.rejections.filter(({ documentHash }) => documentHash !== rejection.documentHash), rejection])]);
  }
  if (spend !== undefined) parts.push(["spend", () => void (disk.spent = [...new Set([...disk.spent, spend])])]);
  if (current !== undefined) parts.push(["current", () => void (disk.current = current)]);
  return parts;
}

function appendTo(disk: MemoryDisk, events: readonly AuditEvent[], clock: Clock): void {
  const entitled = disk.reserveOpen || events.some(({ kind, late }) => kind === "revert" || kind === "recovery" || late === true);
  if (events.length > disk.logRoom && entitled) free(disk);
  if (events.length > disk.logRoom) throw diskFull();
  disk.logRoom -= events.length;
  const known = { host: "test", boot: "test", actor: ACTOR };
  for (const event of asStored([...events])) {
    disk.entries.push({ ...event, ...known, index: disk.entries.length, time: clock.now().toISOString(), monotonicMs: clock.monotonicMs() });
  }
}

function reserve(disk: MemoryDisk): void {
  if (disk.logRoom < RESERVED_ENTRIES) throw diskFull();
  disk.logRoom -= RESERVED_ENTRIES;
  disk.reserved = RESERVED_ENTRIES;
  disk.reserveOpen = false;
}

function free(disk: MemoryDisk): void {
  disk.logRoom += disk.reserved;
  disk.reserved = 0;
}

/** As it comes back from a disk: JSON, and nobody else's object. */
function asStored<T>(value: T): T {
  return toJson(value) as T;
}

export function sourced(document: StateDocument) {
  return {
    document,
    reject(findings: readonly { readonly message: string; readonly path: readonly (string | number)[] }[]): never {
      throw new OpError("invalid", findings.map(({ message, path }) => `${path.join(".")}: ${message}`).join("; "));
    },
  };
}

