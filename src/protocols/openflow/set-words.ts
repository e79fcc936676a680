import { nearest } from "../../core/suggestion.ts";
import type { ActionContext } from "./action-context.ts";
import type { Action, Subfield } from "./action.ts";
import { fieldOf, FIELDS, knownField } from "./fields.ts";
import { isMet, remedyFor } from "./prerequisites.ts";
import { SpellingError } from "./spelling-error.ts";
import { parseSubfield } from "./subfield-text.ts";
import { wideNumberIn, type TextPart } from "./text-numbers.ts";
import { parseValue, type Bits } from "./values.ts";

/*
 * The spellings of actions that set fields: ovs-actions(7), "Header Modification" and "The set_field and load actions". Pure.
 */

const LOAD_BITS = 64;
/** In a vlan_vid, that there is a tag. */
const VLAN_PRESENT = 0x1000n;

/** `VALUE->FIELD`; with a mask it is one load for each run of bits, as Open vSwitch has it in OpenFlow 1.4. */
export function parseSetField(part: TextPart, context: ActionContext): readonly Action[] {
  const { value, target } = halves(part, "set_field:VALUE->FIELD");
  const field = fieldOf(target.text);
  if (field === undefined) {
    const meant = nearest(target.text, FIELDS.flatMap(({ name, aliases }) => [name, ...aliases]));
    throw new SpellingError(`'${target.text}' is not a field${meant === undefined ? "" : ` (did you mean '${meant}'?)`}`, target.at);
  }
  const bits = valueFor(field.name, value, { key: target.text, context });
  if (field.name === "vlan_vid" && (bits.value & VLAN_PRESENT) === 0n) {
    throw new SpellingError(`'vlan_vid' is set to 4096 and the VLAN: ${bits.value | VLAN_PRESENT} for VLAN ${bits.value}`, value.at);
  }
  if (bits.mask === undefined) return [{ action: "set_field", field: field.name, value: bits.value }];
  return runsOf(bits.mask, { field: field.name, offset: 0, bits: 8 * field.bytes }).map((run) => ({
    ...{ action: "load", target: run, value: (bits.value >> BigInt(run.offset)) & ((1n << BigInt(run.bits)) - 1n) },
  }));
}

/** A set_field under the older name of `mod_…`. */
export function setField(name: string, value: TextPart & { readonly word: string }, context: ActionContext): Action {
  const bits = valueFor(name, value, { key: value.word, context });
  if (bits.mask !== undefined) throw new SpellingError(`'${value.word}' sets the whole field: '${value.text}' has a mask`, value.at);
  return { action: "set_field", field: name, value: bits.value };
}

/** `VALUE->FIELD[0..3]`. */
export function parseLoad(part: TextPart): Action {
  const halved = halves(part, "load:VALUE->FIELD[FIRST..LAST]");
  const target = parseSubfield(halved.target);
  if (target.bits > LOAD_BITS) throw new SpellingError(`'${halved.target.text}' has more bits than load can write`, halved.target.at);
  return { action: "load", target, value: wideNumberIn(halved.value, { what: `The value for '${halved.target.text}'`, bits: target.bits }) };
}

/** `FIELD[0..3]->FIELD[4..7]`. */
export function parseMove(part: TextPart): Action {
  const halved = halves(part, "move:FIELD->FIELD");
  const [source, target] = [parseSubfield(halved.value), parseSubfield(halved.target)];
  if (source.bits !== target.bits) throw new SpellingError(`'${part.text}' moves ${source.bits} bits to ${target.bits}`, part.at);
  return { action: "move", source, target };
}

function halves({ text, at }: TextPart, form: string): { readonly value: TextPart; readonly target: TextPart } {
  const arrow = text.lastIndexOf("->");
  if (arrow < 0) throw new SpellingError(`'${text}' is not written as ${form}`, at);
  const [value, target] = [text.slice(0, arrow).trimEnd(), text.slice(arrow + 2)];
  return { value: { text: value, at }, target: { text: target.trim(), at: at + arrow + 2 + target.length - target.trimStart().length } };
}

function valueFor(name: string, { text, at }: TextPart, { key, context }: { readonly key: string; readonly context: ActionContext }): Bits {
  const field = knownField(name);
  const { need } = field;
  // A tag and a label may have been pushed by an action of an earlier table: that is the bridge's to judge.
  if (need !== undefined && need !== "vlan" && need !== "mpls" && context.typeKnown && !isMet(need, context.match)) {
    throw new SpellingError(`'${key}' can be set only where the flow matches ${remedyFor(need)}`, at);
  }
  return parseValue({ ...field, maskable: true }, text, { key, names: context.names, at });
}

/** The runs of bits in a mask, from the lowest. */
function runsOf(mask: bigint, { field, bits }: Subfield): Subfield[] {
  const runs: Subfield[] = [];
  for (let offset = 0; offset < bits; offset += 1) {
    let end = offset;
    while (end < bits && end - offset < LOAD_BITS && (mask >> BigInt(end)) & 1n) end += 1;
    if (end === offset) continue;
    runs.push({ field, offset, bits: end - offset });
    offset = end - 1;
  }
  return runs;
}
