import type { Json } from "../../core/json.ts";
import type { Action, Step } from "../../core/plugin.ts";
import type { Resources } from "../../core/resource.ts";
import type { DeclaredUnit } from "./schema.ts";

/** One thing to be done to one unit, before it is gathered with others of its kind. */
export type Work =
  | { readonly kind: "mask" | "unmask" | "enable" | "disable" | "stop" | "end"; readonly unit: string; readonly action: Action }
  | { readonly kind: "start" | "run"; readonly unit: string; readonly type: string; readonly action: Action }
  | { readonly kind: "set"; readonly unit: string; readonly property: string; readonly value: Json; readonly action: Action }
  | { readonly kind: "unset"; readonly file: string; readonly action: Action }
  /** Done by systemd along with another. */
  | { readonly kind: "implied"; readonly action: Action; readonly within: "start" | "stop" | "enable" | "disable" }
  /** To be enabled again after another unit's being disabled took it along. */
  | { readonly kind: "keep"; readonly unit: string };

/** What `apply` is given with each kind of step. */
export type Call =
  | { readonly do: "jobs"; readonly job: "start" | "stop" | "restart"; readonly units: readonly string[]; readonly watch: readonly string[] }
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

/** Properties that reach a running unit only when it starts again. systemd applies all that it takes today at once. */
const NEED_RESTART: readonly string[] = [];

/** Gathers the work into steps: what stops first, then unit files with one Reload, properties, what starts, and last what cannot be taken back. */
export function buildSteps(work: readonly Work[], desired: Resources): Step[] {
  const units = (...kinds: Work["kind"][]) => work.flatMap((item) => (kinds.includes(item.kind) && "unit" in item ? [item.unit] : []));
  const actions = (...kinds: Work["kind"][]) => work.flatMap((item) => (kinds.includes(item.kind) && "action" in item ? [item.action] : []));
  const implied = (within: "start" | "stop" | "enable" | "disable") =>
    onlyOnce(work.flatMap((item) => (item.kind === "implied" && item.within === within ? [item.action] : [])), work);
  const watch = work.flatMap((item) => (item.kind === "start" && NOT_READY_MEANING.includes(item.type) ? [item.unit] : []));
  const restarts = restartsOf(work, desired);
  const files = {
    do: "files", unmask: units("unmask"), disable: units("disable"), enable: [...units("enable"), ...units("keep")], mask: units("mask"),
    remove: work.flatMap((item) => (item.kind === "unset" ? [item.file] : [])),
  } as const;
  const steps = [
    step("stop units", [...actions("stop"), ...implied("stop")], { do: "jobs", job: "stop", units: units("stop"), watch: [] }),
    step("change unit files", [...actions("unmask", "disable", "enable", "mask", "unset"), ...implied("enable"), ...implied("disable")], files),
    step("set properties", actions("set"), { do: "properties", units: propertiesByUnit(work) }),
    step("restart units", restarts.map(restartAction), { do: "jobs", job: "restart", units: restarts, watch: [] }),
    step("start units", [...actions("start"), ...(units("start").length > 0 ? implied("start") : [])], { do: "jobs", job: "start", units: units("start"), watch }),
    step("run oneshots", [...actions("run"), ...(units("start").length > 0 ? [] : implied("start"))], { do: "jobs", job: "start", units: units("run"), watch: [] }, "oneshot"),
    step("end transient units", [...actions("end"), ...(units("stop").length > 0 ? [] : implied("stop"))], { do: "jobs", job: "stop", units: units("end"), watch: [] }, "transient"),
  ];
  return steps.filter(({ call }) => !isEmpty(call as unknown as Call));
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

/** An implied action is left out where the document asks for the same, or another unit implies it too. */
function onlyOnce(implied: readonly Action[], work: readonly Work[]): Action[] {
  const key = ({ resource, path }: Action) => `${resource} ${path?.join(".")}`;
  const seen = new Set(work.flatMap((item) => ("action" in item && item.kind !== "implied" ? [key(item.action)] : [])));
  return implied.filter((action) => {
    if (seen.has(key(action))) return false;
    seen.add(key(action));
    return true;
  });
}

function propertiesByUnit(work: readonly Work[]): Record<string, Record<string, Json>> {
  const result: Record<string, Record<string, Json>> = {};
  for (const item of work) {
    if (item.kind === "set") result[item.unit] = { ...result[item.unit], [item.property]: item.value };
  }
  return result;
}

function restartsOf(work: readonly Work[], desired: Resources): string[] {
  const changed = work.flatMap((item) => (item.kind === "set" && NEED_RESTART.includes(item.property) ? [item.unit] : []));
  return [...new Set(changed)].filter((unit) => (desired[unit] as DeclaredUnit | undefined)?.restart === "when-needed");
}

function restartAction(resource: string): Action {
  return { resource, verb: "restart", risk: "medium", note: "for properties that only a start reads" };
}
