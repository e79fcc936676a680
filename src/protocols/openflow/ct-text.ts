import type { ActionContext, Argument } from "./action-context.ts";
import { HELPERS } from "./action-print.ts";
import type { Action, Connection } from "./action.ts";
import { partsOf } from "./parts.ts";
import { SpellingError } from "./spelling-error.ts";
import { parseSubfield } from "./subfield-text.ts";
import { numberIn } from "./text-numbers.ts";

/** `ct(commit,table=1,zone=5,exec(set_field:1->ct_mark))`: ovs-actions(7), "The ct action". Throws SpellingError. */
export function parseConnection(argument: Argument, _: ActionContext, within: (argument: Argument) => readonly Action[]): readonly Action[] {
  let connection: Connection = { action: "ct", commit: false, force: false, zone: 0, helper: 0, exec: [] };
  for (const { text, at } of partsOf(argument.text, argument.at)) {
    const [key, inside, value] = [/^\w*/.exec(text)?.[0] ?? "", /^\w+\((.*)\)$/s.exec(text)?.[1], /^\w+=(.*)$/s.exec(text)?.[1]];
    const form = inside !== undefined ? "parentheses" : value === undefined ? "none" : "colon";
    const part: Argument = { word: key, text: inside ?? value ?? "", at: at + key.length + 1, form };
    connection = { ...connection, ...partOf(part, within) };
  }
  if (connection.force && !connection.commit) throw new SpellingError("'force' needs 'commit' beside it", argument.at);
  if (connection.exec.length > 0 && !connection.commit) throw new SpellingError("'exec' needs 'commit' beside it", argument.at);
  return [connection];
}

function partOf(part: Argument, within: (argument: Argument) => readonly Action[]): Partial<Connection> {
  switch (part.word) {
    case "commit":
      return { commit: true };
    case "force":
      return { force: true };
    case "table":
      return { table: numberIn(part, { what: "A table", most: 254 }) };
    case "zone":
      return { zone: /^\d/.test(part.text) ? numberIn(part, { what: "A zone", most: 0xffff }) : zoneField(part) };
    case "exec":
      return { exec: within(part) };
    case "alg":
      return { helper: helper(part) };
    case "nat":
      throw new SpellingError("'nat' is not supported: addresses that connections were given are not in the flow", part.at - part.word.length - 1);
    default:
      throw new SpellingError(`'${part.word}' is not one of commit, force, table, zone, exec, alg`, part.at - part.word.length - 1);
  }
}

function zoneField(part: Argument): Connection["zone"] {
  const field = parseSubfield(part);
  if (field.bits !== 16) throw new SpellingError(`'${part.text}' has ${field.bits} bits: a zone has 16`, part.at);
  return field;
}

function helper({ text, at }: Argument): number {
  const known = Object.entries(HELPERS).find(([, name]) => name === text)?.[0];
  if (known === undefined) throw new SpellingError(`'${text}' is not one of ${Object.values(HELPERS).join(", ")}`, at);
  return Number(known);
}
