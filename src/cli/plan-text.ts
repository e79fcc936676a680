import { isList, type Json } from "../core/json.ts";
import type { StrayKey } from "../core/ownership.ts";
import type { Action, Note, Step } from "../core/plugin.ts";
import { keyName, sameValue } from "../core/resource.ts";
import { isSealed, isUnreadable } from "../core/secret.ts";
import type { Style } from "./output.ts";
import { counted, padEnd, printable, wrap } from "./printable.ts";

/** A plan, or a rollback's, as people and programs see it. */
export interface PlanView {
  readonly steps: readonly Step[];
  readonly notes: readonly Note[];
  /** By plugin: owned, no longer declared. */
  readonly strays: Readonly<Record<string, readonly StrayKey[]>>;
  readonly prune: boolean;
  /** Why a step of this kind cannot be taken back. */
  oneWayReason(plugin: string, kind: string): string;
}

interface Line {
  readonly plugin: string;
  readonly action: Action;
  readonly oneWay: string | undefined;
  readonly pruned: boolean;
}

export const NOTHING_TO_DO = "Nothing to do: the host is as declared";

/** Grouped by plugin and resource, what is and what will be, and a summary in one line. */
export function planText(view: PlanView, style: Style): string {
  const lines = linesOf(view);
  const plugins = [...new Set([...lines.map(({ plugin }) => plugin), ...Object.keys(view.strays)])];
  const blocks = plugins.flatMap((plugin) => {
    const own = lines.filter((line) => line.plugin === plugin);
    const resources = Map.groupBy(own, ({ action }) => action.resource);
    const changes = [...resources].flatMap(([resource, group]) => resourceLines(resource, group, style));
    const strays = view.prune ? [] : strayLines(view.strays[plugin] ?? [], style);
    if (changes.length + strays.length === 0) return [];
    return [[style.paint("bold", printable(plugin)), ...changes, ...strays].join("\n")];
  });
  const summary = view.steps.length === 0 ? NOTHING_TO_DO : wrap(`Plan: ${summaryOf(view.steps)}`, style.width).join("\n");
  const notes = view.notes.map(({ message }) => wrap(`Note: ${printable(message)}`, style.width).join("\n"));
  return [...blocks, ...notes, summary].join("\n\n");
}

/** "3 to start, 2 to enable, 1 property; 1 cannot be taken back". */
export function summaryOf(steps: readonly Step[]): string {
  const actions = steps.flatMap((step) => step.actions);
  const verbs = Map.groupBy(actions, ({ verb, path }) => (path?.[0] === "properties" ? "properties" : verb));
  const counts = [...verbs].map(([verb, of]) => (verb === "properties" ? counted(of.length, "property", "properties") : `${of.length} to ${printable(verb)}`));
  const oneWay = steps.flatMap((step) => (step.oneWay === undefined ? [] : step.actions)).length;
  const held = actions.filter((action) => action.protected !== undefined).length;
  return [
    counts.join(", "),
    ...(oneWay > 0 ? [`${oneWay} cannot be taken back`] : []),
    ...(held > 0 ? [`${held} ${held === 1 ? "needs" : "need"} --force`] : []),
  ].join("; ");
}

/** One object an action, in the order in which they will be taken. */
export function actionsJson(view: PlanView): Json[] {
  return linesOf(view).map(({ plugin, action, oneWay, pruned }) => ({
    plugin,
    resource: action.resource,
    verb: action.verb,
    ...(action.path === undefined ? {} : { key: keyName(action.path), from: action.from ?? null, to: action.to ?? null }),
    risk: action.risk,
    ...(action.note === undefined ? {} : { note: action.note }),
    ...(action.impliedBy === undefined ? {} : { implied_by: action.impliedBy }),
    ...(action.protected === undefined ? {} : { protected: action.protected }),
    ...(oneWay === undefined ? {} : { one_way: oneWay }),
    ...(pruned ? { no_longer_declared: true } : {}),
  }));
}

export function straysJson({ strays }: Pick<PlanView, "strays">): Json[] {
  return Object.entries(strays).flatMap(([plugin, keys]) =>
    keys.map(({ resource, key }) => ({ plugin, resource, key: keyName(key.path), value: key.value, original: key.original })),
  );
}

/** A value in a plan: a plain word as it is, a secret by the first digits of its commitment, anything that could be misread as JSON. */
export function spoken(value: Json | undefined): string {
  if (value === undefined || value === null) return "unset";
  if (isSealed(value)) return isUnreadable(value) ? "a secret that is not told" : `secret ${value.secret.slice(0, 8)}`;
  if (typeof value === "string" && PLAIN.test(value) && !MISREAD.test(value)) return value;
  return printable(JSON.stringify(value));
}

const PLAIN = /^[A-Za-z0-9][A-Za-z0-9%:._/@+-]*$/;
const MISREAD = /^(true|false|null|unset|[0-9.]+)$/;
const VERB_WIDTH = 9;
const [RESOURCE_INDENT, ACTION_INDENT] = ["  ", "    "];
const MOST_STRAYS = 10;
const NOTE_INDENT = `${ACTION_INDENT}${" ".repeat(VERB_WIDTH)}`;

function linesOf({ steps, strays, prune, oneWayReason }: PlanView): Line[] {
  return steps.flatMap(({ plugin, actions, oneWay }) =>
    actions.map((action) => ({
      plugin,
      action,
      oneWay: oneWay === undefined ? undefined : oneWayReason(plugin, oneWay),
      pruned: prune && (strays[plugin] ?? []).some(({ resource, key }) => resource === action.resource && sameValue([...key.path], [...(action.path ?? [])])),
    })),
  );
}

function resourceLines(resource: string, lines: readonly Line[], style: Style): string[] {
  return [`${RESOURCE_INDENT}${printable(resource)}`, ...lines.flatMap((line) => actionLines(line, style))];
}

function actionLines(line: Line, style: Style): string[] {
  const { action } = line;
  const start = `${ACTION_INDENT}${padEnd(printable(action.verb), VERB_WIDTH - 1)} `;
  return [...changeLines(action, start, style), ...remarks(line).flatMap(([tone, text]) => wrap(text, style.width, NOTE_INDENT).map((part) => style.paint(tone, part)))];
}

/** One line, or one for each side where the values are too long to stand side by side. */
function changeLines({ path, from, to }: Action, start: string, { width, paint }: Style): string[] {
  if (path === undefined) return [start.trimEnd()];
  const [key, before, after] = [printable(keyName(path)), spoken(from), spoken(to)];
  if (before === after) return [`${start}${key}`];
  const line = `${start}${key}: ${before} -> ${after}`;
  if (Bun.stringWidth(line) <= width) return [`${start}${key}: ${paint("red", before)} -> ${paint("green", after)}`];
  const [gone, come] = sides(from ?? null, to ?? null);
  return [`${start}${key}:`, ...gone.map((text) => paint("red", `${NOTE_INDENT}- ${text}`)), ...come.map((text) => paint("green", `${NOTE_INDENT}+ ${text}`))];
}

/** Of two lists, the elements that only one of them has; of anything else, and of lists in another order, the whole. */
function sides(from: Json, to: Json): [string[], string[]] {
  const whole: [string[], string[]] = [[spoken(from)], [spoken(to)]];
  if (!isList(from) || !isList(to)) return whole;
  const [before, after] = [from.map(elementText), to.map(elementText)];
  const [gone, come] = [before.filter(notIn(after)), after.filter(notIn(before))];
  return gone.length + come.length === 0 ? whole : [gone, come];
}

function elementText(element: Json): string {
  return typeof element === "string" ? printable(element) : spoken(element);
}

function notIn(texts: readonly string[]): (text: string) => boolean {
  const known = new Set(texts);
  return (text) => !known.has(text);
}

function remarks({ action, oneWay, pruned }: Line): (readonly ["red" | "yellow" | "dim", string])[] {
  return [
    ...(action.risk === "low" ? [] : [[action.risk === "high" ? "red" : "yellow", `risk: ${action.risk}`] as const]),
    ...(action.protected === undefined ? [] : [["red", `protected: ${printable(action.protected)}; needs --force`] as const]),
    ...(oneWay === undefined ? [] : [["red", `cannot be taken back: ${printable(oneWay)}`] as const]),
    ...(action.impliedBy === undefined || action.impliedBy === action.resource ? [] : [["dim", `because of ${printable(action.impliedBy)}`] as const]),
    ...(pruned ? [["dim", "no longer declared"] as const] : []),
    ...(action.note === undefined ? [] : [["dim", printable(action.note)] as const]),
  ];
}

/** A line a resource: on a host with many of them the changes must stay in view. */
function strayLines(strays: readonly StrayKey[], { width, paint }: Style): string[] {
  if (strays.length === 0) return [];
  const resources = [...Map.groupBy(strays, ({ resource }) => resource)];
  const lines = resources.slice(0, MOST_STRAYS).flatMap(([resource, keys]) => {
    const values = keys.map(({ key }) => `${printable(keyName(key.path))}: ${spoken(key.value)}`);
    const originals = keys.map(({ key }) => spoken(key.original));
    const them = keys.length === 1 ? "it" : "them";
    return wrap(`${printable(resource)} ${values.join(", ")} (--prune returns ${them} to ${originals.join(", ")})`, width, ACTION_INDENT, `${ACTION_INDENT}  `);
  });
  const more = resources.length - MOST_STRAYS;
  return [
    `${RESOURCE_INDENT}${paint("bold", "owned, no longer declared")}`,
    ...lines,
    ...(more > 0 ? [`${ACTION_INDENT}and ${counted(more, "more resource")} (--json lists all)`] : []),
  ];
}
