import { nearest } from "../../core/suggestion.ts";
import type { Subfield } from "./action.ts";
import { fieldOf, FIELDS } from "./fields.ts";
import { SpellingError } from "./spelling-error.ts";
import type { TextPart } from "./text-numbers.ts";

/** `reg0`, `NXM_NX_REG0[]`, `reg0[3]`, `reg0[0..3]`: ovs-actions(7), "Fields". Throws SpellingError. */
export function parseSubfield({ text, at }: TextPart): Subfield {
  const [, name = text, first, last] = /^(\w+)(?:\[(?:(\d{1,3})(?:\.\.(\d{1,3}))?)?\])?$/.exec(text) ?? [];
  const field = fieldOf(name);
  if (field === undefined) {
    const meant = nearest(name, FIELDS.flatMap((each) => [each.name, ...each.aliases, each.nxmName]));
    throw new SpellingError(`'${name}' is not a field${meant === undefined ? "" : ` (did you mean '${meant}'?)`}`, at);
  }
  const offset = first === undefined ? 0 : Number(first);
  const end = last === undefined ? (first === undefined ? field.bits - 1 : offset) : Number(last);
  if (end < offset || end >= field.bits) throw new SpellingError(`'${text}' is not within '${name}', which has ${field.bits} bits`, at);
  return { field: field.name, offset, bits: end - offset + 1 };
}
