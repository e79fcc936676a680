import * as v from "valibot";
import type { Probe, Reachability } from "../../../src/core/confirmation.ts";
import type { Json } from "../../../src/core/json.ts";
import { isObject } from "../../../src/core/json.ts";
import type { Action, Plugin, Step } from "../../../src/core/plugin.ts";
import type { AuditEntry, AuditEvent, Checkpoint, Commit, Ledger, LockHolder, OpenTransaction, Rejection, UserFiles } from "../../../src/core/ports.ts";
import { OpError } from "../../../src/core/errors.ts";
import type { Resources, Ownership } from "../../../src/core/resource.ts";
import type { StateDocument } from "../../../src/core/document.ts";
import { Engine } from "../../../src/engine/engine.ts";
import type { Host } from "../../../src/engine/host.ts";
import type { Context, Signals } from "../../../src/cli/context.ts";
import type { Opening } from "../../../src/core/secret.ts";
import { secretsOn } from "../../conformance/memory-secrets.ts";
import { readerOf } from "../../conformance/memory-audit.ts";
import { openArchive } from "../../../src/store/audit/archive.ts";
import { Replica } from "../../../src/store/replica/replica.ts";
import { Output, type Stream } from "../../../src/cli/output.ts";
import { runProgram, wantsJson } from "../../../src/cli/program.ts";
import { openProbe } from "../../../src/sys/probe.ts";
import { openAt } from "../store/samples.ts";

const NOW = new Date("2026-11-20T17:03:12.123Z");
const ACTOR = { uid: 0, user: "alice", door: "cli" } as const;

/** Text that a stream was given. */
export class Written implements Stream {
  text = "";
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly #fail: Error | undefined;

  constructor({ isTerminal = false, columns = 80, fail }: { isTerminal?: boolean; columns?: number; fail?: Error } = {}) {
    this.isTerminal = isTerminal;
    this.columns = columns;
    this.#fail = fail;
  }

  async write(text: string): Promise<void> {
    if (this.#fail !== undefined) throw this.#fail;
    this.text += text;
  }
}

/** A plugin of lamps that are on or off; a lamp named "bulb" cannot be switched off again, "beacon" is protected. */
export function lamps(state: Record<string, boolean>, failure?: Error): Plugin & { readonly taken: string[] } {
  const taken: string[] = [];
  const stateOf = (name: string) => (Object.hasOwn(state, name) ? { on: state[name] ?? false } : { state: "absent" });
  return {
    taken,
    name: "lamps",
    schema: v.record(v.string(), v.strictObject({ on: v.boolean(), observed: v.optional(v.unknown()) })),
    lists: {},
    policies: [],
    oneWay: { burns: "A bulb that was lit burns out" },
    resources: (section: Json) => section as Resources,
    section: (resources) => resources,
    locate: (_, resource, path) => [resource, ...path],
    async read(scope) {
      if (failure !== undefined) throw failure;
      const names = Object.keys(scope ?? state);
      return { resources: Object.fromEntries(names.map((name) => [name, { state: stateOf(name), identity: `lamp-${name}` }])) };
    },
    plan(desired, actual) {
      const missing = Object.keys(desired).filter((name) => actual.resources[name]?.state.state === "absent");
      const wrong = Object.entries(desired).filter(([name, { on }]) => !missing.includes(name) && actual.resources[name]?.state.on !== on);
      const step = (name: string, on: Json): Step => {
        const action: Action = { resource: name, verb: on === true ? "light" : "dim", path: ["on"], from: !on, to: on ?? null, risk: "low", ...(name === "beacon" ? { protected: "ships steer by it" } : {}) };
        return { plugin: "lamps", name: "switch lamps", actions: [action], call: { name, on }, ...(name === "bulb" ? { oneWay: "burns" } : {}) };
      };
      return {
        steps: wrong.map(([name, { on }]) => step(name, on ?? null)),
        problems: missing.map((resource) => ({ resource, path: ["on"], message: `There is no lamp '${resource}'` })),
      };
    },
    async apply({ call, actions }, progress) {
      const { name, on } = call as { name: string; on: boolean };
      if (name === "broken") throw new OpError("failed", "The lamp 'broken' does not light");
      state[name] = on;
      taken.push(`${name}=${on}`);
      for (const { resource, verb } of actions) progress.done(resource, verb);
      return { effects: [] };
    },
    adopt: ({ state: { on } }) => (on === true ? [{ path: ["on"], value: true, original: false }] : []),
  };
}

/** Books in memory. */
export class Books implements Ledger {
  readonly entries: AuditEntry[] = [];
  readonly rejected: Rejection[] = [];
  readonly spent = new Set<string>();
  document: StateDocument = { version: 1, plugins: {} };
  owned: Ownership = {};
  points: Checkpoint[] = [];
  open: OpenTransaction | undefined;
  holder: LockHolder | undefined;
  readonly secretsKept = new Map<string, Opening>();

  current = () => this.document;
  ownership = () => this.owned;
  checkpoints = () => this.points;
  marks = () => this.points;
  rejection = (hash: string) => this.rejected.find(({ documentHash }) => documentHash === hash);
  rejections = () => this.rejected;
  isSpent = (id: string) => this.spent.has(id);

  async commit({ current, ownership, checkpoints = [], forget = [], reject = [], accept = [], spend }: Commit): Promise<void> {
    this.document = current ?? this.document;
    this.owned = ownership ?? this.owned;
    const kept = this.points.filter(({ name }) => !forget.includes(name) && !checkpoints.some((other) => other.name === name));
    this.points = [...kept, ...checkpoints].sort((a, b) => a.sequence - b.sequence);
    const left = this.rejected.filter(({ documentHash }) => !accept.includes(documentHash));
    this.rejected.splice(0, Infinity, ...left, ...reject);
    if (spend !== undefined) this.spent.add(spend);
  }

  /** In the boot's first second, and nothing happens while somebody sleeps; a test may say otherwise. */
  bootTime = () => ({ boot: "boot", ms: 1000 });
  sleep: () => unknown = () => undefined;

  hostWith(plugins: readonly Plugin[]): Host {
    const free = async () => ({ [Symbol.asyncDispose]: async () => undefined });
    return {
      plugins,
      ledger: this,
      secrets: secretsOn({ secrets: this.secretsKept, secretsKey: "key" }, async (_, work) => work()),
      clock: { now: () => NOW, monotonicMs: () => 0, bootTime: () => this.bootTime(), sleep: async () => void (await this.sleep()) },
      deadMan: { prepare: async () => undefined, arm: async () => undefined, disarm: async () => undefined },
      actor: ACTOR,
      lock: { acquire: free, seize: free, holder: () => this.holder },
      journal: {
        begin: async (header) => void (this.open = { header, records: [] }),
        append: async (record) => void (this.open = this.open && { ...this.open, records: [...this.open.records, record] }),
        pending: () => this.open,
        close: async () => void (this.open = undefined),
      },
      audit: {
        append: async (events: readonly AuditEvent[]) => {
          for (const event of events) this.entries.push({ ...event, index: this.entries.length, time: NOW.toISOString(), host: "box", boot: "", monotonicMs: 0, actor: ACTOR });
        },
        reserve: async () => undefined,
        free: async () => undefined,
        ...readerOf(() => this.entries),
      },
    };
  }
}

export interface Setup {
  readonly plugins?: readonly Plugin[];
  readonly books?: Books;
  readonly files?: Record<string, string>;
  /** What a person types, line by line; none: there is no terminal. */
  readonly typed?: string[];
  readonly stdout?: Written;
  readonly environment?: Record<string, string>;
  readonly signals?: Signals;
  readonly reachability?: Reachability;
  readonly probe?: Probe;
}

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly files: Record<string, string>;
  /** What the command opened, in order. */
  readonly opened: readonly string[];
  json(): Json;
}

/** Runs a command line as main.ts would, against memory. */
export async function run(argv: readonly string[], setup: Setup = {}): Promise<Ran> {
  const { plugins = [lamps({ hall: false })], books = new Books(), files = {}, typed, environment = {} } = setup;
  const [stdout, stderr] = [setup.stdout ?? new Written(), new Written()];
  const output = new Output({ stdout, stderr }, { json: wantsJson(argv), color: false, dumb: false });
  const opened: string[] = [];
  const exit = await runProgram(argv, {
    output,
    environment,
    contextFor: (settings): Context => ({
      settings,
      output,
      files: memoryFiles(files),
      input: { interactive: typed !== undefined, line: async () => typed?.shift() },
      signals: setup.signals ?? { listen: () => ({ [Symbol.dispose]: () => undefined }) },
      machine: {
        hostname: "box",
        uid: 0,
        user: "alice",
        kernel: "6.12 x64",
        system: "Debian",
        stateDirectory: () => ({ path: settings.root.value, exists: true, writable: true, fileSystem: "ext4" }),
        onSubvolumes: async () => false,
      unitLogTrouble: async () => undefined,
        manager: async () => ({ version: "257", door: "the system bus" }),
      },
      build: { version: "1.2.3", commit: "abc" },
      now: () => NOW,
      async open(access) {
        opened.push(access);
        return { engine: new Engine(books.hostWith(access === "books" ? [] : plugins)), [Symbol.asyncDispose]: async () => undefined };
      },
      makeHome: async () => void opened.push("home"),
      reachability: setup.reachability ?? { proof: () => ({ proven: true, what: "at the console tty1" }) },
      probe: async (name) => setup.probe ?? openProbe(name),
      plugins: async () => plugins,
      snapshots: async () => [],
      pruning: async () => openAt(settings.root.value).pruning,
      archive: async (place) => openArchive({ root: settings.root.value, ...place }),
      replica: ({ path }) => (log) => Replica.open({ ...log, path }),
      receive: async ({ folder, key }) => opened.push(`receive ${folder ?? "anywhere"} ${key ?? "anyone"}`) > 0 && folder !== "/silent",
    }),
  });
  return { exit, stdout: stdout.text, stderr: stderr.text, files, opened, json: () => JSON.parse(stdout.text) as Json };
}

/** The value at a path of a JSON document, for a test that looks at one thing of many. */
export function at(value: Json, ...path: (string | number)[]): Json | undefined {
  return path.reduce<Json | undefined>((inner, key) => (Array.isArray(inner) ? inner[Number(key)] : isObject(inner) ? inner[key] : undefined), value);
}

function memoryFiles(files: Record<string, string>): UserFiles {
  return {
    read(path) {
      const text = files[path];
      if (text === undefined) throw new OpError("invalid", `${path} does not exist`);
      return text;
    },
    write(path, text, { replace }) {
      if (Object.hasOwn(files, path) && !replace) throw new OpError("refused", `${path} exists already`);
      files[path] = text;
    },
    exists: (path) => Object.hasOwn(files, path),
  };
}
