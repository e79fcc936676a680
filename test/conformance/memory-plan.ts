import type { Json } from "../../src/core/json.ts";
import { ownedMembers } from "../../src/core/ownership.ts";
import type { Action, PluginPlan, Problem, Reading, Step } from "../../src/core/plugin.ts";
import { leavesOf, sameValue, valueAt, type KeyPath, type Resource, type Resources, type OwnedResource, type OwnedResources } from "../../src/core/resource.ts";
import { DEFAULTS, POLICIES, type DeclaredItem } from "./memory-schema.ts";

export type Call =
  | { readonly do: "create" | "take down" | "bring up" | "burn" | "remove"; readonly names: readonly string[] }
  | { readonly do: "set"; readonly items: Readonly<Record<string, readonly { path: KeyPath; to: Json }[]>>; readonly restart: readonly string[] };

type Kind = Call["do"] | "restart" | "take down again";
interface Work {
  readonly kind: Kind;
  readonly action: Action;
}

/** The difference between declared and actual items, as at most seven steps. */
export function planItems(plugin: string, desired: Resources, actual: Reading, owned: OwnedResources): PluginPlan {
  const problems: Problem[] = [];
  const work = Object.entries(desired).flatMap(([name, want]) => workOf(name, want as DeclaredItem, actual, { owned: owned[name], problems }));
  const implied = impliedWork(work, desired, actual);
  work.push(...implied, ...downAgain(implied, desired));
  return problems.length > 0 ? { steps: [], problems } : { steps: stepsOf(plugin, work, desired), problems };
}

function workOf(
  name: string,
  want: DeclaredItem,
  actual: Reading,
  { owned, problems }: { owned: OwnedResource | undefined; problems: Problem[] },
): Work[] {
  const { state = { state: "absent" }, facts } = actual.resources[name] ?? {};
  const present = state.state === "present";
  const now: Resource = present ? state : DEFAULTS;
  const action = (verb: string, path: KeyPath, [from, to]: [Json, Json]): Action => ({ resource: name, verb, path, from, to, risk: "low" });
  if (want.state === "absent") return present ? removal(now, action) : [];
  const refuse = (key: string, message: string) => problems.push({ resource: name, path: [key], message, hint: "Declare it otherwise" });
  const work: Work[] = present ? [] : [{ kind: "create", action: action("create", ["state"], ["absent", "present"]) }];
  for (const { path, value } of leavesOf(want as Resource)) {
    const [key = ""] = path;
    if (key === "state" || (POLICIES as readonly string[]).includes(key)) continue;
    const from = valueAt(now, path) ?? null;
    const to = goalOf(path, value, from, owned);
    if (sameValue(from, to)) continue;
    const change: [Json, Json] = [present ? from : null, value === null && key !== "members" && key !== "up" ? null : to];
    if (key === "up") work.push(to === true ? { kind: "bring up", action: action("bring up", path, change) } : { kind: "take down", action: guarded(action("take down", path, change)) });
    else if (key === "fuse" && to === "intact") refuse("fuse", `The fuse of '${name}' is burnt`);
    else if (key === "fuse") work.push({ kind: "burn", action: action("burn", path, change) });
    else work.push({ kind: "set", action: action("set", path, change) });
    if (key === "value" && valueAt(facts, ["frozen"]) === true) refuse("value", `'${name}' is frozen`);
    if (key !== "level" || now.up !== true || want.up === false) continue;
    if (want.restart === "never") refuse("level", `The level of '${name}' changes only with a restart`);
    else work.push({ kind: "restart", action: { resource: name, verb: "restart", risk: "medium" } });
  }
  return work;
}

/** All that is not as in a new one goes with an item. */
function removal(now: Resource, action: (verb: string, path: KeyPath, change: [Json, Json]) => Action): Work[] {
  const keys = leavesOf(now).filter(({ path, value }) => path[0] !== "state" && !sameValue(value, valueAt(DEFAULTS, path)));
  const lost = keys.map(({ path, value }) => action("remove", path, [value, null]));
  return [guarded(action("remove", ["state"], ["present", "absent"])), ...lost].map((each) => ({ kind: "remove", action: each }));
}

function guarded(action: Action): Action {
  return action.resource === "lifeline" ? { ...action, protected: "it holds the operator" } : action;
}

function goalOf(path: KeyPath, value: Json, from: Json, owned: OwnedResource | undefined): Json {
  const goal = value ?? valueAt(DEFAULTS, path) ?? null;
  if (path[0] !== "members") return goal;
  const ours = owned?.keys.find((key) => sameValue([...key.path], [...path]));
  const put = ours === undefined ? [] : ownedMembers(ours);
  const foreign = (from as string[]).filter((member) => !put.includes(member));
  return [...new Set([...foreign, ...(goal as string[])])].sort();
}

/** What comes up along with the items that do. */
function impliedWork(work: readonly Work[], desired: Resources, actual: Reading): Work[] {
  const rising = work.flatMap(({ kind, action }) => (kind === "bring up" ? [action.resource] : []));
  const implied = new Map<string, Work>();
  for (let name = rising.shift(); name !== undefined; name = rising.shift()) {
    const declared = desired[name]?.pulls;
    const pulled = declared === undefined ? valueAt(actual.resources[name]?.state, ["pulls"]) : declared;
    if (typeof pulled !== "string" || pulled === name || implied.has(pulled)) continue;
    const [want, state] = [desired[pulled], actual.resources[pulled]?.state];
    const there = want === undefined ? state?.state === "present" : want.state !== "absent";
    const staysUp = state?.up === true && !isDown(want);
    if (!there || staysUp || want?.up === true) continue;
    const action: Action = { resource: pulled, verb: "bring up", path: ["up"], from: false, to: true, risk: "low", impliedBy: name };
    implied.set(pulled, { kind: "bring up", action });
    rising.push(pulled);
  }
  return [...implied.values()];
}

/** What is to be down and comes up along with another has to go down once more. */
function downAgain(implied: readonly Work[], desired: Resources): Work[] {
  return implied.flatMap(({ action }): Work[] => {
    if (!isDown(desired[action.resource])) return [];
    const { impliedBy: _, ...own } = action;
    return [{ kind: "take down again", action: guarded({ ...own, verb: "take down", from: true, to: false }) }];
  });
}

function isDown(want: Resource | undefined): boolean {
  return want !== undefined && (want.up === false || want.up === null);
}

function stepsOf(plugin: string, work: readonly Work[], desired: Resources): Step[] {
  const actions = (...kinds: Kind[]) => work.flatMap(({ kind, action }) => (kinds.includes(kind) ? [action] : []));
  const named = (kind: Kind) => [...new Set(actions(kind).filter(({ impliedBy }) => impliedBy === undefined).map(({ resource }) => resource))];
  const step = (name: Exclude<Call["do"], "set">): Step => ({ plugin, name, actions: actions(name), call: { do: name, names: named(name) } });
  const events = (kind: Kind, event: string) => actions(kind).map(({ resource }) => `${plugin}:${resource} ${event}`);
  const items: Record<string, { path: string[]; to: Json }[]> = {};
  for (const { resource, path = [], to = null } of actions("set")) (items[resource] ??= []).push({ path: [...path], to: to ?? valueAt(DEFAULTS, path) ?? null });
  const awaited = named("bring up").flatMap((name) => (desired[name] as DeclaredItem | undefined)?.needs ?? []);
  const steps: Step[] = [
    step("create"),
    { ...step("take down"), provides: events("take down", "down") },
    step("remove"),
    { plugin, name: "set", actions: actions("set", "restart"), call: { do: "set", items, restart: named("restart") } },
    { ...step("bring up"), provides: events("bring up", "up"), ...(awaited.length > 0 ? { after: awaited } : {}) },
    { plugin, name: "take down again", actions: actions("take down again"), call: { do: "take down", names: named("take down again") } },
    { ...step("burn"), oneWay: "burn" },
  ];
  return steps.filter((each) => each.actions.length > 0);
}
