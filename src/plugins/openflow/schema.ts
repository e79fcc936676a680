import * as v from "valibot";
import { parseInstructions } from "../../protocols/openflow/action-text.ts";
import { FLOW_FLAGS } from "../../protocols/openflow/flow.ts";
import { parseMatch, printMatch } from "../../protocols/openflow/match-text.ts";
import { SpellingError } from "../../protocols/openflow/spelling-error.ts";
import { textOf, wordsOf } from "../../protocols/openflow/words.ts";
import { DEFAULT_PRIORITY, flowText, identityFrom, matchWords, NORMAL_FLOW, type FlowEntry } from "./flow-entry.ts";
import { anyNames, printedOrNot } from "./names.ts";

const count = (what: string, most: number) => {
  const message = `${what} is a whole number up to ${most}`;
  return v.pipe(v.number(), v.integer(message), v.minValue(0, message), v.maxValue(most, message));
};

/** 64 bits: beyond what JSON's numbers hold exactly, a string. */
const cookieSchema = v.pipe(v.union([v.string(), v.number()]), v.check(isCookie, "A cookie is a number of 64 bits, beyond 2^53 as a string"));

const flowSchema = v.strictObject({
  table: v.nullish(count("A table", 254)),
  priority: v.nullish(count("A priority", 0xffff)),
  match: v.nullish(v.record(v.string(), v.nullable(v.union([v.string(), v.number(), v.boolean()])))),
  actions: v.nullish(v.array(v.string())),
  cookie: v.nullish(cookieSchema),
  idle_timeout: v.nullish(count("A time-out in seconds", 0xffff)),
  hard_timeout: v.nullish(count("A time-out in seconds", 0xffff)),
  importance: v.nullish(count("The importance", 0xffff)),
  flags: v.nullish(v.array(v.picklist(Object.keys(FLOW_FLAGS).filter((flag) => !["check_overlap", "reset_counts"].includes(flag))))),
  state: v.optional(v.picklist(["present", "absent"])),
});

const flowsSchema = v.nullish(v.pipe(v.array(flowSchema), v.rawCheck(({ dataset, addIssue }) => {
  if (!dataset.typed) return;
  for (const { keys, message } of flowProblems(dataset.value)) addIssue({ message, ...pathTo(dataset.value, keys) });
})));

const bridgeKeys = {
  default_action: v.nullish(v.picklist(["drop", "normal"])),
  exclusive: v.nullish(v.boolean()),
  fail_mode: v.nullish(v.picklist(["secure", "standalone"])),
  flows: flowsSchema,
  observed: v.optional(v.unknown()),
};

const nameSchema = v.pipe(v.string(), v.regex(/^[^/\s]{1,15}$/, "The name of a bridge has up to 15 characters, and no '/' or space"));

const bridgeSchema = v.pipe(v.strictObject({ name: nameSchema, ...bridgeKeys }), checked());

/** The openflow section of a state document: FORMATS.md, openflow. What a bridge's ports alone can tell is left to the plan. */
export const openflowSchema = v.pipe(
  v.strictObject({ bridge: v.optional(nameSchema), ...bridgeKeys, bridges: v.optional(v.array(bridgeSchema)) }),
  checked(),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { bridge, bridges = [], default_action, exclusive, fail_mode, flows } = dataset.value;
    const spoken = [default_action, exclusive, fail_mode, flows].some((value) => value !== undefined);
    if (bridge === undefined && spoken) addIssue({ message: "'bridge' says which bridge 'flows' and the like are of" });
    const names = [...(bridge === undefined ? [] : [bridge]), ...bridges.map(({ name }) => name)];
    const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
    if (twice >= 0) addIssue({ message: `Bridge '${names[twice]}' is there twice` });
  }),
);

function isCookie(value: string | number): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0;
  return /^(\d{1,20}|0x[\da-f]{1,16})$/i.test(value) && BigInt(value) < 1n << 64n;
}

interface Declared {
  readonly default_action?: string | null | undefined;
  readonly exclusive?: boolean | null | undefined;
  readonly fail_mode?: string | null | undefined;
  readonly flows?: readonly FlowEntry[] | null | undefined;
}

/** What the keys of one bridge say against each other. */
function checked<Entry extends Declared>() {
  return v.rawCheck<Entry>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { default_action, exclusive, fail_mode, flows } = dataset.value;
    if (default_action === "drop" && fail_mode !== undefined && fail_mode !== "secure") addIssue({ message: "'default_action' drop means that 'fail_mode' is secure" });
    if (default_action === "drop" && exclusive === false) addIssue({ message: "'default_action' drop means that only the flows listed are there: 'exclusive' is not false" });
    const floor = (flows ?? []).find(isFloor);
    if (floor === undefined || default_action == null) return;
    if (default_action === "normal") addIssue({ message: "'default_action' normal is itself the flow of priority 0 that matches everything: leave out one of the two" });
    else if (printedOrNot(flowText(floor), anyNames()) === NORMAL_FLOW) addIssue({ message: "'default_action' is drop, and a flow of priority 0 lets everything through" });
  });
}

/** The flow that `default_action` is about. */
function isFloor(flow: FlowEntry): boolean {
  return flow.state !== "absent" && (flow.table ?? 0) === 0 && flow.priority === 0 && matchWords(flow).length === 0;
}

interface FlowProblem {
  readonly keys: readonly (string | number)[];
  readonly message: string;
}

function flowProblems(flows: readonly FlowEntry[]): FlowProblem[] {
  const seen = new Map<string, number>();
  return flows.flatMap((flow, index) => {
    const { problems, identity } = examined(flow);
    if (identity === undefined) return problems.map(({ keys, message }) => ({ keys: [index, ...keys], message }));
    const before = seen.get(identity);
    if (before !== undefined) return [{ keys: [index], message: `It has the table, priority and match of flow ${before}: ${identity}` }];
    seen.set(identity, index);
    return [];
  });
}

interface Examined {
  readonly problems: readonly FlowProblem[];
  /** Of a flow without any. */
  readonly identity?: string;
}

/** What is wrong with a flow by itself; every name is taken for a port's. */
function examined(flow: FlowEntry): Examined {
  const wrong = (...keys: string[]) => (message: string): Examined => ({ problems: [{ keys, message }] });
  const off = Object.entries(flow.match ?? {}).find(([, value]) => value === false);
  if (off !== undefined) return wrong("match", off[0])("false says nothing here: leave it out");
  const odd = matchWords(flow).find(({ key, value = "" }) => /[\s,]/.test(key + value));
  if (odd !== undefined) return wrong("match", odd.key)(`${JSON.stringify(odd.value ?? odd.key)} has a comma or a space in it`);
  const words = wordsOf(textOf(matchWords(flow)));
  const names = anyNames();
  try {
    const match = parseMatch(words, names);
    if (flow.state === "absent" && flow.actions != null) return wrong("actions")("A flow that is to be absent has no actions");
    if (flow.state !== "absent" && flow.actions == null) return wrong()("Missing 'actions'; for none, [\"drop\"]");
    const problems = actionProblems(() => parseInstructions(flow.actions ?? [], { names, match }));
    const { table, priority } = { table: flow.table ?? 0, priority: flow.priority ?? DEFAULT_PRIORITY };
    return problems.length > 0 ? { problems } : { problems, identity: identityFrom({ table, priority, matched: printMatch(match, names) }) };
  } catch (error) {
    if (!(error instanceof SpellingError)) throw error;
    const word = words.findLast(({ at }) => at <= error.at);
    return wrong("match", ...(word === undefined ? [] : [word.key]))(error.message);
  }
}

function actionProblems(parse: () => unknown): FlowProblem[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof SpellingError)) throw error;
    return [{ keys: ["actions", error.item], message: error.at === 0 ? error.message : `${error.message} (at character ${error.at + 1})` }];
  }
}

type IssuePath = [v.IssuePathItem, ...v.IssuePathItem[]];

/** As far as there is something at the keys. */
function pathTo(flows: unknown, keys: readonly (string | number)[]): { path?: IssuePath } {
  const path: v.IssuePathItem[] = [];
  let input: unknown = flows;
  for (const key of keys) {
    const value = (input as Readonly<Record<string, unknown>> | undefined)?.[key];
    if (value === undefined) break;
    path.push({ type: Array.isArray(input) ? "array" : "object", origin: "value", input, key, value } as v.IssuePathItem);
    input = value;
  }
  const [first, ...others] = path;
  return first === undefined ? {} : { path: [first, ...others] };
}
