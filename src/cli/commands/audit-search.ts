import type { AuditReader } from "../../core/ports.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { entryRow, type Shown } from "../entry-text.ts";
import { AUDIT_KINDS, entryJson, OpenBackwards, prunedLine } from "../history.ts";
import { FILTER_ARGS, filterOf, matches, mentions, type HistoryFilter } from "../history-filter.ts";
import { cut, padEnd } from "../printable.ts";
import { warnInterrupted } from "../standing.ts";

/** Columns that are known before the first entry is: what is found is shown before the rest is looked for. */
const WIDTHS = ["2026-11-20T17:03:12Z".length, Math.max(...AUDIT_KINDS.map(({ length }) => length)), "failed".length];

export const auditSearchCommand: CommandFactory = (context) =>
  command({
    args: {
      text: { type: "positional", value: "TEXT", required: true, description: "what is to occur in an entry, capital or not" },
      ...FILTER_ARGS,
    },
    about:
      "Finds the entries of the audit log that speak of something, newest first: TEXT in what was done, to what, from and to which value, by whom, in the details, or in a transaction's id. " +
      "All of the log that is there is looked through. With --json they are one list.",
    example: "op-dbus audit search vmbr0 --until 2026-11-17",
    exits: [0, 1, 2, 6, 7],
    async run({ text, ...flags }) {
      const filter = filterOf(flags, context.now());
      await using session = await context.open("books");
      const { host } = session.engine;
      warnInterrupted(context, host);
      const { json, style } = context.output;
      const found = foundIn(host.audit, filter, text);
      await context.output.lines(json ? jsonOf(found) : linesOf(found, String(host.audit.size()).length, style.width));
      const pruned = host.audit.pruned();
      if (pruned !== undefined) context.output.message(prunedLine(pruned));
      return DONE;
    },
  });

/** One after another, as they are asked for: what was found is not kept. */
function* foundIn(audit: AuditReader, filter: HistoryFilter, text: string): Generator<Shown> {
  const backwards = new OpenBackwards();
  for (const entry of audit.entries({ newestFirst: true })) {
    const open = backwards.isOpen(entry);
    if (matches(filter, entry) && mentions(entry, text)) yield { entry, open };
  }
}

function* jsonOf(found: Iterable<Shown>): Generator<string> {
  for (const { entry, open } of found) yield JSON.stringify(entryJson(entry, open));
}

function* linesOf(found: Iterable<Shown>, numberWidth: number, width: number): Generator<string> {
  let none = true;
  for (const shown of found) {
    const cells = entryRow(shown).map((cell, column) => padEnd(cell, [numberWidth, ...WIDTHS][column] ?? 0));
    yield cut(cells.join("  ").trimEnd(), width);
    none = false;
  }
  if (none) yield "No entries";
}
