import type { Problem } from "../../core/plugin.ts";
import type { Resources } from "../../core/resource.ts";
import { steadyState, type UnitFacts } from "./facts.ts";
import type { DeclaredUnit } from "./schema.ts";
import { unitTypeOf } from "./unit-name.ts";

/** Why this host cannot bring a unit to what is declared of it. */
export function problemsOf(name: string, unit: DeclaredUnit, facts: UnitFacts, desired: Resources): Problem[] {
  const problems: Problem[] = [];
  const add = (key: string | undefined, message: string, hint?: string) =>
    problems.push({ resource: name, path: key === undefined ? [] : [key], message, ...(hint === undefined ? {} : { hint }) });

  if (facts.aliasOf !== undefined || facts.fileState === "alias") {
    const of = facts.aliasOf === undefined ? "" : ` of ${facts.aliasOf}`;
    add(undefined, `'${name}' is an alias${of}`, "Name the unit itself: an alias may come and go with its being enabled");
    return problems;
  }
  const missing = isMissing(facts);
  if (unit.state === "absent") {
    const message = `'${name}' is there: op-dbus does not make unit files, so it does not remove them`;
    if (!missing) add("state", message, "Declare it inactive, disabled or masked instead");
    return problems;
  }
  if (missing) {
    const key = unit.active_state === "active" ? "active_state" : unit.enabled === true ? "enabled" : setsProperty(unit) ? "properties" : undefined;
    if (key !== undefined || unit.state === "present") add(key, `There is no unit '${name}' on this host`);
    return problems;
  }
  const masked = facts.fileState === "masked" || facts.fileState === "masked-runtime";
  if (unit.masked === true && !masked && facts.file?.startsWith("/etc/systemd/system/") === true) {
    const message = `'${name}' cannot be masked: its unit file ${facts.file} lies where the mask would go`;
    add("masked", message, "Disable and stop it, or move the file to /usr/local/lib/systemd/system");
  }
  if (unit.masked === true && !masked && unitTypeOf(name) === "timer" && steadyState(facts.active) !== "inactive" && unit.active_state !== "inactive") {
    add("masked", `'${name}' would not stay active: systemd drops a masked timer when it reads its unit files again`, 'Declare "active_state": "inactive" with it');
  }
  if (facts.fileState === "masked-runtime" && (unit.masked === false || unit.active_state === "active")) {
    add("masked", `'${name}' is masked until the next boot (in /run), by somebody else`);
  }
  const staysMasked = masked && unit.masked !== false;
  if (unit.enabled != null) enablementProblem(name, unit.enabled, facts, staysMasked, add);
  if (unit.active_state === "active" && steadyState(facts.active) !== "active") {
    startProblem(name, unit, facts, staysMasked, add);
  }
  for (const [property, file] of Object.entries(facts.dropIns?.overridden ?? {})) {
    if (unit.properties?.[property] == null) continue;
    const message = `'${property}' of ${name} is set by ${file}, which has the last word`;
    problems.push({ resource: name, path: ["properties", property], message, hint: "Change it there" });
  }
  contradictions(name, facts, desired, add);
  return problems;
}

/** Neither loaded nor on disk. */
export function isMissing({ load, file }: UnitFacts): boolean {
  return load === "not-found" && file === null;
}

function setsProperty({ properties = {} }: DeclaredUnit): boolean {
  return Object.values(properties).some((value) => value !== null);
}

type Add = (key: string | undefined, message: string, hint?: string) => void;

const UNTOGGLED: Readonly<Record<string, string>> = {
  static: "it has no [Install] section",
  indirect: "it only stands for other units (Also=), which can be declared",
  generated: "a generator makes it at boot",
  transient: "it was made by a running program and goes with it",
  linked: "its unit file is linked from elsewhere, and disabling would remove the link",
  "linked-runtime": "its unit file is linked from elsewhere",
  bad: "its unit file is not valid",
};

function enablementProblem(name: string, goal: boolean, { enabled, fileState, load }: UnitFacts, staysMasked: boolean, add: Add): void {
  if (enabled === goal) return;
  if (staysMasked) add("enabled", `'${name}' is masked and can be neither enabled nor disabled`, 'Unmask it: "masked": false');
  else if (enabled === null && fileState !== "masked") {
    const why = UNTOGGLED[fileState ?? ""] ?? (fileState === null ? `it has no unit file (${load})` : `its state is '${fileState}'`);
    add("enabled", `'${name}' can be neither ${goal ? "enabled nor disabled" : "disabled nor enabled"}: ${why}`);
  }
}

function startProblem(name: string, unit: DeclaredUnit, { load, start }: UnitFacts, staysMasked: boolean, add: Add): void {
  if (staysMasked || unit.masked === true) {
    add("active_state", `'${name}' cannot be started: it is ${unit.masked === true ? "to be masked" : "masked"}`, 'Unmask it: "masked": false');
  } else if (load !== "loaded" && load !== "masked") {
    add("active_state", `'${name}' cannot be started: systemd could not load it (${load})`);
  } else if (start?.serviceType === "oneshot" && !start.remainAfterExit) {
    add("active_state", `'${name}' is a oneshot without RemainAfterExit=: it is never active for long`, "Declare it enabled, or its timer active");
  } else if (start?.canStart === false && load !== "masked") {
    add("active_state", `'${name}' cannot be started on request`);
  }
}

/** What systemd would do along with one declared change must not undo another. */
function contradictions(name: string, { implied }: UnitFacts, desired: Resources, add: Add): void {
  const declared = (unit: string) => (desired[unit] ?? {}) as DeclaredUnit;
  for (const other of implied?.stops ?? []) {
    if (declared(other).active_state === "active") add("active_state", `This would stop ${other}, which is declared active`);
  }
  for (const other of implied?.starts ?? []) {
    if (declared(other).active_state === "inactive") add("active_state", `'${name}' needs ${other}, which is declared inactive`);
  }
  for (const [other, { enabled, mutual }] of Object.entries(implied?.also ?? {})) {
    const goal = declared(name).enabled;
    if (goal === true && declared(other).enabled === false && !enabled) {
      add("enabled", `'${name}' takes ${other} with it (Also=), which is declared disabled`);
    }
    if (goal === false && declared(other).enabled === true && enabled && mutual) {
      add("enabled", `'${name}' takes ${other} with it (each names the other in Also=), which is declared enabled`);
    }
  }
}
