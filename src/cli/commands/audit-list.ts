import { OpError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { AuditEntry, AuditReader } from "../../core/ports.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { AUDIT_KINDS, entryJson, matches, OpenBackwards, pointInTime, type HistoryFilter } from "../history.ts";
import { columns, cut, printable, when } from "../printable.ts";
import { warnInterrupted } from "../standing.ts";

const STANDARD_LIMIT = 50;

export const auditListCommand: CommandFactory = (context) =>
  command({
    args: {
      kind: { type: "string", value: "K", description: `only these: ${AUDIT_KINDS.join(", ")}`, allowed: AUDIT_KINDS },
      plugin: { type: "string", value: "P", description: "only of this plugin", complete: "plugin" },
      resource: { type: "string", value: "R", description: "only of this resource" },
      actor: { type: "string", value: "USER", description: "only by this user, by name or number" },
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
      const { shown, more } = latest(host.audit, { ...filter, ...span }, most);
      const { style } = context.output;
      await context.output.result(
        () => ({ more, entries: shown.map(({ entry, open }) => entryJson(entry, open)) }),
        () => (shown.length === 0 ? "No entries" : columns(shown.map(row)).map((line) => cut(line, style.width)).join("\n")),
      );
      if (more && !context.output.json) context.output.message("Older entries not shown: --limit 0 shows all");
      return DONE;
    },
  });

interface Shown {
  readonly entry: AuditEntry;
  readonly open: boolean;
}

/** The last `most` entries that match, oldest first (0: all), and whether there are older ones. Reads no further back than that. */
function latest(audit: AuditReader, filter: HistoryFilter, most: number): { shown: Shown[]; more: boolean } {
  const backwards = new OpenBackwards();
  const shown: Shown[] = [];
  for (const entry of audit.entries({ newestFirst: true })) {
    const open = backwards.isOpen(entry);
    if (!matches(filter, entry)) continue;
    if (most > 0 && shown.length === most) return { shown: shown.reverse(), more: true };
    shown.push({ entry, open });
  }
  return { shown: shown.reverse(), more: false };
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return STANDARD_LIMIT;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new OpError("invalid", `--limit is '${text}', it takes a whole number`);
}

function row({ entry: { index, time, kind, outcome, operation, resource, detail }, open }: Shown): string[] {
  const what = [operation, resource, detailLine(detail)].filter((part) => part !== undefined).join(" ");
  return [String(index), when(time), kind, open ? "open" : (outcome ?? ""), printable(what)];
}

function detailLine(detail: AuditEntry["detail"]): string | undefined {
  if (detail === undefined || detail === null) return undefined;
  if (Array.isArray(detail)) return detail.map((line: Json) => (typeof line === "string" ? line : JSON.stringify(line))).join("; ");
  // A document's hash is known by its first digits.
  if (typeof detail === "string" && /^[0-9a-f]{64}$/.test(detail)) return detail.slice(0, 12);
  return typeof detail === "string" ? detail : JSON.stringify(detail);
}
