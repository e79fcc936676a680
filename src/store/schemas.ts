import * as v from "valibot";
import type { StateDocument } from "../core/document.ts";
import type { Json } from "../core/json.ts";
import type { Change } from "../core/plugin.ts";
import type { BootTime, Hold } from "../core/confirmation.ts";
import type {
  Actor,
  Applied,
  AuditEntry,
  AuditEvent,
  AuditKind,
  Checkpoint,
  Commit,
  JournalRecord,
  Rejection,
  TransactionHeader,
  TransactionStep,
  Undone,
} from "../core/ports.ts";
import type { Resources, OwnedKey, OwnedResource, Ownership } from "../core/resource.ts";
import type { Opening } from "../core/secret.ts";

/**
 * A schema for every key of T, so that a key added in core cannot be forgotten here: what is written could not be read back.
 */
type Keys<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? v.ExactOptionalSchema<v.GenericSchema<unknown, T[K]>, undefined>
    : v.GenericSchema<unknown, T[K]>;
};

/*
 * The shapes of everything the state directory holds. They are strict: a key that this version does not know was written by
 * another one, and recovery must not act on half of what it says.
 */

const text = v.string();
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const json = v.custom<Json>((value) => value !== undefined);
const object = v.record(text, json);
const digest = v.pipe(text, v.regex(/^[0-9a-f]{64}$/, "not a SHA-256"));

const document: v.GenericSchema<unknown, StateDocument> = v.strictObject({
  version: v.literal(1),
  plugins: object,
} satisfies Keys<StateDocument>);

const resources: v.GenericSchema<unknown, Resources> = v.record(text, object);

const change: v.GenericSchema<unknown, Change> = v.strictObject({
  resource: text,
  path: v.array(text),
  from: json,
  to: json,
  impliedBy: v.exactOptional(text),
} satisfies Keys<Change>);

const actor: v.GenericSchema<unknown, Actor> = v.strictObject({
  uid: count,
  user: text,
  loginUid: v.exactOptional(count),
  session: v.exactOptional(count),
  claimedSudoUser: v.exactOptional(text),
  door: text,
} satisfies Keys<Actor>);

const owned: v.GenericSchema<unknown, OwnedResource> = v.strictObject({
  since: text,
  identity: v.exactOptional(text),
  keys: v.array(
    v.strictObject({
      path: v.array(text),
      value: json,
      original: json,
      impliedBy: v.exactOptional(text),
    } satisfies Keys<OwnedKey>),
  ),
} satisfies Keys<OwnedResource>);

const ownership: v.GenericSchema<unknown, Ownership> = v.record(text, v.record(text, owned));

const rejection: v.GenericSchema<unknown, Rejection> = v.strictObject({
  documentHash: digest,
  when: text,
  who: text,
  why: text,
} satisfies Keys<Rejection>);

const applied: v.GenericSchema<unknown, Applied> = v.strictObject({
  transaction: text,
  documentHash: digest,
  changes: v.record(text, v.array(change)),
  policies: v.record(text, resources),
  ownershipBefore: ownership,
  currentBefore: document,
  undone: v.exactOptional(
    v.strictObject({
      when: text,
      why: text,
      transaction: v.exactOptional(text),
      currentBefore: v.exactOptional(document),
    } satisfies Keys<Undone>),
  ),
} satisfies Keys<Applied>);

const checkpoint: v.GenericSchema<unknown, Checkpoint> = v.strictObject({
  name: text,
  sequence: count,
  created: text,
  actor,
  applied: v.exactOptional(applied),
} satisfies Keys<Checkpoint>);

const kinds: Readonly<Record<AuditKind, true>> = {
  plan: true,
  action: true,
  verify: true,
  confirm: true,
  commit: true,
  revert: true,
  recovery: true,
  rollback: true,
  checkpoint: true,
  refusal: true,
  ownership: true,
  snapshot: true,
  reveal: true,
  prune: true,
};

const eventEntries = {
  kind: v.picklist(Object.keys(kinds) as AuditKind[]),
  transaction: v.exactOptional(text),
  plugin: v.exactOptional(text),
  operation: v.exactOptional(text),
  resource: v.exactOptional(text),
  before: v.exactOptional(json),
  after: v.exactOptional(json),
  outcome: v.exactOptional(v.picklist(["begun", "done", "failed"])),
  detail: v.exactOptional(json),
  late: v.exactOptional(v.boolean()),
} satisfies Keys<AuditEvent>;

const event: v.GenericSchema<unknown, AuditEvent> = v.strictObject(eventEntries);

const entry: v.GenericSchema<unknown, AuditEntry> = v.strictObject({
  ...eventEntries,
  index: count,
  time: text,
  host: text,
  boot: text,
  monotonicMs: v.number(),
  actor,
} satisfies Keys<AuditEntry>);

const commit: v.GenericSchema<unknown, Commit> = v.strictObject({
  current: v.exactOptional(document),
  ownership: v.exactOptional(ownership),
  checkpoints: v.exactOptional(v.array(checkpoint)),
  forget: v.exactOptional(v.array(text)),
  reject: v.exactOptional(v.array(rejection)),
  accept: v.exactOptional(v.array(digest)),
  spend: v.exactOptional(text),
} satisfies Keys<Commit>);

const phase = v.picklist(["apply", "revert"]);

const bootTime: v.GenericSchema<unknown, BootTime> = v.strictObject({ boot: text, ms: count } satisfies Keys<BootTime>);

const header: v.GenericSchema<unknown, TransactionHeader> = v.strictObject({
  id: text,
  kind: v.picklist(["apply", "rollback"]),
  started: text,
  actor,
  document,
  documentHash: digest,
  desired: v.record(text, resources),
  before: v.record(text, resources),
  identities: v.record(text, v.record(text, text)),
  steps: v.array(
    v.strictObject({
      plugin: text,
      name: text,
      oneWay: v.exactOptional(text),
      changes: v.array(change),
    } satisfies Keys<TransactionStep>),
  ),
  planId: v.exactOptional(text),
  undoes: v.exactOptional(v.array(text)),
  hold: v.exactOptional(v.strictObject({ withinMs: count, deadline: bootTime } satisfies Keys<Hold>)),
  boot: v.exactOptional(text),
} satisfies Keys<TransactionHeader>);

type RecordKeys = {
  readonly [R in JournalRecord["record"]]: Keys<Extract<JournalRecord, { readonly record: R }>>;
};

const records = {
  "step-begun": { record: v.literal("step-begun"), phase, step: count },
  "step-done": { record: v.literal("step-done"), phase, step: count, plugin: text, effects: v.array(change) },
  reverting: { record: v.literal("reverting"), why: text, besides: v.exactOptional(v.record(text, resources)) },
  waiting: { record: v.literal("waiting"), commit, verified: bootTime },
  committing: { record: v.literal("committing"), commit, confirmed: v.exactOptional(text) },
  reverted: { record: v.literal("reverted"), commit, left: v.array(text) },
  unlogged: { record: v.literal("unlogged"), events: v.array(event) },
} satisfies RecordKeys;

const record: v.GenericSchema<unknown, JournalRecord> = v.variant("record", [
  v.strictObject(records["step-begun"]),
  v.strictObject(records["step-done"]),
  v.strictObject(records.reverting),
  v.strictObject(records.waiting),
  v.strictObject(records.committing),
  v.strictObject(records.reverted),
  v.strictObject(records.unlogged),
]);

/** By what is stored: the state in force, who owns what, a checkpoint, a rejected document, a spent plan. */
export const ledgerSchemas = {
  document,
  ownership,
  checkpoint,
  rejection,
  spent: v.strictObject({ plan: text }),
};

/** What a commitment is to. */
export const openingSchema: v.GenericSchema<unknown, Opening> = v.strictObject({ salt: digest, value: text } satisfies Keys<Opening>);

/** What the ledger is told at once. */
export const commitSchema = commit;

/** The two kinds of line that a journal has. */
export const journalSchemas = { header, record };

/** One entry of the audit log, without what chains it. */
export const auditEntrySchema = entry;

/** What an entry may be of. */
export const auditKinds: ReadonlySet<unknown> = new Set(Object.keys(kinds));
