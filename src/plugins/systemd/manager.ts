import type { Bus, Variant } from "../../protocols/dbus/bus.ts";
import { dbusErrorName } from "../../protocols/dbus/errors.ts";
import { asPattern, MANAGER_NAME, UNIT_INTERFACE } from "./unit-name.ts";

const MANAGER_PATH = "/org/freedesktop/systemd1";
const MANAGER_INTERFACE = "org.freedesktop.systemd1.Manager";
const PROPERTIES_INTERFACE = "org.freedesktop.DBus.Properties";

/** One row of ListUnits (org.freedesktop.systemd1(5)). */
export interface UnitStatus {
  /** The unit's own name, which differs from the one asked for when that is an alias. */
  readonly id: string;
  readonly loadState: string;
  readonly activeState: string;
  readonly subState: string;
  readonly path: string;
  /** The type of the job that is queued or running for it; "" for none. */
  readonly job: string;
}

export interface UnitFile {
  readonly name: string;
  readonly path: string;
  readonly state: string;
}

/** A job that systemd took on, and the other units that it takes along. */
export interface EnqueuedJob {
  readonly id: number;
  readonly affected: readonly { readonly id: number; readonly unit: string; readonly type: string }[];
}

/** The calls of systemd's manager that the plugin uses, typed. Calls made together travel together. */
export class Manager {
  readonly bus: Bus;
  /** systemd sends signals to who asked for them, and takes asking twice for an error. */
  #subscribed: Promise<unknown> | undefined;

  constructor(bus: Bus) {
    this.bus = bus;
  }

  /** One status a name, in the order asked; a unit that is not there has load state "not-found". */
  async listUnitsByNames(names: readonly string[]): Promise<UnitStatus[]> {
    if (names.length === 0) return [];
    return statuses(await this.#call("ListUnitsByNames", "as", [names]));
  }

  async listUnits(): Promise<UnitStatus[]> {
    return statuses(await this.#call("ListUnits"));
  }

  /** The unit files by these names, aliases and templates included; few instances have one of their own. */
  async unitFilesByNames(names: readonly string[]): Promise<UnitFile[]> {
    if (names.length === 0) return [];
    return unitFiles(await this.#call("ListUnitFilesByPatterns", "asas", [[], names.map(asPattern)]));
  }

  async listUnitFiles(): Promise<UnitFile[]> {
    return unitFiles(await this.#call("ListUnitFiles"));
  }

  /** The folders that systemd reads unit files from, the one with the first word first. */
  async unitPath(): Promise<string[]> {
    return (await this.property(MANAGER_PATH, "UnitPath", MANAGER_INTERFACE)) as string[];
  }

  /**
   * Keeps a unit in systemd's memory for as long as this connection lasts, so that it is not loaded anew for each property asked of it.
   * Only root may; that it cannot be kept is no error, and who cannot be asked at all fails the next question too.
   */
  pin(path: string): void {
    this.bus.call({ destination: MANAGER_NAME, path, interface: UNIT_INTERFACE, member: "Ref" }).catch(() => undefined);
  }

  /** The enablement of a name that has no unit file of its own; undefined where there is none. */
  async unitFileState(name: string): Promise<string | undefined> {
    const found = await orNothing(this.#call("GetUnitFileState", "s", [name]));
    return found === undefined ? undefined : String(found[0]);
  }

  async property(path: string, property: string, iface: string = UNIT_INTERFACE): Promise<unknown> {
    const [value] = await this.bus.call({
      destination: MANAGER_NAME, path, interface: PROPERTIES_INTERFACE, member: "Get", signature: "ss", body: [iface, property],
    });
    return (value as Variant).value;
  }

  /** The unit that a process belongs to; undefined where it belongs to none. */
  async unitOfProcess(pid: number): Promise<string | undefined> {
    const found = await orNothing(this.#call("GetUnitByPID", "u", [pid]));
    const id = found === undefined ? undefined : await orNothing(this.property(String(found[0]), "Id"));
    return id === undefined ? undefined : String(id);
  }

  async enqueueJob(unit: string, type: string): Promise<EnqueuedJob> {
    const [id, , , , , affected] = await this.#call("EnqueueUnitJob", "sss", [unit, type, "replace"]);
    const others = affected as [number, string, string, string, string][];
    return { id: Number(id), affected: others.map(([other, , name, , kind]) => ({ id: other, unit: name, type: kind })) };
  }

  async cancelJob(id: number): Promise<void> {
    await this.#call("CancelJob", "u", [id]);
  }

  async jobIds(): Promise<Set<number>> {
    const [jobs] = await this.#call("ListJobs");
    return new Set((jobs as [number][]).map(([id]) => id));
  }

  /** Told of every job that ends, from when this resolves until it is disposed of. */
  async onJobRemoved(handler: (id: number, result: string) => void): Promise<AsyncDisposable> {
    const subscription = await this.bus.subscribe(
      { sender: MANAGER_NAME, path: MANAGER_PATH, interface: MANAGER_INTERFACE, member: "JobRemoved" },
      ({ body: [id, , , result] }) => handler(Number(id), String(result)),
    );
    try {
      await (this.#subscribed ??= this.#call("Subscribe"));
    } catch (error) {
      this.#subscribed = undefined;
      await subscription[Symbol.asyncDispose]();
      throw error;
    }
    return subscription;
  }

  /** Gives, as the next three do, the paths of the links that it made or removed. */
  async enable(names: readonly string[]): Promise<string[]> {
    return names.length === 0 ? [] : changedPaths((await this.#call("EnableUnitFiles", "asbb", [names, false, false]))[1]);
  }

  async disable(names: readonly string[]): Promise<string[]> {
    return names.length === 0 ? [] : changedPaths((await this.#call("DisableUnitFiles", "asb", [names, false]))[0]);
  }

  async mask(names: readonly string[]): Promise<string[]> {
    return names.length === 0 ? [] : changedPaths((await this.#call("MaskUnitFiles", "asbb", [names, false, false]))[0]);
  }

  async unmask(names: readonly string[]): Promise<string[]> {
    return names.length === 0 ? [] : changedPaths((await this.#call("UnmaskUnitFiles", "asb", [names, false]))[0]);
  }

  /** Makes systemd read its unit files again. Takes about 80 ms on a small host. */
  async reload(): Promise<void> {
    await this.#call("Reload");
  }

  /** Sets properties for good: systemd writes a drop-in for each. */
  async setProperties(unit: string, properties: readonly (readonly [string, Variant])[]): Promise<void> {
    await this.#call("SetUnitProperties", "sba(sv)", [unit, false, properties]);
  }

  #call(member: string, signature = "", body: readonly unknown[] = []): Promise<readonly unknown[]> {
    return this.bus.call({ destination: MANAGER_NAME, path: MANAGER_PATH, interface: MANAGER_INTERFACE, member, signature, body });
  }
}

/** What systemd answers; undefined where it answers with an error. That there is no answer stays an error. */
export async function orNothing<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (dbusErrorName(error) === undefined) throw error;
    return undefined;
  }
}

function statuses([rows]: readonly unknown[]): UnitStatus[] {
  return (rows as string[][]).map(([id = "", , loadState = "", activeState = "", subState = "", , path = "", , job = ""]) => ({
    id, loadState, activeState, subState, path, job,
  }));
}

function changedPaths(changes: unknown): string[] {
  return (changes as [kind: string, path: string, source: string][]).map(([, path]) => path);
}

function unitFiles([rows]: readonly unknown[]): UnitFile[] {
  return (rows as string[][]).map(([path = "", state = ""]) => ({ name: path.slice(path.lastIndexOf("/") + 1), path, state }));
}
