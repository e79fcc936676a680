import { OpError } from "../../core/errors.ts";
import type { AuditReader } from "../../core/ports.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { entryRow, type Shown } from "../entry-text.ts";
import { entryJson, OpenBackwards, prunedLine } from "../history.ts";
import { FILTER_ARGS, filterOf, matches, type HistoryFilter } from "../history-filter.ts";
import { columns, cut } from "../printable.ts";
import { warnInterrupted } from "../standing.ts";

const STANDARD_LIMIT = 50;

export const auditListCommand: CommandFactory = (context) =>
  command({
    args: {
      ...FILTER_ARGS,
      limit: { type: "string", value: "N", description: `the last N only (default ${STANDARD_LIMIT}, 0 for all)` },
    },
    about:
      "Lists the audit log, newest last. What was announced and has no outcome, because the process or the machine died meanwhile, is shown as open.",
    example: "op-dbus audit list --resource nginx.service --since 7d",
    exits: [0, 1, 2, 7, 8],
    async run({ limit, ...flags }) {
      const filter = filterOf(flags, context.now());
      const most = limitOf(limit);
      await using session = await context.open("books");
      const { host } = session.engine;
      warnInterrupted(context, host);
      const { shown, more } = latest(host.audit, filter, most);
      const { style } = context.output;
      const pruned = more ? undefined : host.audit.pruned();
      await context.output.result(
        () => ({ more, ...(pruned === undefined ? {} : { minimum_index: pruned.minimumIndex }), entries: shown.map(({ entry, open }) => entryJson(entry, open)) }),
        () => (shown.length === 0 ? "No entries" : columns(shown.map(entryRow)).map((line) => cut(line, style.width)).join("\n")),
      );
      if (more && !context.output.json) context.output.message("Older entries not shown: --limit 0 shows all");
      if (pruned !== undefined && !context.output.json) context.output.message(prunedLine(pruned));
      return DONE;
    },
  });

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
