import type { JsonObject } from "../core/json.ts";
import type { Checkpoint, OpenTransaction } from "../core/ports.ts";
import type { Waiting } from "../engine/hold.ts";
import type { Host } from "../engine/host.ts";
import { undoneJson } from "./checkpoints.ts";
import type { Context } from "./context.ts";
import { counted, padEnd, printable, when, wrap } from "./printable.ts";
import { deadlineOf, describeOpen, interrupted, latestApply, lockState, recoveryOf, waitingNow, type LockState } from "./standing.ts";

/** What is in force and what is unfinished, as `status` prints and `report` keeps it. */
export function statusJson({ machine }: Pick<Context, "machine">, host: Host): JsonObject {
  const { ledger, lock } = host;
  const checkpoints = ledger.checkpoints();
  const { path, exists, fileSystem } = machine.stateDirectory();
  const [last, undone] = [latestApply(checkpoints), latestUndone(checkpoints)];
  const { holder, known } = lockState(lock);
  const open = interrupted(host);
  const waiting = waitingNow(host);
  return {
    state_directory: { path, exists, file_system: fileSystem },
    in_force: { plugins: inForce(host), since: inForceSince(host) ?? null },
    last_apply: last === undefined ? null : { ...named(last), failed: failure(host, last) ?? null },
    last_undone: undone?.applied?.undone === undefined ? null : { ...named(undone), ...undoneJson(undone.applied.undone) },
    checkpoints: checkpoints.length,
    owned: ownedCount(host),
    lock: holder === undefined ? null : { ...holder },
    lock_known: known,
    interrupted: open === undefined || waiting !== undefined ? null : { ...begun(open), recovery: recoveryOf(open, host) },
    waiting: waiting === undefined ? null : { ...begun(waiting), ...waitingJson(waiting, host) },
    rejected: ledger.rejections().map(({ documentHash, when, who, why }) => ({ document_hash: documentHash, when, who, why })),
  };
}

export function statusText({ machine, output }: Pick<Context, "machine" | "output">, host: Host): string {
  const { ledger, lock } = host;
  const { width, paint } = output.style;
  const checkpoints = ledger.checkpoints();
  const open = interrupted(host);
  const { path, exists, fileSystem } = machine.stateDirectory();
  const undone = latestUndone(checkpoints);
  const rows = {
    "state directory": exists ? `${path} (${fileSystem})` : `${path} is not there yet: the first apply makes it`,
    "in force": inForceText(host),
    "last apply": lastApplyText(host, latestApply(checkpoints)),
    ...(undone === undefined ? {} : { "last undone": `${when(undone.created)} (${undone.name}): ${undone.applied?.undone?.why}` }),
    checkpoints: String(checkpoints.length),
    owned: counted(ownedCount(host), "resource"),
    lock: lockText(lockState(lock)),
    unfinished: open === undefined ? "nothing" : `${describeOpen(open, host)}; ${recoveryOf(open, host)}`,
  };
  const rejected = ledger
    .rejections()
    .flatMap(({ documentHash, when: at, who, why }) => wrap(printable(`${when(at)}, ${who}: ${why}`), width, `  ${documentHash.slice(0, 12)}  `, " ".repeat(16)));
  return [
    ...Object.entries(rows).flatMap(([name, value]) => row(name, value, output.style)),
    ...(rejected.length === 0 ? [] : ["", paint("bold", "Rejected documents (refused until changed, or with --force):"), ...rejected]),
  ].join("\n");
}

function begun({ header }: Pick<OpenTransaction, "header">): JsonObject {
  return { kind: header.kind, started: header.started, user: header.actor.user };
}

function waitingJson(waiting: Waiting, host: Host): JsonObject {
  const { until, secondsLeft } = deadlineOf(waiting, host);
  return { until, seconds_left: secondsLeft };
}

function row(name: string, value: string, { width, paint }: Context["output"]["style"]): string[] {
  const [first = "", ...rest] = wrap(printable(value), width, padEnd(name, 17), " ".repeat(17));
  return [paint("bold", name) + first.slice(name.length), ...rest];
}

function inForceText(host: Host): string {
  const plugins = inForce(host);
  const since = inForceSince(host);
  if (plugins.length === 0) return "nothing";
  return `${plugins.join(", ")}${since === undefined ? "" : `, since ${when(since)}`}`;
}

function lastApplyText(host: Host, last: Checkpoint | undefined): string {
  if (last === undefined) return "none";
  const failed = failure(host, last);
  const how = failed === undefined ? "" : `; it failed (${failed}) and could not be fully taken back: 'op-dbus rollback' tries again`;
  return `${when(last.created)} by ${last.actor.user}, checkpoint ${last.name}${how}`;
}

function inForce({ ledger }: Host): string[] {
  return Object.keys(ledger.current().plugins);
}

function lockText({ known, holder }: LockState): string {
  if (!known) return "not for this user to see";
  return holder === undefined ? "free" : `held by ${holder.user}, process ${holder.pid} (${holder.purpose}), since ${when(holder.since)}`;
}

/** Since the latest apply that went through. */
function inForceSince(host: Host): string | undefined {
  if (inForce(host).length === 0) return undefined;
  return latestApply(host.ledger.checkpoints().filter((checkpoint) => failure(host, checkpoint) === undefined))?.created;
}

/** Why an apply that is not undone failed: what it left is kept so that it can be rolled back. */
function failure({ ledger }: Host, { applied }: Checkpoint): string | undefined {
  return applied === undefined || applied.undone !== undefined ? undefined : ledger.rejection(applied.documentHash)?.why;
}

function ownedCount({ ledger }: Host): number {
  return Object.values(ledger.ownership()).reduce((sum, resources) => sum + Object.keys(resources).length, 0);
}

function named({ name, created, actor }: Checkpoint): JsonObject {
  return { checkpoint: name, when: created, user: actor.user };
}

/** By when it was undone, which need not be the order they were made in. */
function latestUndone(checkpoints: readonly Checkpoint[]): Checkpoint | undefined {
  return checkpoints
    .filter(({ applied }) => applied?.undone !== undefined)
    .toSorted((a, b) => (a.applied?.undone?.when ?? "").localeCompare(b.applied?.undone?.when ?? ""))
    .at(-1);
}
