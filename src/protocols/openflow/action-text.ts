import { nearest } from "../../core/suggestion.ts";
import type { ActionContext, Argument } from "./action-context.ts";
import { ACTION_WORDS } from "./action-words.ts";
import type { Action } from "./action.ts";
import type { Instruction } from "./instruction.ts";
import type { Match } from "./match.ts";
import { draftOf } from "./match-text.ts";
import { output } from "./output-words.ts";
import { partsOf } from "./parts.ts";
import { portOf, type PortNames } from "./port-names.ts";
import { hasVlan } from "./prerequisites.ts";
import { SpellingError } from "./spelling-error.ts";
import { numberIn, wideNumberIn } from "./text-numbers.ts";

/*
 * Actions as ovs-ofctl(8) and ovs-actions(7) spell them. What OpenFlow 1.4 has no action for is written as what Open vSwitch sends in its
 * place: `mod_dl_src` is a set_field, `mod_vlan_vid` one after a push_vlan. Pure.
 */

/** In the order in which OpenFlow takes them (OpenFlow 1.4, 5.9 "Instructions"). */
const ORDER = ["meter", "apply_actions", "clear_actions", "write_actions", "write_metadata", "goto_table"] as const;
const ALL_METADATA = 0xffff_ffff_ffff_ffffn;
const INSTRUCTION_WORDS = ["meter", "clear_actions", "write_actions", "write_metadata", "goto_table", "raw_instruction", "drop"];
const DEPTH_LIMIT = 3;

/** What the texts, one action each, do together to what `match` lets through. Throws SpellingError, which says which text and where. */
export function parseInstructions(texts: readonly string[], { names, match }: { readonly names: PortNames; readonly match: Match }): Instruction[] {
  const draft = draftOf(match);
  const context: ActionContext = { names, match: draft, hasVlan: hasVlan(draft), typeKnown: true };
  const [applied, others]: [Action[], Instruction[]] = [[], []];
  let last = 0;
  for (const [item, text] of texts.entries()) {
    try {
      const found = parseOne(text, context, texts.length);
      const step = "instruction" in found ? (found.instruction === "raw" ? last : ORDER.indexOf(found.instruction)) : ORDER.indexOf("apply_actions");
      if (step < last) throw new SpellingError(`'${text}' stands too late: the order is meter, actions, clear_actions, write_actions, write_metadata, goto_table`, 0);
      const again = "instruction" in found && found.instruction !== "raw" && others.some(({ instruction }) => instruction === found.instruction);
      if (again) throw new SpellingError(`'${text}' is a second ${found.instruction}`, 0);
      last = step;
      if ("instruction" in found) others.push(found);
      else applied.push(...found.actions);
    } catch (error) {
      throw error instanceof SpellingError ? new SpellingError(error.message, error.at, item) : error;
    }
  }
  const meters = others.filter(({ instruction }) => instruction === "meter");
  const apply: Instruction[] = applied.length === 0 ? [] : [{ instruction: "apply_actions", actions: applied }];
  return [...meters, ...apply, ...others.filter(({ instruction }) => instruction !== "meter")];
}

type Found = Instruction | { readonly actions: readonly Action[] };

function parseOne(text: string, context: ActionContext, count: number): Found {
  const [part, more] = partsOf(text);
  if (part === undefined) throw new SpellingError("An action is empty", 0);
  if (more !== undefined) throw new SpellingError(`'${text}' is more than one action: write '${part.text}' and '${more.text}' each on its own`, more.at);
  const { word, argument } = argumentOf(part.text, part.at);
  switch (word) {
    case "drop":
      if (argument.form !== "none" || count > 1) throw new SpellingError("'drop' stands alone", part.at);
      return { actions: [] };
    case "meter":
      return { instruction: "meter", meter: numberIn(argument, { what: "A meter", most: 0xffff_0000 }) };
    case "goto_table":
      return { instruction: "goto_table", table: numberIn(argument, { what: "A table", most: 254 }) };
    case "clear_actions":
      if (argument.form !== "none") throw new SpellingError("'clear_actions' takes no argument", argument.at);
      return { instruction: "clear_actions" };
    case "write_actions":
      return { instruction: "write_actions", actions: listOf(argument, context, 1) };
    case "write_metadata":
      return metadata(argument);
    case "raw_instruction":
      return { instruction: "raw", bytes: rawBytes(argument, 8) };
    default:
      return { actions: actionsOf(part.text, part.at, context, 0) };
  }
}

/** One action of an action list; some are written as several. */
function actionsOf(text: string, at: number, context: ActionContext, depth: number): readonly Action[] {
  const { word, argument } = argumentOf(text, at);
  if (word === "raw") {
    context.typeKnown = false;
    return [{ action: "raw", bytes: rawBytes(argument, 8) }];
  }
  const known = word.toUpperCase() === "CONTROLLER" ? "controller" : word;
  const parse = Object.hasOwn(ACTION_WORDS, known) ? ACTION_WORDS[known] : undefined;
  if (parse !== undefined) return parse(argument, context, (inner) => listOf(inner, context, depth + 1));
  const port = portOf(text, context.names);
  if (port !== undefined) return [output(port)];
  if (INSTRUCTION_WORDS.includes(word)) throw new SpellingError(`'${word}' cannot stand within another action`, at);
  const meant = nearest(word, [...Object.keys(ACTION_WORDS), ...INSTRUCTION_WORDS]);
  throw new SpellingError(`'${word}' is not an action or a port${meant === undefined ? "" : ` (did you mean '${meant}'?)`}`, at);
}

function listOf(argument: Argument, context: ActionContext, depth: number): readonly Action[] {
  if (depth > DEPTH_LIMIT) throw new SpellingError("Actions are nested too deep", argument.at);
  return partsOf(argument.text, argument.at).flatMap(({ text, at }) => (text === "drop" ? [] : actionsOf(text, at, context, depth)));
}

/** `word`, `word:argument`, `word=argument` or `word(argument)`. */
function argumentOf(text: string, at: number): { readonly word: string; readonly argument: Argument } {
  const [, word = text, rest = ""] = /^([A-Za-z_]\w*)((?:[:=(].*)?)$/s.exec(text) ?? [];
  const inside = at + word.length + 1;
  if (rest === "") return { word, argument: { word, text: "", at, form: "none" } };
  if (!rest.startsWith("(")) return { word, argument: { word, text: rest.slice(1), at: inside, form: "colon" } };
  if (!rest.endsWith(")")) throw new SpellingError(`'${text}' has no ')' at its end`, at + text.length);
  return { word, argument: { word, text: rest.slice(1, -1), at: inside, form: "parentheses" } };
}

function metadata(argument: Argument): Instruction {
  const [first = "", second, ...more] = argument.text.split("/");
  if (more.length > 0) throw new SpellingError(`'${argument.text}' has more than one mask`, argument.at);
  const value = wideNumberIn({ ...argument, text: first }, { what: "Metadata", bits: 64 });
  const mask = second === undefined ? ALL_METADATA : wideNumberIn({ ...argument, text: second, at: argument.at + first.length + 1 }, { what: "A mask", bits: 64 });
  return { instruction: "write_metadata", value: value & mask, mask };
}

/** What this program does not know, as it came from the bridge: a structure with its own type and length. */
function rawBytes({ text, at }: Argument, unit: number): Buffer {
  const bytes = Buffer.from(text, "hex");
  const whole = bytes.length >= unit && bytes.length % unit === 0 && bytes.toString("hex") === text.toLowerCase() && bytes.readUInt16BE(2) === bytes.length;
  if (!whole) throw new SpellingError(`'${text}' is not the bytes of one action or instruction`, at);
  return bytes;
}
