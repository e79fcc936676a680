import type { Json } from "../../core/json.ts";
import { FLOW_FLAGS } from "../../protocols/openflow/flow.ts";
import { partsOf } from "../../protocols/openflow/parts.ts";
import { textOf, wordsOf, type PrintedWord } from "../../protocols/openflow/words.ts";

/** A flow as a document has it: FORMATS.md, openflow. */
export interface FlowEntry {
  readonly table?: number | null | undefined;
  readonly priority?: number | null | undefined;
  readonly match?: Readonly<Record<string, string | number | boolean | null>> | null | undefined;
  readonly actions?: readonly string[] | null | undefined;
  readonly cookie?: string | number | null | undefined;
  readonly idle_timeout?: number | null | undefined;
  readonly hard_timeout?: number | null | undefined;
  readonly importance?: number | null | undefined;
  readonly flags?: readonly string[] | null | undefined;
  readonly state?: "present" | "absent" | undefined;
}

/** ovs-ofctl's, for a flow that says none. */
export const DEFAULT_PRIORITY = 0x8000;

/** The flow that `default_action: normal` stands for. */
export const NORMAL_FLOW = "priority=0 actions=NORMAL";

const SETTINGS = ["cookie", "table", "idle_timeout", "hard_timeout", "importance", "priority"] as const;
const SETTING_KEYS: ReadonlySet<string> = new Set([...SETTINGS, ...Object.keys(FLOW_FLAGS)]);
const DEFAULTS: Readonly<Record<string, string>> = { table: "0", priority: String(DEFAULT_PRIORITY) };

/** In one line, in ovs-ofctl's words as far as the user's are: what `parseFlow` reads. */
export function flowText(entry: FlowEntry): string {
  const settings = SETTINGS.flatMap((key): PrintedWord[] => {
    const value = entry[key];
    return value === undefined || value === null || String(value) === (DEFAULTS[key] ?? "0") ? [] : [{ key, value: String(value) }];
  });
  const flags = (entry.flags ?? []).map((key) => ({ key }));
  const head = textOf([...settings, ...flags, ...matchWords(entry)]);
  const actions = entry.actions ?? [];
  return `${head === "" ? "" : `${head} `}actions=${actions.length === 0 ? "drop" : actions.join(",")}`;
}

/** The parts of the match as people wrote them. */
export function matchWords({ match }: FlowEntry): PrintedWord[] {
  return Object.entries(match ?? {}).flatMap(([key, value]) => (value === null ? [] : [value === true ? { key } : { key, value: String(value) }]));
}

/** The entry that a printed flow would be in a document. */
export function flowEntry(text: string): Record<string, Json> {
  const { settings, matched, tail } = headOf(text);
  const number = (key: string) => Number(settings.get(key) ?? DEFAULTS[key] ?? 0);
  const cookie = BigInt(settings.get("cookie") ?? 0);
  const flags = Object.keys(FLOW_FLAGS).filter((flag) => settings.has(flag));
  return {
    table: number("table"),
    priority: number("priority"),
    match: Object.fromEntries(matched.map(({ key, value }) => [key, value === undefined ? true : plainNumber(value)])),
    actions: partsOf(tail).map((part) => part.text),
    ...(cookie === 0n ? {} : { cookie: cookie <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(cookie) : String(cookie) }),
    ...Object.fromEntries(["idle_timeout", "hard_timeout", "importance"].flatMap((key) => (number(key) === 0 ? [] : [[key, number(key)]]))),
    ...(flags.length === 0 ? {} : { flags }),
  };
}

/** Table, priority and match: two printed flows with the same are the same flow of a bridge, with whatever actions. */
export function identityOf(text: string): string {
  return identityFrom(identityIn(text));
}

export interface Identity {
  readonly table: number;
  readonly priority: number;
  /** As it is printed. */
  readonly matched: readonly PrintedWord[];
}

export function identityFrom({ table, priority, matched }: Identity): string {
  return textOf([{ key: "table", value: String(table) }, { key: "priority", value: String(priority) }, ...matched]);
}

/** As tables are looked through: by table, and the highest priority first. */
export function inOrder(texts: readonly string[]): string[] {
  const keyed = texts.map((text) => {
    const { table, priority, matched } = identityIn(text);
    return { text, table, priority, matched: textOf(matched) };
  });
  const sorted = keyed.sort((a, b) => a.table - b.table || b.priority - a.priority || (a.matched < b.matched ? -1 : 1));
  return sorted.map(({ text }) => text);
}

function identityIn(text: string): Identity {
  const { settings, matched } = headOf(text);
  return { table: Number(settings.get("table") ?? 0), priority: Number(settings.get("priority") ?? DEFAULT_PRIORITY), matched };
}

interface Head {
  readonly settings: ReadonlyMap<string, string>;
  readonly matched: readonly PrintedWord[];
  /** The actions, as they stand there. */
  readonly tail: string;
}

function headOf(text: string): Head {
  const start = /(^|[\s,])actions=/.exec(text);
  const [head, tail] = start === null ? [text, ""] : [text.slice(0, start.index), text.slice(start.index + start[0].length)];
  const settings = new Map<string, string>();
  const matched: PrintedWord[] = [];
  for (const { key, value } of wordsOf(head)) {
    if (SETTING_KEYS.has(key)) settings.set(key, value ?? "");
    else matched.push(value === undefined ? { key } : { key, value });
  }
  return { settings, matched, tail };
}

function plainNumber(value: string): string | number {
  return /^(0|[1-9]\d{0,14})$/.test(value) ? Number(value) : value;
}
