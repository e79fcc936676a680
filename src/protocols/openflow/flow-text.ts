import { printInstructions } from "./action-print.ts";
import { parseInstructions } from "./action-text.ts";
import { FLOW_FLAGS, type Flow } from "./flow.ts";
import { parseMatch, printMatch } from "./match-text.ts";
import { partsOf } from "./parts.ts";
import type { PortNames } from "./port-names.ts";
import { SpellingError } from "./spelling-error.ts";
import { numberIn, wideNumberIn } from "./text-numbers.ts";
import { textOf, wordsOf, type MatchWord } from "./words.ts";

/*
 * Whole flows in one line, as `ovs-ofctl -O OpenFlow14 --no-stats dump-flows` prints and `add-flow` reads them. Pure.
 */

/** ovs-ofctl's, for a flow that says none. */
const DEFAULT_PRIORITY = 0x8000;
const NUMBERS: Readonly<Record<string, number>> = { table: 254, priority: 0xffff, idle_timeout: 0xffff, hard_timeout: 0xffff, importance: 0xffff };

/** Throws SpellingError. */
export function parseFlow(text: string, names: PortNames): Flow {
  const actions = /(^|[\s,])actions?=/.exec(text);
  if (actions === null) throw new SpellingError("A flow needs actions", text.length);
  const settings = new Map<string, MatchWord>();
  const matched: MatchWord[] = [];
  for (const word of wordsOf(text.slice(0, actions.index))) {
    if (Object.hasOwn(NUMBERS, word.key) || Object.hasOwn(FLOW_FLAGS, word.key) || word.key === "cookie") settings.set(word.key, word);
    else matched.push(word);
  }
  const number = (key: string, otherwise: number) => {
    const word = settings.get(key);
    return word === undefined ? otherwise : numberIn({ text: word.value ?? "", at: word.at + key.length + 1 }, { what: `'${key}'`, most: NUMBERS[key] ?? 0 });
  };
  const cookie = settings.get("cookie");
  const match = parseMatch(matched, names);
  const start = actions.index + actions[0].length;
  const parts = partsOf(text.slice(start), start);
  return {
    ...{ table: number("table", 0), priority: number("priority", DEFAULT_PRIORITY), match, instructions: instructionsOf(parts, { names, match }) },
    cookie: cookie === undefined ? 0n : wideNumberIn({ text: cookie.value ?? "", at: cookie.at + "cookie=".length }, { what: "'cookie'", bits: 64 }),
    ...{ idleTimeoutS: number("idle_timeout", 0), hardTimeoutS: number("hard_timeout", 0), importance: number("importance", 0) },
    flags: Object.entries(FLOW_FLAGS).reduce((flags, [word, bit]) => (settings.has(word) ? flags | bit : flags), 0),
  };
}

export function printFlow(flow: Flow, names: PortNames): string {
  const settings = [
    ...(flow.cookie === 0n ? [] : [`cookie=0x${flow.cookie.toString(16)}`]),
    ...(flow.table === 0 ? [] : [`table=${flow.table}`]),
    ...(flow.idleTimeoutS === 0 ? [] : [`idle_timeout=${flow.idleTimeoutS}`]),
    ...(flow.hardTimeoutS === 0 ? [] : [`hard_timeout=${flow.hardTimeoutS}`]),
  ].map((setting) => `${setting}, `);
  const flags = flagNames(flow.flags).map((flag) => `${flag} `);
  const importance = flow.importance === 0 ? "" : `importance=${flow.importance}, `;
  const words = [...(flow.priority === DEFAULT_PRIORITY ? [] : [{ key: "priority", value: String(flow.priority) }]), ...printMatch(flow.match, names)];
  const match = words.length === 0 ? "" : `${textOf(words)} `;
  return `${settings.join("")}${flags.join("")}${importance}${match}actions=${printInstructions(flow.instructions, names).join(",")}`;
}

/** The flags' names, in ovs-ofctl's order. */
export function flagNames(flags: number): string[] {
  return Object.entries(FLOW_FLAGS).flatMap(([name, bit]) => ((flags & bit) === 0 ? [] : [name]));
}

/** An error in one of the actions says where in the line it is. */
function instructionsOf(parts: ReturnType<typeof partsOf>, context: Parameters<typeof parseInstructions>[1]): Flow["instructions"] {
  try {
    return parseInstructions(parts.map(({ text }) => text), context);
  } catch (error) {
    throw error instanceof SpellingError ? new SpellingError(error.message, (parts[error.item]?.at ?? 0) + error.at) : error;
  }
}
