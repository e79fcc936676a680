import type { Json } from "../../core/json.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { entryAt, entryJson, entryNumber, isOpen } from "../history.ts";
import { columns, printable } from "../printable.ts";

export const auditShowCommand: CommandFactory = (context) =>
  command({
    args: {
      number: { type: "positional", value: "N", required: true, description: "the entry's number, as 'op-dbus audit list' prints it" },
    },
    about: "Shows one entry of the audit log in full: when, who, by which door, what it was and what it is.",
    example: "op-dbus audit show 12",
    exits: [0, 1, 2, 6, 7, 8],
    async run({ number }) {
      const index = entryNumber(number);
      await using session = await context.open("books");
      const { audit } = session.engine.host;
      const entry = entryAt(audit, index);
      const shown = entryJson(entry, isOpen(entry, audit));
      await context.output.result(() => shown, () => columns(Object.entries(shown).map(([key, value]) => [key, valueText(value)])).join("\n"));
      return DONE;
    },
  });

function valueText(value: Json): string {
  return printable(typeof value === "string" ? value : JSON.stringify(value));
}
