import type { Json } from "../../core/json.ts";
import type { Action, Step } from "../../core/plugin.ts";

/** One thing to be done to one unit, before it is gathered with others of its kind. */
export type Work =
  | { readonly kind: "mask" | "unmask" | "enable" | "disable" | "stop" | "end"; readonly unit: string; readonly action: Action }
  | { readonly kind: "start" | "run"; readonly unit: string; readonly type: string; readonly action: Action }
  | { readonly kind: "set"; readonly unit: string; readonly property: string; readonly value: Json; readonly action: Action }
  | { readonly kind: "unset"; readonly file: string; readonly action: Action }
  /** Done by systemd along with another. */
  | { readonly kind: "implied"; readonly action: Action; readonly within: Within }
  /** To be enabled again after another unit's being disabled took it along. */
  | { readonly kind: "keep"; readonly unit: string };

/** The work that another unit's change comes along with. */
export type Within = "start" | "run" | "stop" | "end" | "enable" | "disable";

/** What `apply` is given with each kind of step. */
export type Call =
  | { readonly do: "jobs"; readonly job: "start" | "stop"; readonly units: readonly string[]; readonly watch: readonly string[] }
  | {
      readonly do: "files";
      readonly unmask: readonly string[];
      readonly disable: readonly string[];
      readonly enable: readonly string[];
      readonly mask: readonly string[];
      readonly remove: readonly string[];
    }
  | { readonly do: "properties"; readonly units: Readonly<Record<string, Readonly<Record<string, Json>>>> };

/** The kinds of step that cannot be taken back. */
export const ONE_WAY = {
  "oneshot": "A oneshot runs when it is started; what it did is not undone by stopping it",
  "transient": "A transient unit is gone once it is stopped; nothing can start it again",
} as const;

/** Service types for which "active" says only that the process was started, not that it is ready or stays. */
const NOT_READY_MEANING = ["simple", "exec", "idle"];

/** Gathers the work into steps: what stops first, then unit files with one Reload, properties, what starts, and last what cannot be taken back. */
export function buildSteps(work: readonly Work[]): Step[] {
  const units = (...kinds: Work["kind"][]) => work.flatMap((item) => (kinds.includes(item.kind) && "unit" in item ? [item.unit] : []));
  const actions = (...kinds: Work["kind"][]) => work.flatMap((item) => (kinds.includes(item.kind) && "action" in item ? [item.action] : []));
  const jobs = (job: "start" | "stop", kind: Work["kind"], watch: readonly string[] = []): Call => ({ do: "jobs", job, units: units(kind), watch });
  const watch = work.flatMap((item) => (item.kind === "start" && NOT_READY_MEANING.includes(item.type) ? [item.unit] : []));
  const implied = impliedActions(work);
  const files: Call = {
    do: "files", unmask: units("unmask"), disable: units("disable"), enable: [...units("enable"), ...units("keep")], mask: units("mask"),
    remove: work.flatMap((item) => (item.kind === "unset" ? [item.file] : [])),
  };
  const fileActions = [...actions("unmask", "disable", "enable", "mask", "unset"), ...implied.enable, ...implied.disable];
  const steps: [name: string, actions: readonly Action[], call: Call, oneWay?: keyof typeof ONE_WAY][] = [
    ["stop units", [...actions("stop"), ...implied.stop], jobs("stop", "stop")],
    ["change unit files", fileActions, files],
    ["set properties", actions("set"), { do: "properties", units: propertiesByUnit(work) }],
    ["start units", [...actions("start"), ...implied.start], jobs("start", "start", watch)],
    ["run oneshots", [...actions("run"), ...implied.run], jobs("start", "run"), "oneshot"],
    ["end transient units", [...actions("end"), ...implied.end], jobs("stop", "end"), "transient"],
  ];
  return steps.filter(([, , call]) => !isEmpty(call)).map((each) => step(...each));
}

function step(name: string, actions: readonly Action[], call: Call, oneWay?: keyof typeof ONE_WAY): Step {
  const provides = actions.flatMap(({ resource, path, to }) => (path?.[0] === "active_state" ? [`unit:${resource} ${String(to)}`] : []));
  return {
    plugin: "systemd", name, actions, call: call as unknown as Json,
    ...(provides.length > 0 ? { provides } : {}),
    ...(oneWay === undefined ? {} : { oneWay }),
  };
}

function isEmpty(call: Call): boolean {
  if (call.do === "jobs") return call.units.length === 0;
  if (call.do === "properties") return Object.keys(call.units).length === 0;
  return [call.unmask, call.disable, call.enable, call.mask, call.remove].every((list) => list.length === 0);
}

/** By the work that brings them about. One is left out where the document asks for the same, or earlier work implies it too. */
function impliedActions(work: readonly Work[]): Record<Within, Action[]> {
  const result: Record<Within, Action[]> = { stop: [], enable: [], disable: [], start: [], run: [], end: [] };
  const seen = new Set(work.flatMap((item) => ("action" in item && item.kind !== "implied" ? [keyOf(item.action)] : [])));
  for (const within of Object.keys(result) as Within[]) {
    for (const item of work) {
      if (item.kind !== "implied" || item.within !== within || seen.has(keyOf(item.action))) continue;
      seen.add(keyOf(item.action));
      result[within].push(item.action);
    }
  }
  return result;
}

function keyOf({ resource, path }: Action): string {
  return `${resource} ${path?.join(".")}`;
}

function propertiesByUnit(work: readonly Work[]): Record<string, Record<string, Json>> {
  const result: Record<string, Record<string, Json>> = {};
  for (const item of work) {
    if (item.kind === "set") result[item.unit] = { ...result[item.unit], [item.property]: item.value };
  }
  return result;
}
