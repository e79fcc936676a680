import { OpError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { entryJson, openEntries } from "../history.ts";
import { columns, printable } from "../printable.ts";

export const auditShowCommand: CommandFactory = (context) =>
  command({
    args: {
      number: { type: "positional", value: "N", required: true, description: "the entry's number, as 'op-dbus audit list' prints it" },
    },
    about: "Shows one entry of the audit log in full: when, who, by which door, what it was and what it is.",
    example: "op-dbus audit show 12",
    exits: [0, 1, 2, 7, 8],
    async run({ number }) {
      if (!/^\d{1,15}$/.test(number)) throw new OpError("invalid", `'${number}' is no entry's number`);
      await using session = await context.open("books");
      const entries = session.engine.host.audit.entries();
      const entry = entries.find(({ index }) => index === Number(number));
      if (entry === undefined) {
        const range = entries.length === 0 ? "The log is empty" : `There are ${entries[0]?.index} to ${entries.at(-1)?.index}`;
        throw new OpError("invalid", `There is no entry ${number}`, { hint: range });
      }
      const shown = entryJson(entry, openEntries(entries));
      await context.output.result(() => shown, () => columns(Object.entries(shown).map(([key, value]) => [key, valueText(value)])).join("\n"));
      return DONE;
    },
  });

function valueText(value: Json): string {
  return printable(typeof value === "string" ? value : JSON.stringify(value));
}
