import type { Json, JsonObject } from "../../core/json.ts";
import type { Reading, ResourceReading } from "../../core/plugin.ts";
import type { Resources } from "../../core/resource.ts";
import { CONTROL_FOLDER, readDropIns } from "./drop-in.ts";
import { activeStateOf, steadyState, type Sources, type StartFacts, type UnitFacts } from "./facts.ts";
import { impliedBy } from "./implied.ts";
import type { Manager } from "./manager.ts";
import { fromDbus, propertyAddress, PROPERTIES } from "./properties.ts";
import { cutOff } from "./protection.ts";
import { readOnce, type Reader } from "./reader.ts";
import type { DeclaredUnit } from "./schema.ts";
import { sight, sightAll, type Sighting } from "./sighting.ts";
import { enabledUnderMask, serviceUnderMask } from "./unit-file.ts";
import { interfaceOf, isTemplate, unitTypeOf } from "./unit-name.ts";

/** Reads the named units, and of each what its declared keys need. Two round trips when nothing is to change. */
export async function readUnits(scope: Resources, given: Sources): Promise<Reading> {
  const sources = readOnce(given);
  const resources = await readEach(await sight(Object.keys(scope), sources), ({ name }) => (scope[name] ?? {}) as DeclaredUnit, sources);
  return { resources: await cutOff(resources, sources) };
}

/** Reads all that can be declared. Units with drop-ins of SetUnitProperties are few, and the only ones that are asked for properties. */
export async function readAllUnits(given: Sources): Promise<Reading> {
  const sources = readOnce(given);
  const everything = { properties: Object.fromEntries(Object.keys(PROPERTIES).map((name) => [name, null])) };
  const controlled = new Set(sources.configFiles.list(CONTROL_FOLDER).map(({ name }) => name));
  const wanted = ({ name }: Sighting) => (controlled.has(`${name}.d`) ? everything : {});
  return { resources: await readEach(await sightAll(sources.manager), wanted, sources) };
}

async function readEach(seen: readonly Sighting[], wanted: (unit: Sighting) => DeclaredUnit, sources: Reader): Promise<Record<string, ResourceReading>> {
  const cold = new Set(seen.filter((unit) => isCold(unit, wanted(unit))));
  if (cold.size > 0 && sources.operator.isRoot) await pin(cold, sources.manager);
  const read = (unit: Sighting) => (cold.has(unit) ? readCold : readUnit)(unit, wanted(unit), sources);
  return Object.fromEntries(await Promise.all(seen.map(async (unit) => [unit.name, await read(unit)] as const)));
}

/** Whether a unit that is on disk and not loaded is to be asked for more than the disk tells. */
function isCold({ name, status, file }: Sighting, wanted: DeclaredUnit): boolean {
  if (status !== undefined || file === null || isTemplate(name)) return false;
  return wanted.active_state === "active" || Object.keys(wanted.properties ?? {}).length > 0;
}

/** Resolves when it is on its way: systemd loads these units while we get ready to ask. */
async function pin(units: Iterable<Sighting>, manager: Manager): Promise<void> {
  for (const { path } of units) manager.pin(path);
  await new Promise((resolve) => setImmediate(resolve));
}

/** Asks all at once of a unit that is still to be loaded, taking it for one that is inactive and in order, as most are, and again where it is not. */
async function readCold(seen: Sighting, wanted: DeclaredUnit, sources: Reader): Promise<ResourceReading> {
  const [[status], reading] = await Promise.all([sources.statuses.of([seen.name]), readUnit(seen, wanted, sources)]);
  const asTaken = status?.id === seen.name && status.loadState === "loaded" && activeStateOf(status) === "inactive";
  return asTaken ? reading : readUnit({ ...seen, status }, wanted, sources);
}

async function readUnit(seen: Sighting, wanted: DeclaredUnit, sources: Reader): Promise<ResourceReading> {
  const { name, status, path, file, fileState } = seen;
  const load = status?.loadState ?? (file === null ? "not-found" : "loaded");
  const active = status === undefined ? "inactive" : activeStateOf(status);
  if (load === "not-found" && file === null) {
    const facts = { load, active, file, fileState, enabled: false };
    return { state: { state: "absent", active_state: "inactive", enabled: false, masked: false }, facts };
  }
  const enabled = enablement(seen, wanted, sources);
  const declared = wanted.properties ?? {};
  const starts = wanted.active_state === "active" && steadyState(active) !== "active";
  const stops = wanted.active_state === "inactive" && steadyState(active) !== "inactive";
  const toggles = wanted.enabled != null && enabled !== wanted.enabled;
  const [dropIns, start, transient, implied] = await Promise.all([
    !isTemplate(name) && Object.keys(declared).length > 0 ? readDropIns({ path, unit: name, wanted: Object.keys(declared) }, sources) : undefined,
    starts ? startFacts({ name, path, load }, sources) : undefined,
    stops ? sources.manager.property(path, "Transient") : undefined,
    starts || stops || toggles ? impliedBy({ name, path, file, loaded: status !== undefined, starts, stops, toggles }, sources) : undefined,
  ]);
  const readable = Object.keys(declared).filter((key) => declared[key] !== null || dropIns?.set.includes(key) === true);
  const properties = dropIns === undefined ? undefined : await readProperties(name, path, readable, sources.manager);
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
function enablement({ name, fileState }: Sighting, wanted: DeclaredUnit, { configFiles }: Reader): boolean | null {
  if (fileState === "enabled") return true;
  if (fileState === "disabled" || fileState === "enabled-runtime") return false;
  return fileState === "masked" && wanted.enabled != null ? enabledUnderMask(name, configFiles) : null;
}

/** That a unit is not masked goes without saying, unless it was asked. */
function stateOf({ name, fileState }: Sighting, { active, enabled, properties, wanted }: Found): JsonObject {
  const steady = steadyState(active);
  return {
    ...(isTemplate(name) || steady === null ? {} : { active_state: steady }),
    ...(enabled === null ? {} : { enabled }),
    ...(fileState === "masked" || wanted.masked !== undefined ? { masked: fileState === "masked" } : {}),
    ...(properties === undefined || Object.keys(properties).length === 0 ? {} : { properties }),
  };
}

function observedOf({ status, fileState }: Sighting, load: string, active: string): JsonObject {
  return {
    ...(load === "loaded" || load === "masked" ? {} : { load_state: load }),
    ...(steadyState(active) === active ? {} : { active_state: active }),
    ...(status === undefined || status.subState === active || status.subState === "dead" ? {} : { sub_state: status.subState }),
    ...(fileState === null || ["enabled", "disabled", "masked"].includes(fileState) ? {} : { unit_file_state: fileState }),
  };
}

interface Start {
  readonly name: string;
  readonly path: string;
  readonly load: string;
}

async function startFacts({ name, path, load }: Start, { manager, configFiles }: Reader): Promise<StartFacts> {
  if (load === "masked" && unitTypeOf(name) === "service") return { canStart: false, ...serviceUnderMask(name, configFiles) };
  const ofType = async (property: string) => (unitTypeOf(name) === "service" ? await manager.property(path, property, interfaceOf(name)) : undefined);
  const [canStart, serviceType] = await Promise.all([manager.property(path, "CanStart"), ofType("Type")]);
  const remainAfterExit = serviceType === "oneshot" && (await ofType("RemainAfterExit")) === true;
  return { canStart: canStart === true, serviceType: String(serviceType ?? ""), remainAfterExit };
}

async function readProperties(unit: string, path: string, names: readonly string[], manager: Manager): Promise<JsonObject> {
  const values = names.map(async (name) => {
    const { interface: iface, property } = propertyAddress(unit, name);
    return [name, fromDbus(name, await manager.property(path, property, iface))] as const;
  });
  return Object.fromEntries(await Promise.all(values));
}
