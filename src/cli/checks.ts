import { messageOf, OpError } from "../core/errors.ts";
import type { Context } from "./context.ts";
import { interrupted, recoveryOf, describeOpen } from "./standing.ts";

export type Verdict = "ok" | "warn" | "fail";

/** One thing that op-dbus needs, and what to do where it is not there. */
export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  readonly found: string;
  readonly advice?: string;
}

/** Everything that op-dbus needs of this machine. Changes and starts nothing. */
export async function checkAll(context: Context): Promise<Check[]> {
  return [user(context), await manager(context), await unitLog(context), await stateDirectory(context), stateFile(context), await books(context)];
}

function user({ machine }: Context): Check {
  const found = `${machine.user} (uid ${machine.uid})`;
  if (machine.uid === 0) return { name: "user", verdict: "ok", found };
  return { name: "user", verdict: "warn", found, advice: "Reading works; to change the host, run op-dbus as root (sudo)" };
}

async function manager({ machine }: Context): Promise<Check> {
  const name = "systemd over D-Bus";
  try {
    const { version, door } = await machine.manager();
    return { name, verdict: "ok", found: `systemd ${version}, over ${door}` };
  } catch (error) {
    const advice = (error instanceof OpError ? error.hint : undefined) ?? "Start the bus: systemctl start dbus.socket. Without systemd as process 1 there is nothing to talk to";
    return { name, verdict: "fail", found: messageOf(error), advice };
  }
}

async function unitLog({ machine }: Context): Promise<Check> {
  const name = "unit log";
  const trouble = await machine.unitLogTrouble();
  if (trouble === undefined) return { name, verdict: "ok", found: "the journal can be read through libsystemd" };
  const advice = "Units that fail are then reported without their last log lines";
  return { name, verdict: "warn", found: trouble, advice: trouble.includes("libsystemd") ? `${advice} (Debian: apt install libsystemd0)` : advice };
}

async function stateDirectory({ machine }: Context): Promise<Check> {
  const name = "state directory";
  const { path, exists, writable, fileSystem } = machine.stateDirectory();
  const where = `${path} on ${fileSystem}`;
  if (writable) {
    const subvolumes = fileSystem === "btrfs" ? await machine.onSubvolumes() : false;
    const layout = subvolumes === false ? "in folders: no instant snapshots, all else works" : "in subvolumes";
    return { name, verdict: "ok", found: `${where}, ${exists ? "" : "made by the first apply, "}${layout}` };
  }
  const advice = machine.uid === 0 ? "Make it writable, or name another: --root DIR" : "Run op-dbus as root, or name another: --root DIR";
  return { name, verdict: machine.uid === 0 ? "fail" : "warn", found: `${where} is not writable`, advice };
}

function stateFile({ files, settings }: Context): Check {
  const name = "state file";
  const path = settings.stateFile.value;
  if (files.exists(path)) return { name, verdict: "ok", found: path };
  return { name, verdict: "warn", found: `${path} is not there`, advice: "'op-dbus init' writes a starter; or name one in each command" };
}

async function books(context: Context): Promise<Check> {
  const name = "books";
  try {
    await using session = await context.open("books");
    const { host } = session.engine;
    const entries = host.audit.size();
    const open = interrupted(host);
    if (open !== undefined) return { name, verdict: "warn", found: describeOpen(open, host), advice: recoveryOf(open, host) };
    return { name, verdict: "ok", found: `${entries} audit entries, ${host.ledger.checkpoints().length} checkpoints` };
  } catch (error) {
    return { name, verdict: context.machine.uid === 0 ? "fail" : "warn", found: messageOf(error), ...(error instanceof OpError && error.hint !== undefined ? { advice: error.hint } : {}) };
  }
}
