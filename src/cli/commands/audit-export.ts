import { canonicalJson, toJson } from "../../core/json.ts";
import type { AuditEntry } from "../../core/ports.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { prunedLine } from "../history.ts";

export const auditExportCommand: CommandFactory = (context) =>
  command({
    args: {},
    about:
      "Prints every entry of the audit log that is there, oldest first, a line each: the very bytes that were hashed (canonical JSON). With --json they are one list.",
    example: "op-dbus audit export > entries.jsonl",
    exits: [0, 1, 2, 6, 7],
    async run() {
      await using session = await context.open("books");
      const { audit } = session.engine.host;
      await context.output.lines(textsOf(audit.entries()));
      const pruned = audit.pruned();
      if (pruned !== undefined) context.output.message(prunedLine(pruned));
      return DONE;
    },
  });

function* textsOf(entries: Iterable<AuditEntry>): Generator<string> {
  for (const entry of entries) yield canonicalJson(toJson(entry));
}
