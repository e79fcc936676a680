import { messageOf } from "../../core/errors.ts";
import { toJson, type Json, type JsonObject } from "../../core/json.ts";
import type { Actor, AuditEntry } from "../../core/ports.ts";
import type { Host } from "../../engine/host.ts";
import { checkpointJson } from "../checkpoints.ts";
import { checkAll } from "../checks.ts";
import { command, type CommandFactory } from "../command.ts";
import type { Context } from "../context.ts";
import { DONE } from "../exit.ts";
import { OpenBackwards } from "../history.ts";
import { LEFT_OUT, redact, withoutContent, withoutQuoted, type Redaction } from "../redaction.ts";
import { settingsJson } from "../settings.ts";
import { lockState } from "../standing.ts";
import { statusJson } from "../status.ts";
import { usage } from "../usage.ts";

const ENTRIES = 200;
const CHECKPOINTS = 20;

export const reportCommand: CommandFactory = (context) =>
  command({
    args: {
      out: { type: "string", value: "FILE", description: "write it to a file that is not there yet (default: standard output)", complete: "file" },
    },
    about:
      "Collects what a bug report needs into one JSON document: versions, doctor's checks, status, the last audit entries and checkpoints. " +
      "Names of the host and its users, addresses, values and secrets are left out; the bundle lists what. Read it before you send it.",
    example: "op-dbus report --out bundle.json",
    exits: [0, 1, 2, 6],
    async run({ out }) {
      if (out === "-") throw usage("FILE is a file; without --out the bundle goes to standard output", "op-dbus report");
      const bundle = await bundleOf(context);
      const text = JSON.stringify(bundle, null, 2);
      if (out === undefined) {
        await context.output.result(() => bundle, () => text);
        return DONE;
      }
      context.files.write(out, `${text}\n`, { replace: false });
      await context.output.result(() => ({ written: out }), () => `Wrote ${out}. Read it before you send it`);
      return DONE;
    },
  });

async function bundleOf(context: Context): Promise<Json> {
  const { build, machine, settings, now } = context;
  const checks = await checkAll(context);
  const { books, users } = await booksOf(context);
  const bundle = {
    format: "op-dbus report",
    version: 1,
    created: now().toISOString(),
    left_out: [] as string[],
    op_dbus: { version: build.version, commit: build.commit, bun: Bun.version },
    machine: { kernel: machine.kernel, system: machine.system, uid: machine.uid },
    settings: settingsJson(settings),
    checks: checks.map((check) => ({ ...check })),
    ...books,
  };
  const redaction: Redaction = { hostnames: [machine.hostname, machine.hostname.split(".")[0] ?? ""], users: [machine.user, ...users] };
  return { ...(redact(toJson(bundle), redaction) as JsonObject), left_out: LEFT_OUT };
}

/** The books may be what is broken: the rest of the bundle is worth having then too. */
async function booksOf(context: Context): Promise<{ books: JsonObject; users: string[] }> {
  try {
    await using session = await context.open("books");
    const { host } = session.engine;
    const { audit, users } = auditOf(host);
    const checkpoints = host.ledger.checkpoints();
    const books = {
      status: statusJson(context, host),
      audit,
      checkpoints: checkpoints.slice(-CHECKPOINTS).map(checkpointJson),
    };
    return { books, users: [...users, ...peopleIn(host)] };
  } catch (error) {
    return { books: { books_unreadable: messageOf(error) }, users: [] };
  }
}

/** The last entries, oldest first, and everybody who ever did anything. */
function auditOf({ audit }: Host): { audit: Json[]; users: Set<string> } {
  const backwards = new OpenBackwards();
  const last: Json[] = [];
  const users = new Set<string>();
  for (const entry of audit.entries({ newestFirst: true })) {
    namesOf(entry.actor).forEach((name) => users.add(name));
    if (last.length < ENTRIES) last.unshift(auditJson(entry, backwards.isOpen(entry)));
  }
  return { audit: last, users };
}

function auditJson({ index, time, kind, transaction, plugin, operation, resource, outcome, before, after, detail, late }: AuditEntry, open: boolean): Json {
  return toJson({
    index, time, kind, transaction, plugin, operation, resource, outcome, late,
    ...(before === undefined ? {} : { before: withoutContent(before) }),
    ...(after === undefined ? {} : { after: withoutContent(after) }),
    ...(detail === undefined ? {} : { detail: withoutQuoted(detail) }),
    ...(open ? { open: true } : {}),
  });
}

function peopleIn({ ledger, lock, journal }: Host): string[] {
  const actors = [...ledger.checkpoints(), journal.pending()?.header ?? []].flat().map(({ actor }) => actor);
  return [...actors.flatMap(namesOf), ...ledger.rejections().map(({ who }) => who), lockState(lock).holder?.user ?? ""];
}

function namesOf({ user, claimedSudoUser = "" }: Actor): string[] {
  return [user, claimedSudoUser];
}
