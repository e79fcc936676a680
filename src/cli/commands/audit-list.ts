import { OpError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { AuditEntry } from "../../core/ports.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { AUDIT_KINDS, entryJson, matches, openEntries, pointInTime } from "../history.ts";
import { columns, counted, cut, printable, when } from "../printable.ts";
import { warnInterrupted } from "../standing.ts";

const STANDARD_LIMIT = 50;

export const auditListCommand: CommandFactory = (context) =>
  command({
    args: {
      kind: { type: "string", value: "K", description: `only these: ${AUDIT_KINDS.join(", ")}`, allowed: AUDIT_KINDS },
      plugin: { type: "string", value: "P", description: "only of this plugin", complete: "plugin" },
      resource: { type: "string", value: "R", description: "only of this resource" },
      since: { type: "string", value: "WHEN", description: "not before: 2h, 7d, 2026-11-20, 2026-11-20T17:30" },
      until: { type: "string", value: "WHEN", description: "not after" },
      limit: { type: "string", value: "N", description: `the last N only (default ${STANDARD_LIMIT}, 0 for all)` },
    },
    about:
      "Lists the audit log, newest last. What was announced and has no outcome, because the process or the machine died meanwhile, is shown as open.",
    example: "op-dbus audit list --resource nginx.service --since 7d",
    exits: [0, 1, 2, 7, 8],
    async run({ since, until, limit, ...filter }) {
      const now = context.now();
      const span = {
        since: since === undefined ? undefined : pointInTime(since, "--since", now),
        until: until === undefined ? undefined : pointInTime(until, "--until", now),
      };
      const most = limitOf(limit);
      await using session = await context.open("books");
      const { host } = session.engine;
      warnInterrupted(context, host);
      const entries = host.audit.entries();
      const open = openEntries(entries);
      const found = entries.filter((entry) => matches({ ...filter, ...span }, entry));
      const shown = most === 0 ? found : found.slice(-most);
      const { style } = context.output;
      await context.output.result(
        () => ({ total: found.length, entries: shown.map((entry) => entryJson(entry, open)) }),
        () => (found.length === 0 ? "No entries" : columns(shown.map((entry) => row(entry, open))).map((line) => cut(line, style.width)).join("\n")),
      );
      const hidden = found.length - shown.length;
      if (hidden > 0 && !context.output.json) context.output.message(`${counted(hidden, "older entry", "older entries")} not shown: --limit 0 shows all`);
      return DONE;
    },
  });

function limitOf(text: string | undefined): number {
  if (text === undefined) return STANDARD_LIMIT;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new OpError("invalid", `--limit is '${text}', it takes a whole number`);
}

function row({ index, time, kind, outcome, operation, resource, detail }: AuditEntry, open: ReadonlySet<number>): string[] {
  const what = [operation, resource, detailLine(detail)].filter((part) => part !== undefined).join(" ");
  return [String(index), when(time), kind, open.has(index) ? "open" : (outcome ?? ""), printable(what)];
}

function detailLine(detail: AuditEntry["detail"]): string | undefined {
  if (detail === undefined || detail === null) return undefined;
  if (Array.isArray(detail)) return detail.map((line: Json) => (typeof line === "string" ? line : JSON.stringify(line))).join("; ");
  // A document's hash is known by its first digits.
  if (typeof detail === "string" && /^[0-9a-f]{64}$/.test(detail)) return detail.slice(0, 12);
  return typeof detail === "string" ? detail : JSON.stringify(detail);
}
