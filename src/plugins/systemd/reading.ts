import type { Json, JsonObject } from "../../core/json.ts";
import type { Reading, ResourceReading } from "../../core/plugin.ts";
import type { Resources } from "../../core/resource.ts";
import { readDropIns } from "./drop-in.ts";
import { steadyState, type Sources, type StartFacts, type UnitFacts } from "./facts.ts";
import { impliedBy } from "./implied.ts";
import { enabledUnderMask } from "./install.ts";
import type { Manager, UnitFile, UnitStatus } from "./manager.ts";
import { fromDbus, propertyAddress, PROPERTIES } from "./properties.ts";
import { cutOff } from "./protection.ts";
import type { DeclaredUnit } from "./schema.ts";
import { interfaceOf, isInstance, isTemplate, templateOf, unitTypeOf } from "./unit-name.ts";

interface Seen {
  readonly name: string;
  readonly status: UnitStatus | undefined;
  readonly fileState: string | null;
  readonly file: string | null;
  readonly template: UnitFile | undefined;
}

/** Reads the named units, and of each what its declared keys need. Two round trips when nothing is to change. */
export async function readUnits(scope: Resources, sources: Sources): Promise<Reading> {
  const seen = await look(Object.keys(scope), sources.manager);
  const readings = seen.map(async (unit) => [unit.name, await readUnit(unit, (scope[unit.name] ?? {}) as DeclaredUnit, sources)] as const);
  const resources = Object.fromEntries(await Promise.all(readings));
  return { resources: await cutOff(resources, sources) };
}

/** Reads all that can be declared: units that are loaded or have a unit file, but for what comes and goes by itself. */
export async function readAllUnits(sources: Sources): Promise<Reading> {
  const { manager } = sources;
  const [units, files] = await Promise.all([manager.listUnits(), manager.listUnitFiles()]);
  const loaded = units.filter(({ loadState }) => loadState !== "not-found").map(({ id }) => id);
  const names = [...new Set([...loaded, ...files.filter(({ state }) => state !== "alias").map(({ name }) => name)])];
  const lasting = names.filter((name) => !["device", "scope"].includes(unitTypeOf(name))).sort();
  const everything = Object.fromEntries(Object.keys(PROPERTIES).map((name) => [name, null]));
  const { resources } = await readUnits(
    Object.fromEntries(lasting.map((name) => [name, { properties: everything }])),
    sources,
  );
  const declarable = Object.entries(resources).filter(
    ([, { facts }]) => !["transient", "alias"].includes(String((facts as unknown as UnitFacts).fileState)) && (facts as unknown as UnitFacts).aliasOf === undefined,
  );
  return { resources: Object.fromEntries(declarable) };
}

async function look(names: readonly string[], manager: Manager): Promise<Seen[]> {
  const [real, instances] = [names.filter((name) => !isTemplate(name)), names.filter(isInstance)];
  const withFiles = [...new Set([...names.filter((name) => !isInstance(name)), ...instances.map(templateOf)])];
  const [statuses, files, states] = await Promise.all([
    manager.listUnitsByNames(real),
    manager.unitFilesByNames(withFiles),
    Promise.all(instances.map(async (name) => [name, await manager.unitFileState(name)] as const)),
  ]);
  const statusOf = new Map(real.map((name, index) => [name, statuses[index]]));
  const fileOf = new Map(files.map((file) => [file.name, file]));
  const stateOf = new Map(states);
  return names.map((name) => {
    const template = isInstance(name) ? fileOf.get(templateOf(name)) : undefined;
    return {
      name,
      status: statusOf.get(name),
      file: (fileOf.get(name) ?? template)?.path ?? null,
      fileState: fileOf.get(name)?.state ?? stateOf.get(name) ?? null,
      template,
    };
  });
}

async function readUnit(seen: Seen, wanted: DeclaredUnit, sources: Sources): Promise<ResourceReading> {
  const { name, status, file, fileState } = seen;
  const load = isTemplate(name) ? (file === null ? "not-found" : "loaded") : (status?.loadState ?? "not-found");
  const active = status?.activeState ?? "inactive";
  if (load === "not-found" && file === null) {
    return { state: { state: "absent", active_state: "inactive", enabled: false, masked: false }, facts: { load, active, file, fileState, enabled: false } };
  }
  const enabled = enablement(seen, wanted, sources);
  const declared = wanted.properties ?? {};
  const starts = wanted.active_state === "active" && steadyState(active) !== "active";
  const stops = wanted.active_state === "inactive" && steadyState(active) !== "inactive";
  const toggles = wanted.enabled != null && enabled !== wanted.enabled;
  const path = status?.path ?? "";
  const [dropIns, start, transient, implied] = await Promise.all([
    path !== "" && Object.keys(declared).length > 0 ? readDropIns({ path, unit: name, wanted: Object.keys(declared) }, sources) : undefined,
    starts ? startFacts(name, path, sources.manager) : undefined,
    stops ? sources.manager.property(path, "Transient") : undefined,
    starts || stops || toggles ? impliedBy({ name, path, file, starts, stops, toggles }, sources) : undefined,
  ]);
  const properties = dropIns === undefined ? undefined : await readProperties(name, path, Object.keys(declared).filter((key) => declared[key] !== null || dropIns.set.includes(key)), sources.manager);
  const facts: UnitFacts = {
    load, active, file, fileState, enabled,
    ...(status !== undefined && status.id !== name ? { aliasOf: status.id } : {}),
    ...(dropIns === undefined ? {} : { dropIns }),
    ...(start === undefined ? {} : { start }),
    ...(transient === undefined ? {} : { stop: { transient: transient === true } }),
    ...(implied === undefined ? {} : { implied }),
  };
  return {
    state: stateOf(seen, { active, enabled, properties, wanted }),
    observed: observedOf(seen, load, active),
    facts: facts as unknown as Json,
  };
}

interface Found {
  readonly active: string;
  readonly enabled: boolean | null;
  readonly properties: JsonObject | undefined;
  readonly wanted: DeclaredUnit;
}

/** systemd tells of a masked unit only that; whether it is enabled below is looked for where somebody asked. */
function enablement({ name, fileState }: Seen, wanted: DeclaredUnit, { configFiles }: Sources): boolean | null {
  if (fileState === "enabled") return true;
  if (fileState === "disabled" || fileState === "enabled-runtime") return false;
  return fileState === "masked" && wanted.enabled != null ? enabledUnderMask(name, configFiles) : null;
}

/** That a unit is not masked goes without saying, unless it was asked. */
function stateOf({ name, fileState }: Seen, { active, enabled, properties, wanted }: Found): JsonObject {
  const steady = steadyState(active);
  return {
    ...(isTemplate(name) || steady === null ? {} : { active_state: steady }),
    ...(enabled === null ? {} : { enabled }),
    ...(fileState === "masked" || wanted.masked !== undefined ? { masked: fileState === "masked" } : {}),
    ...(properties === undefined || Object.keys(properties).length === 0 ? {} : { properties }),
  };
}

function observedOf({ status, fileState }: Seen, load: string, active: string): JsonObject {
  return {
    ...(load === "loaded" || load === "masked" ? {} : { load_state: load }),
    ...(steadyState(active) === active ? {} : { active_state: active }),
    ...(status === undefined || status.subState === active || status.subState === "dead" ? {} : { sub_state: status.subState }),
    ...(fileState === null || ["enabled", "disabled", "masked"].includes(fileState) ? {} : { unit_file_state: fileState }),
  };
}

async function startFacts(name: string, path: string, manager: Manager): Promise<StartFacts> {
  const service = unitTypeOf(name) === "service";
  const [canStart, serviceType, remainAfterExit] = await Promise.all([
    manager.property(path, "CanStart"),
    service ? manager.property(path, "Type", interfaceOf(name)) : "",
    service ? manager.property(path, "RemainAfterExit", interfaceOf(name)) : false,
  ]);
  return { canStart: canStart === true, serviceType: String(serviceType), remainAfterExit: remainAfterExit === true };
}

async function readProperties(unit: string, path: string, names: readonly string[], manager: Manager): Promise<JsonObject> {
  const values = names.map(async (name) => {
    const { interface: iface, property } = propertyAddress(unit, name);
    return [name, fromDbus(name, await manager.property(path, property, iface))] as const;
  });
  return Object.fromEntries(await Promise.all(values));
}
