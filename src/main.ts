import { dirname, join, resolve } from "node:path";
import type { Context, Input, Session, SignalName, Signals } from "./cli/context.ts";
import { createMachine } from "./cli/machine.ts";
import { Output, type Stream } from "./cli/output.ts";
import { runProgram, tellFailure, wantsJson } from "./cli/program.ts";
import { DEFAULT_STATE_FILE, snapshotOptionsOf, type Settings } from "./cli/settings.ts";
import type { DeadMan } from "./core/confirmation.ts";
import { messageOf, OpError } from "./core/errors.ts";
import type { Plugin } from "./core/plugin.ts";
import type { Lock } from "./core/ports.ts";
import type { Variant } from "./protocols/dbus/bus.ts";
import type { Store } from "./store/open.ts";
import { readActor } from "./sys/actor.ts";
import { systemClock } from "./sys/clock.ts";
import { makeDirectory } from "./sys/durable-folders.ts";
import { checkWritable, readText } from "./sys/files.ts";
import { readHostIdentity } from "./sys/host-identity.ts";
import { isTerminal } from "./sys/terminal.ts";
import { userFiles } from "./sys/user-files.ts";

/*
 * The composition root: what each room needs of the others is handed over here, and nowhere else. What only some commands
 * use is imported when they use it, so that the others start in a few milliseconds.
 */

const [STDIN, STDOUT, STDERR] = [0, 1, 2];
const BUILD = {
  version: typeof __VERSION__ === "string" ? __VERSION__ : "0.0.0-source",
  commit: typeof __COMMIT__ === "string" ? __COMMIT__ : "source",
};

const argv = process.argv.slice(2);
const { NO_COLOR = "", TERM } = process.env;
const output = new Output(
  { stdout: stream(STDOUT, Bun.stdout), stderr: stream(STDERR, Bun.stderr) },
  { json: wantsJson(argv), color: NO_COLOR === "", dumb: TERM === "dumb" },
);

function contextFor(settings: Settings): Context {
  const actor = readActor("cli");
  const identity = readHostIdentity();
  const root = settings.root.value;
  const store = async () => (await import("./store/open.ts")).openStore({ root, snapshots: snapshotOptionsOf(settings), clock: systemClock, actor, host: identity });
  return {
    settings,
    output,
    files: userFiles,
    input,
    signals,
    build: BUILD,
    now: () => systemClock.now(),
    machine: createMachine({
      actor,
      root,
      hostname: identity.host,
      unitLog: async () => (await import("./sys/unit-log.ts")).createUnitLog(),
      readText,
      checkWritable,
      exists: (path) => userFiles.exists(path),
      onSubvolumes: async () => (await store()).onSubvolumes(),
      manager: () => managerFacts(settings),
    }),
    reachability: async () => (await import("./sys/login.ts")).login,
    probe: async (name) => (await import("./sys/probe.ts")).openProbe(name),
    plugins: async () => (await plugins(settings, "read")).plugins,
    snapshots: async () => (await (await store()).snapshots?.list()) ?? [],
    pruning: async () => (await store()).pruning,
    archive: async (place) => (await import("./store/audit/archive.ts")).openArchive({ root, ...place }),
    replica: (target) => async (log) => {
      const [{ Replica }, { RemoteReplica }, { openSsh }] = await Promise.all([
        import("./store/replica/replica.ts"),
        import("./store/replica/remote-replica.ts"),
        import("./sys/ssh.ts"),
      ]);
      if (target.ssh === undefined) return await Replica.open({ ...log, path: target.path });
      return await RemoteReplica.open(openSsh(target.ssh, "op-dbus audit receive"), { ...log, path: target.path, clock: systemClock });
    },
    async receive({ folder, key }) {
      const [{ Replica }, { serveReplica }, { standardStreams }] = await Promise.all([
        import("./store/replica/replica.ts"),
        import("./store/replica/serve.ts"),
        import("./sys/standard-streams.ts"),
      ]);
      return await serveReplica(standardStreams, async (opening) => {
        if (folder !== undefined && resolve(opening.path) !== resolve(folder)) throw new OpError("refused", `No replica may be kept in ${opening.path} here, only in ${folder}`);
        if (key !== undefined && opening.key !== key) throw new OpError("refused", "No replica of this log may be kept here, only of the log of another key");
        return await Replica.open(opening);
      });
    },
    async makeHome() {
      await (await store()).prepare();
      const path = settings.stateFile.value;
      if (path !== DEFAULT_STATE_FILE) return;
      try {
        makeDirectory(dirname(path));
      } catch (cause) {
        throw new OpError("refused", `The folder of ${path} cannot be made: ${messageOf(cause)}`, { cause, hint: "Another place: --state-file FILE" });
      }
    },
    async open(access, about): Promise<Session> {
      const [{ Engine }, { sectionNames }, { createLock }, { audit, journal, ledger, lockPath, prepare, secrets, snapshots }] = await Promise.all([
        import("./engine/engine.ts"),
        import("./core/document.ts"),
        import("./sys/lock.ts"),
        store(),
      ]);
      // What another command left in the middle may be about any of them.
      const names = about === undefined || journal.pending() !== undefined ? undefined : sectionNames(about);
      const host = access === "books" ? { plugins: [], close: () => undefined } : await plugins(settings, access, names);
      const kernelLock = createLock(lockPath);
      const andSnapshot = (held: Disposable) => ({ [Symbol.asyncDispose]: async () => await snapshotThen(() => held[Symbol.dispose](), snapshots) });
      const lock: Lock = {
        holder: () => kernelLock.holder(),
        async acquire(purpose) {
          // Only now is anything written: until the lock is asked for, a command may still be refused for what it was given.
          await prepare();
          return andSnapshot(await kernelLock.acquire(purpose));
        },
        async seize(purpose, patienceMs) {
          await prepare();
          return andSnapshot(await kernelLock.seize(purpose, patienceMs));
        },
      };
      const deadMan = deadManFor(settings);
      const engine = new Engine({ plugins: host.plugins, lock, journal, audit, ledger, secrets, clock: systemClock, actor, deadMan });
      return { engine, [Symbol.asyncDispose]: async () => host.close() };
    },
  };
}

/** What was done stays done when no snapshot of it can be had. */
async function snapshotThen(release: () => void, snapshots: Store["snapshots"]): Promise<void> {
  try {
    await snapshots?.takeIfDue();
  } catch (error) {
    output.warn(`No snapshot could be taken: ${messageOf(error)}`);
  } finally {
    release();
  }
}

/** The plugins by these names, or all, with what they speak to; for reading, no write reaches any wire. */
async function plugins(settings: Settings, access: "read" | "write", names?: readonly string[]): Promise<{ plugins: readonly Plugin[]; close(): void }> {
  const opened: { close(): void }[] = [];
  const closing = <T extends { close(): void }>(client: T): T => (opened.push(client), client);
  const [{ createPlugins }, { createConfigFile }, { createUnitLog }, { readOperator }] = await Promise.all([
    import("./plugins/registry.ts"),
    import("./sys/config-file.ts"),
    import("./sys/unit-log.ts"),
    import("./sys/operator.ts"),
  ]);
  const around = {
    configFiles: createConfigFile(),
    operator: readOperator(process.env),
    unitLog: createUnitLog(),
    clock: systemClock,
    async bus() {
      const [bus, { readOnly }] = await Promise.all([openBus(settings), import("./protocols/dbus/read-only.ts")]);
      return access === "read" ? readOnly(closing(bus)) : closing(bus);
    },
    async network() {
      const [{ openNetlink }, { openLocalOvsdb }] = await Promise.all([import("./protocols/netlink/client.ts"), import("./protocols/ovsdb/client.ts")]);
      const netlink = closing(openNetlink());
      if (access === "write") return { netlink, openVswitch: openLocalOvsdb };
      const [links, database] = await Promise.all([import("./protocols/netlink/read-only.ts"), import("./protocols/ovsdb/read-only.ts")]);
      const openVswitch = () => {
        const ovsdb = openLocalOvsdb();
        return ovsdb && database.readOnly(ovsdb);
      };
      return { netlink: links.readOnly(netlink), openVswitch };
    },
    async vswitch() {
      const [{ openBridges }, { openOvsdb }] = await Promise.all([import("./protocols/openflow/client.ts"), import("./protocols/ovsdb/client.ts")]);
      const [bridges, ovsdb] = [openBridges(), closing(openOvsdb())];
      if (access === "write") return { bridges, ovsdb };
      const [flows, database] = await Promise.all([import("./protocols/openflow/read-only.ts"), import("./protocols/ovsdb/read-only.ts")]);
      return { bridges: flows.readOnly(bridges), ovsdb: database.readOnly(ovsdb) };
    },
  };
  return { plugins: await createPlugins(around, names), close: () => opened.forEach((client) => client.close()) };
}

/** What guards a change that waits, put together when it is needed. */
function deadManFor(settings: Settings): DeadMan {
  const make = async () => {
    const [{ createDeadMan }, { createGuardFiles }] = await Promise.all([import("./daemon/dead-man.ts"), import("./sys/guard-files.ts")]);
    const root = resolve(settings.root.value);
    return createDeadMan({
      files: createGuardFiles(join(root, "recover")),
      clock: systemClock,
      root,
      busAddress: settings.bus.source === "default" ? undefined : settings.bus.value,
      async use(work) {
        const bus = await openBus(settings);
        try {
          return await work(bus);
        } finally {
          bus.close();
        }
      },
    });
  };
  return { prepare: async () => (await make()).prepare(), arm: async (deadline) => (await make()).arm(deadline), disarm: async () => (await make()).disarm() };
}

async function openBus({ bus }: Settings) {
  const { openManagerBus } = await import("./protocols/dbus/system-bus.ts");
  return openManagerBus(bus.source === "default" ? {} : { address: bus.value });
}

/** org.freedesktop.systemd1(5): the manager's Version. Reading it starts nothing. */
async function managerFacts(settings: Settings) {
  const [bus, { readOnly }] = await Promise.all([openBus(settings), import("./protocols/dbus/read-only.ts")]);
  try {
    const [version] = await readOnly(bus).call({
      destination: "org.freedesktop.systemd1",
      path: "/org/freedesktop/systemd1",
      interface: "org.freedesktop.DBus.Properties",
      member: "Get",
      signature: "ss",
      body: ["org.freedesktop.systemd1.Manager", "Version"],
    });
    const door = bus.peer === "system-bus" ? "the system bus" : "process 1's private socket";
    return { version: String((version as Variant).value), door };
  } finally {
    bus.close();
  }
}

function stream(fd: number, file: Bun.BunFile): Stream {
  return {
    get isTerminal() {
      return isTerminal(fd);
    },
    get columns() {
      return (isTerminal(fd) ? (fd === STDOUT ? process.stdout : process.stderr).columns : undefined) || 80;
    },
    // Not process.stdout: what it has not written yet to a pipe is lost at exit.
    async write(text) {
      await Bun.write(file, text);
    },
  };
}

const input: Input = {
  get interactive() {
    return isTerminal(STDIN) && isTerminal(STDERR);
  },
  async line() {
    for await (const line of console) return line;
    return undefined;
  },
};

const signals: Signals = {
  listen(first, names = ["SIGINT", "SIGTERM", "SIGHUP"]) {
    const stop = () => names.forEach((name) => process.off(name, handle));
    const handle = (name: SignalName) => {
      // The next one finds nobody listening and ends the process, as signals do.
      stop();
      first(name);
    };
    names.forEach((name) => process.on(name, handle));
    return { [Symbol.dispose]: stop };
  },
};

const program = { output, environment: process.env, contextFor };
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  // Only a bug gets here. A change that it cuts short is mended by the next command.
  process.on(event, async (error: unknown) => process.exit(await tellFailure(error, program)));
}
process.exit(await runProgram(argv, program));
