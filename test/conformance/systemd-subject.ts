import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import type { StateDocument } from "../../src/core/document.ts";
import type { Json } from "../../src/core/json.ts";
import type { Host } from "../../src/engine/host.ts";
import { createSystemdPlugin } from "../../src/plugins/systemd/plugin.ts";
import type { Bus } from "../../src/protocols/dbus/bus.ts";
import { openManagerBus } from "../../src/protocols/dbus/system-bus.ts";
import { openStore } from "../../src/store/open.ts";
import { readActor } from "../../src/sys/actor.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { createConfigFile } from "../../src/sys/config-file.ts";
import { readHostIdentity } from "../../src/sys/host-identity.ts";
import { createLock } from "../../src/sys/lock.ts";
import { readOperator } from "../../src/sys/operator.ts";
import { createUnitLog } from "../../src/sys/unit-log.ts";
import { documentOf, type Fixture, type Subject } from "./fixture.ts";
import { UNGUARDED } from "./memory-guard.ts";

/*
 * The systemd plugin on the real systemd that this runs under. To be run inside a throw-away host and nowhere else:
 * test/host/systemd/laws.test.ts does that.
 */

const FRESH = `
  systemctl unmask --quiet $(systemctl list-unit-files --plain --no-legend --state=masked 'demo-*' | cut -d' ' -f1) 2>/dev/null
  systemctl stop 'demo-*'
  systemctl disable --quiet $(systemctl list-unit-files --plain --no-legend --state=enabled 'demo-*' | cut -d' ' -f1) 2>/dev/null
  rm -rf /etc/systemd/system.control /var/lib/demo/*
  systemctl daemon-reload
  systemctl reset-failed
  systemd-run --quiet --unit=demo-passing.service sleep infinity`;

/** A command of systemctl that somebody else gives. */
type Edit = readonly string[];

class SystemdWorld implements Fixture<Edit> {
  readonly #root: string;
  readonly #buses: Bus[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  async open(): Promise<Host> {
    const bus = openManagerBus();
    this.#buses.push(bus);
    const store = openStore({ root: this.#root, clock: systemClock, actor: readActor("cli"), host: readHostIdentity() });
    await store.prepare();
    const { audit, journal, ledger, lockPath, secrets } = store;
    const plugins = [createSystemdPlugin({ bus, clock: systemClock, configFiles: createConfigFile(), operator: readOperator({}), unitLog: createUnitLog() })];
    return { plugins, lock: createLock(lockPath), audit, journal, ledger, secrets, clock: systemClock, actor: readActor("cli"), deadMan: UNGUARDED };
  }

  writes(): number {
    return this.#buses.reduce((sum, { counts }) => sum + counts.writes, 0);
  }

  async edit(command: Edit): Promise<void> {
    await run(["systemctl", "--quiet", ...command]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const bus of this.#buses) bus.close();
    await rm(this.#root, { recursive: true, force: true });
  }
}

async function make(): Promise<SystemdWorld> {
  await run(["sh", "-c", FRESH]);
  return new SystemdWorld(await mkdtemp(join(tmpdir(), "op-dbus-laws-")));
}

async function run(argv: readonly string[]): Promise<void> {
  await Bun.spawn([...argv], { stdout: "ignore", stderr: "ignore" }).exited;
}

/** Units that say when they are ready, so that starting many is quick; with dependencies, Also=, an alias, an instance and a template. */
const RUNNING = ["demo-notify.service", "demo-forking.service", "demo-app.service", "demo-db.service", "demo-socket.socket", "demo-timer.timer", "demo-bulk-001.service"];
const TOGGLED = [...RUNNING, "demo-also.service", "demo-also-helper.service", "demo-alias.service", "demo-instance@x.service"];

const keys = {
  active_state: fc.constantFrom("active", "inactive"),
  enabled: fc.boolean(),
  masked: fc.boolean(),
  properties: fc.record({ CPUWeight: fc.constantFrom(50, 200, null), MemoryMax: fc.constantFrom("64M", 67108864, "infinity", null), TasksMax: fc.constantFrom(20, 30) }, { requiredKeys: [] }),
};
const unitKeys = (name: string): fc.Arbitrary<Record<string, Json>> => {
  const { active_state, properties, ...files } = keys;
  const cgroup = name.endsWith(".service") || name.endsWith(".socket") ? { properties } : {};
  const all = { ...files, ...cgroup, ...(RUNNING.includes(name) ? { active_state } : {}) };
  return fc.record<Record<string, Json>>(all as never, { requiredKeys: [] }).map(possible);
};

/** Without what validation refuses. */
function possible(unit: Record<string, Json>): Record<string, Json> {
  if (unit.masked !== true) return unit;
  const { enabled: _, ...rest } = unit;
  return rest;
}

const documents: fc.Arbitrary<StateDocument> = fc
  .subarray(TOGGLED, { minLength: 1, maxLength: 4 })
  .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), unitKeys(name)))))
  .map((units) => documentOf({ systemd: { units: Object.fromEntries(units) } }));

const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.constantFrom("start", "stop"), fc.constantFrom(...RUNNING)),
  fc.tuple(fc.constantFrom("enable", "disable", "mask"), fc.constantFrom(...TOGGLED)),
  fc.tuple(fc.constant("set-property"), fc.constantFrom("demo-notify.service", "demo-db.service"), fc.constantFrom("CPUWeight=77", "MemoryMax=32M")),
);

export const systemdSubject: Subject<Edit> = {
  name: "systemd plugin, on a real host",
  make,
  documents,
  edits,
  oneWay: [
    documentOf({ systemd: { units: { "demo-oneshot-remain.service": { active_state: "active" } } } }),
    documentOf({ systemd: { units: { "demo-passing.service": { active_state: "inactive" } } } }),
  ],
  readmes: { systemd: join(import.meta.dir, "../../src/plugins/systemd/README.md") },
  /** Of a masked unit systemd tells only that it is masked. */
  hides: ([key]) => (key === "masked" ? [["enabled"]] : []),
  // The same few cases in every run, since each takes seconds; LAW_RUNS and LAW_SEED make others.
  runs: Number(process.env.LAW_RUNS ?? 4),
  seed: Number(process.env.LAW_SEED ?? 20_261_120),
  timeoutMs: 300_000,
};
