import type { ConfigFile } from "../../core/ports.ts";
import type { Sources } from "./facts.ts";
import type { Manager, UnitFile, UnitStatus } from "./manager.ts";
import { UnitFolders } from "./unit-folders.ts";
import { isInstance, isTemplate, templateOf, unitPath, unitTypeOf } from "./unit-name.ts";

/** What systemd's lists say of a unit, before anything is asked of the unit itself. */
export interface Sighting {
  readonly name: string;
  /** undefined for a template, and for a unit that is on disk and not loaded. */
  readonly status: UnitStatus | undefined;
  /** Its object's path. Asking anything of it loads the unit. */
  readonly path: string;
  /** The unit file (an instance's is mostly its template's), and its state as systemctl is-enabled prints it. */
  readonly file: string | null;
  readonly fileState: string | null;
}

/**
 * The units by these names. What is plain to see on the disk and not loaded is not loaded for it: it counts as loaded and inactive until
 * it is to change. All else systemd is asked for by name, in one round trip however many they are.
 */
export async function sight(names: readonly string[], sources: Sources): Promise<Sighting[]> {
  const { manager, configFiles } = sources;
  // In this order: the folders are looked through while systemd lists its units.
  const [files, units] = await Promise.all([manager.unitPath().then((folders) => plainFiles(names, folders, configFiles)), manager.listUnits()]);
  const known = new Set(files.map(({ name }) => name));
  const loaded = new Map(units.map((status) => [status.id, status]));
  const asked = await ask(names.filter((name) => !known.has(name)), manager);
  const plain = files.map(({ name }) => name).map(sightingsOf(loaded, files, new Map()));
  const found = new Map([...asked, ...plain].map((sighting) => [sighting.name, sighting]));
  return names.flatMap((name) => found.get(name) ?? []);
}

function plainFiles(names: readonly string[], folders: readonly string[], configFiles: ConfigFile): UnitFile[] {
  const unitFolders = new UnitFolders(folders, configFiles);
  return names.flatMap((name) => {
    const plain = unitFolders.plain(name);
    return plain === undefined ? [] : [{ name, ...plain }];
  });
}

async function ask(names: readonly string[], manager: Manager): Promise<Sighting[]> {
  const [real, instances] = [names.filter((name) => !isTemplate(name)), names.filter(isInstance)];
  const withFiles = [...new Set([...names, ...instances.map(templateOf)])];
  const [statuses, files, states] = await Promise.all([
    manager.listUnitsByNames(real),
    manager.unitFilesByNames(withFiles),
    statesOf(instances, manager),
  ]);
  return names.map(sightingsOf(new Map(real.map((name, index) => [name, statuses[index]])), files, states));
}

/** All units that are loaded or on disk, but for aliases and what comes and goes by itself. */
export async function sightAll(manager: Manager): Promise<Sighting[]> {
  const [units, files] = await Promise.all([manager.listUnits(), manager.listUnitFiles()]);
  const loaded = units.filter(({ loadState }) => loadState !== "not-found");
  const onDisk = files.filter(({ state }) => state !== "alias");
  const names = [...new Set([...loaded.map(({ id }) => id), ...onDisk.map(({ name }) => name)])];
  const lasting = names.filter((name) => !["device", "scope"].includes(unitTypeOf(name))).sort();
  const states = await statesOf(lasting.filter(isInstance), manager);
  const seen = lasting.map(sightingsOf(new Map(loaded.map((status) => [status.id, status])), files, states));
  return seen.filter(({ fileState }) => fileState !== "transient" && fileState !== "alias");
}

type States = ReadonlyMap<string, string | undefined>;

async function statesOf(instances: readonly string[], manager: Manager): Promise<States> {
  return new Map(await Promise.all(instances.map(async (name) => [name, await manager.unitFileState(name)] as const)));
}

function sightingsOf(statuses: ReadonlyMap<string, UnitStatus | undefined>, files: readonly UnitFile[], states: States) {
  const fileOf = new Map(files.map((file) => [file.name, file]));
  return (name: string): Sighting => {
    const file = fileOf.get(name) ?? (isInstance(name) ? fileOf.get(templateOf(name)) : undefined);
    const status = statuses.get(name);
    return {
      name,
      status,
      path: status?.path ?? unitPath(name),
      file: file?.path ?? null,
      fileState: fileOf.get(name)?.state ?? states.get(name) ?? null,
    };
  };
}
