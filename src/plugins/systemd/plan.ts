import { type Json, type JsonObject } from "../../core/json.ts";
import type { Action, Note, PluginPlan, Problem, Reading, ResourceReading, Step } from "../../core/plugin.ts";
import { sameValue, valueAt, type Resources } from "../../core/resource.ts";
import { controlDropIn } from "./drop-in.ts";
import { isMissing, problemsOf } from "./problems.ts";
import { normalValue } from "./properties.ts";
import { steadyState, type UnitFacts } from "./facts.ts";
import type { DeclaredUnit } from "./schema.ts";
import { buildSteps, type Work } from "./steps.ts";

/** The difference between declared and actual units, as at most six steps however many units there are. */
export function planUnits(desired: Resources, actual: Reading): PluginPlan {
  const problems: Problem[] = [];
  const work: Work[] = [];
  const notes: Note[] = [];
  for (const [name, resource] of Object.entries(desired)) {
    const unit = resource as DeclaredUnit;
    const reading = actual.resources[name] ?? { state: { state: "absent" } };
    const facts = (reading.facts ?? { load: "not-found", active: "inactive", file: null, fileState: null, enabled: false }) as unknown as UnitFacts;
    const found = problemsOf(name, unit, facts, desired);
    problems.push(...found);
    if (found.length === 0) work.push(...workOf(name, unit, facts, { reading, desired }));
    if (found.length === 0 && isMissing(facts) && unit.state === undefined) {
      notes.push({ resource: name, message: `There is no unit '${name}' on this host: it counts as inactive and disabled` });
    }
  }
  return { steps: problems.length > 0 ? ([] as Step[]) : buildSteps(work), problems, notes };
}

interface Around {
  readonly reading: ResourceReading;
  readonly desired: Resources;
}

function workOf(name: string, unit: DeclaredUnit, facts: UnitFacts, { reading, desired }: Around): Work[] {
  if (isMissing(facts)) return maskWork(name, unit, facts);
  return [
    ...maskWork(name, unit, facts),
    ...enableWork(name, unit, facts, desired),
    ...propertyWork(name, unit, facts, reading),
    ...activeWork(name, unit, facts, reading),
  ];
}

function maskWork(name: string, unit: DeclaredUnit, { fileState }: UnitFacts): Work[] {
  const masked = fileState === "masked";
  if (unit.masked == null || unit.masked === masked) return [];
  const verb = unit.masked ? "mask" : "unmask";
  const action: Action = { resource: name, verb, path: ["masked"], from: masked, to: unit.masked, risk: unit.masked ? "medium" : "low" };
  return [{ kind: verb, unit: name, action }];
}

function enableWork(name: string, unit: DeclaredUnit, { enabled, implied }: UnitFacts, desired: Resources): Work[] {
  if (unit.enabled == null || unit.enabled === enabled) return [];
  const verb = unit.enabled ? "enable" : "disable";
  const toggle = (resource: string, from: Json): Action => ({ resource, verb, path: ["enabled"], from, to: unit.enabled ?? null, risk: "low" });
  const work: Work[] = [{ kind: verb, unit: name, action: toggle(name, enabled) }];
  for (const [other, also] of Object.entries(implied?.also ?? {})) {
    if (also.enabled === unit.enabled) continue;
    // Disabling leaves alone what Also= names, unless the two name each other and cannot be told apart.
    const follows = unit.enabled || also.mutual || valueAt(desired[other], ["enabled"]) === false;
    const action = { ...toggle(other, also.enabled), impliedBy: name };
    work.push(follows ? { kind: "implied", action, within: verb } : { kind: "keep", unit: other });
  }
  return work;
}

function propertyWork(name: string, unit: DeclaredUnit, { dropIns }: UnitFacts, reading: ResourceReading): Work[] {
  return Object.entries(unit.properties ?? {}).flatMap(([property, declared]): Work[] => {
    const path = ["properties", property];
    const setHere = dropIns?.set.includes(property) ?? false;
    const now = valueAt(reading.state, path) ?? null;
    const from = setHere ? now : null;
    if (declared === null) {
      const action: Action = { resource: name, verb: "unset", path, from, to: null, risk: "low" };
      return setHere ? [{ kind: "unset", file: controlDropIn(name, property), action }] : [];
    }
    const to = normalValue(property, declared);
    if (sameValue(now, to)) return [];
    const note = now === null || setHere ? {} : { note: `${JSON.stringify(now)} is in force now, from its unit file or by default` };
    return [{ kind: "set", unit: name, property, value: to, action: { resource: name, verb: "set", path, from, to, risk: "low", ...note } }];
  });
}

function activeWork(name: string, unit: DeclaredUnit, facts: UnitFacts, reading: ResourceReading): Work[] {
  const goal = unit.active_state;
  if (goal == null || steadyState(facts.active) === goal) return [];
  const advice = (reading.advice ?? {}) as Readonly<Record<string, string>>;
  const change = (resource: string, from: Json, to: Json): Omit<Action, "verb" | "risk"> => ({
    resource, path: ["active_state"], from, to,
    ...(to === "inactive" && advice[resource] !== undefined ? { protected: advice[resource] } : {}),
  });
  const within = goal === "active" ? (facts.start?.serviceType === "oneshot" ? "run" : "start") : facts.stop?.transient === true ? "end" : "stop";
  const others = (units: readonly string[], verb: "start" | "stop"): Work[] =>
    units.map((other) => {
      const [from, to] = verb === "start" ? ["inactive", "active"] : ["active", "inactive"];
      const action: Action = { ...change(other, from, to), verb, risk: verb === "stop" ? "high" : "low", impliedBy: name };
      return { kind: "implied", action, within };
    });
  const from = headingFor(facts, reading.observed);
  const notes = (facts.implied?.triggers ?? []).map((trigger) => `${trigger} can start it again`);
  const note = notes.length === 0 ? {} : { note: notes.join("; ") };
  const own: Work =
    within === "start" || within === "run"
      ? { kind: within, unit: name, type: facts.start?.serviceType ?? "", action: { ...change(name, from, goal), verb: "start", risk: "low" } }
      : { kind: within, unit: name, action: { ...change(name, from, goal), verb: "stop", risk: "medium", ...note } };
  return [own, ...others(facts.implied?.stops ?? [], "stop"), ...others(facts.implied?.starts ?? [], "start")];
}

/** Where a unit is, or, while it is on its way, where it is going. */
function headingFor({ active }: UnitFacts, observed: JsonObject = {}): Json {
  const steady = steadyState(active);
  if (steady !== null) return steady;
  return active === "activating" && observed.sub_state !== "auto-restart" ? "active" : "inactive";
}
