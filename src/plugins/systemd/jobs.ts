import { OpError } from "../../core/errors.ts";
import type { Change, Progress } from "../../core/plugin.ts";
import type { Clock, UnitLog } from "../../core/ports.ts";
import type { EnqueuedJob, Manager } from "./manager.ts";
import { steadyState } from "./facts.ts";

export interface JobContext {
  readonly manager: Manager;
  readonly unitLog: UnitLog;
  readonly clock: Clock;
}

export interface Jobs {
  readonly job: "start" | "stop";
  readonly units: readonly string[];
  /** Units whose being active proves nothing by itself: they are watched for a while. */
  readonly watch: readonly string[];
  /** Units whose change is an action of the step already. */
  readonly known: ReadonlySet<string>;
}

/** How long a started process that says nothing of its readiness must stay up to count as running. */
const SETTLE_MS = 3000;
const WATCH_INTERVAL_MS = 250;
const LOST_SIGNAL_CHECK_MS = 2000;
/** Beyond any TimeoutStartSec= a person would wait for. */
const JOB_LIMIT_MS = 15 * 60_000;
const LOG_LINES = 10;
/** systemd knows of a unit's end before journald has read the unit's last words. */
const LAST_WORDS_MS = 100;

/** Has systemd start or stop units together, waits for each job's own result, and reports what else it took along. */
export async function runJobs(jobs: Jobs, context: JobContext, progress: Progress): Promise<Change[]> {
  const { manager, clock } = context;
  const results = new Map<number, string>();
  let wake = () => {};
  await using _ = await manager.onJobRemoved((id, result) => {
    results.set(id, result);
    wake();
  });
  const connection = { ended: false, due: false };
  void manager.bus.closed.then(() => {
    connection.ended = true;
    wake();
  });
  const checkLater = () => {
    connection.due = false;
    void clock.sleep(LOST_SIGNAL_CHECK_MS).then(() => {
      connection.due = true;
      wake();
    });
  };
  const enqueued = await enqueueAll(jobs, manager);
  const waiting = new Map(enqueued.map(({ id, unit }) => [id, unit]));
  const failed: string[] = [];
  const settle = () => {
    for (const [id, unit] of waiting) {
      const result = results.get(id);
      if (result === undefined) continue;
      waiting.delete(id);
      if (result === "done" || result === "skipped") progress.done(unit, jobs.job);
      else failed.push(`${unit}: ${result}`);
    }
  };
  const deadline = clock.monotonicMs() + JOB_LIMIT_MS;
  checkLater();
  for (settle(); waiting.size > 0; settle()) {
    if (!connection.ended) await new Promise<void>((resolve) => (wake = resolve));
    if (connection.ended) throw (await manager.bus.closed) ?? new OpError("unavailable", "The connection to systemd was closed");
    if (!connection.due) continue;
    await forgetEnded(waiting, results, manager);
    if (clock.monotonicMs() > deadline) {
      await cancel([...waiting.keys()], manager);
      throw new OpError("failed", `Gave up waiting for ${[...waiting.values()].join(", ")} to ${jobs.job}`);
    }
    checkLater();
  }
  if (jobs.job === "start") failed.push(...(await notStarted(jobs.units, manager)));
  if (failed.length > 0) throw await failure(jobs.job, failed, context);
  if (jobs.watch.length > 0) await stayUp(jobs.watch, context);
  return await otherChanges(enqueued, jobs.known, manager);
}

interface UnitJob extends EnqueuedJob {
  readonly unit: string;
}

/** All are taken on, or none goes on: a job that began late would undo the way back. */
async function enqueueAll({ units, job }: Jobs, manager: Manager): Promise<UnitJob[]> {
  const tried = await Promise.allSettled(units.map(async (unit) => ({ unit, ...(await manager.enqueueJob(unit, job)) })));
  const enqueued = tried.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const refused = tried.find((each) => each.status === "rejected");
  if (refused === undefined) return enqueued;
  await cancel(enqueued.flatMap(({ id, affected }) => [id, ...affected.map((other) => other.id)]), manager);
  throw refused.reason;
}

/** Those that ended meanwhile have nothing left to cancel. */
async function cancel(ids: readonly number[], manager: Manager): Promise<void> {
  await Promise.allSettled(ids.map((id) => manager.cancelJob(id)));
}

/** systemd calls a start done although a Condition…= was not met and nothing was started. */
async function notStarted(units: readonly string[], manager: Manager): Promise<string[]> {
  const idle = (await manager.listUnitsByNames(units)).filter(({ activeState }) => activeState === "inactive");
  return idle.map(({ id }) => `${id}: is inactive: a condition of its unit file is not met, or it ended by itself`);
}

/** A job that systemd no longer has, and whose signal did not come, ended; how, the reading back will tell. */
async function forgetEnded(waiting: ReadonlyMap<number, string>, results: Map<number, string>, manager: Manager): Promise<void> {
  const alive = await manager.jobIds();
  for (const id of waiting.keys()) if (!alive.has(id) && !results.has(id)) results.set(id, "done");
}

/** Throws when a unit does not stay up, or was started again meanwhile. */
async function stayUp(units: readonly string[], context: JobContext): Promise<void> {
  const { manager, clock } = context;
  const before = await invocations(units, manager);
  const end = clock.monotonicMs() + SETTLE_MS;
  for (;;) {
    const statuses = await manager.listUnitsByNames(units);
    const down = statuses.filter(({ activeState }) => steadyState(activeState) !== "active");
    if (down.length > 0) {
      throw await failure("stay up", down.map(({ id, activeState, subState }) => `${id}: ${activeState} (${subState})`), context);
    }
    if (clock.monotonicMs() >= end) break;
    await clock.sleep(WATCH_INTERVAL_MS);
  }
  const after = await invocations(units, manager);
  const again = units.filter((_, index) => before[index] !== after[index]);
  if (again.length > 0) throw await failure("stay up", again.map((unit) => `${unit}: was started again`), context);
}

async function invocations(units: readonly string[], manager: Manager): Promise<string[]> {
  const statuses = await manager.listUnitsByNames(units);
  return await Promise.all(
    statuses.map(async ({ path }) => Buffer.from((await manager.property(path, "InvocationID")) as Uint8Array).toString("hex")),
  );
}

/** Starts and stops that systemd made along with ours, as far as they lasted. */
async function otherChanges(
  enqueued: readonly UnitJob[],
  known: ReadonlySet<string>,
  manager: Manager,
): Promise<Change[]> {
  const others = new Map<string, { type: string; by: string }>();
  for (const { unit, affected } of enqueued) {
    for (const { unit: other, type } of affected) {
      if (!known.has(other) && (type === "start" || type === "stop")) others.set(other, { type, by: unit });
    }
  }
  const statuses = await manager.listUnitsByNames([...others.keys()]);
  return statuses.flatMap(({ id, activeState }) => {
    const other = others.get(id);
    const to = other?.type === "start" ? "active" : "inactive";
    if (other === undefined || steadyState(activeState) !== to) return [];
    return [{ resource: id, path: ["active_state"], from: to === "active" ? "inactive" : "active", to, impliedBy: other.by }];
  });
}

async function failure(verb: string, findings: readonly string[], { unitLog, clock }: JobContext): Promise<OpError> {
  await clock.sleep(LAST_WORDS_MS);
  const details = findings.flatMap((finding) => {
    const unit = finding.slice(0, finding.indexOf(": "));
    return [finding, ...unitLog.lastLines(unit, LOG_LINES).map((line) => `  | ${line}`)];
  });
  const units = findings.map((finding) => finding.slice(0, finding.indexOf(": ")));
  return new OpError("failed", `${units.join(", ")} did not ${verb}`, { operation: verb, details });
}
