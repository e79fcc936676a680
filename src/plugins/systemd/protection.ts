import type { ResourceReading } from "../../core/plugin.ts";
import type { Sources } from "./facts.ts";

/** Units whose end takes the way in with them. */
const LIFELINES: Readonly<Record<string, string>> = {
  "dbus.service": "the system bus ends with it",
  "dbus.socket": "the system bus ends with it",
  "dbus-broker.service": "the system bus ends with it",
  "systemd-logind.service": "logins end with it",
  "-.slice": "everything runs under it",
  "system.slice": "every service runs under it",
  "init.scope": "systemd itself runs in it",
};
const SSH_UNIT = /^(ssh|sshd)(@.*)?\.(service|socket)$/;

type Readings = Readonly<Record<string, ResourceReading>>;

/**
 * Adds to each unit that would be stopped why that must not happen unasked: it would cut off the operator or op-dbus. Who the
 * operator is differs from one shell to the next, so this is advice, not part of the plan's hash.
 */
export async function cutOff(readings: Readings, sources: Sources): Promise<Readings> {
  const stopping = Object.entries(readings).filter(([, { facts }]) => stopsSomething(facts));
  if (stopping.length === 0) return readings;
  const own = await operatorUnits(sources);
  const result: Record<string, ResourceReading> = { ...readings };
  for (const [name, reading] of stopping) {
    const advice: Record<string, string> = {};
    for (const unit of [name, ...impliedStops(reading.facts)]) {
      const why = LIFELINES[unit] ?? own.get(unit) ?? (sources.operator.overSsh && SSH_UNIT.test(unit) ? "you are connected over SSH" : undefined);
      if (why !== undefined) advice[unit] = why;
    }
    if (Object.keys(advice).length > 0) result[name] = { ...reading, advice };
  }
  return result;
}

/** The units that op-dbus and the processes above it run in. */
async function operatorUnits({ manager, operator }: Sources): Promise<Map<string, string>> {
  const units = await Promise.all(operator.pids.map(async (pid) => [pid, await manager.unitOfProcess(pid)] as const));
  const own = new Map<string, string>();
  for (const [pid, unit] of units) {
    if (unit !== undefined && !own.has(unit)) {
      own.set(unit, pid === operator.pids[0] ? "op-dbus itself runs in it" : `your session runs under it (process ${pid})`);
    }
  }
  return own;
}

function stopsSomething(facts: unknown): boolean {
  const { stop, implied } = (facts ?? {}) as { stop?: unknown; implied?: { stops?: readonly string[] } };
  return stop !== undefined || (implied?.stops?.length ?? 0) > 0;
}

function impliedStops(facts: unknown): readonly string[] {
  return (facts as { implied?: { stops?: readonly string[] } }).implied?.stops ?? [];
}
