import { OpError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { Bus, Variant } from "../protocols/dbus/bus.ts";
import { dbusErrorName } from "../protocols/dbus/errors.ts";

/** One property of a transient unit: its name, its D-Bus type, its value. */
export type Property = readonly [name: string, signature: string, value: unknown];

interface Auxiliary {
  readonly name: string;
  readonly properties: readonly Property[];
}

const NAME = "org.freedesktop.systemd1";
const PATH = "/org/freedesktop/systemd1";
/** systemd does what these ask for within milliseconds; longer than this, something keeps it from it. */
const LIMIT_MS = 10_000;
const INTERVAL_MS = 5;

/** op-dbus's own units, by org.freedesktop.systemd1(5). */
export class ManagerUnits {
  readonly #bus: Bus;
  readonly #clock: Clock;

  constructor(bus: Bus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /** Gives the paths of the links that it made. */
  async enable(name: string): Promise<string[]> {
    return changedPaths((await this.#call("EnableUnitFiles", "asbb", [[name], false, true]))[1]);
  }

  /** Gives the paths of the links that it removed. */
  async disable(name: string): Promise<string[]> {
    const found = await this.#call("DisableUnitFiles", "asb", [[name], false]).catch(unlessUnknown);
    return found === undefined ? [] : changedPaths(found[0]);
  }

  async reload(): Promise<void> {
    await this.#call("Reload");
  }

  async isLoaded(name: string): Promise<boolean> {
    return (await this.#pathOf(name)) !== undefined;
  }

  /** Returns when systemd knows it no more; one that it does not know is stopped already. */
  async stop(name: string): Promise<void> {
    if ((await this.#pathOf(name)) === undefined) return;
    await this.#call("StopUnit", "ss", [name, "replace"]).catch(unlessUnknown);
    await this.#until(`${name} is gone`, async () => (await this.#pathOf(name)) === undefined);
  }

  /** Returns when it is active. */
  async startTransient(name: string, properties: readonly Property[], auxiliary: Auxiliary): Promise<void> {
    await this.#call("StartTransientUnit", "ssa(sv)a(sa(sv))", [name, "fail", properties.map(valued), [[auxiliary.name, auxiliary.properties.map(valued)]]]);
    await this.#until(`${name} is active`, async () => (await this.#activeState(name)) === "active");
  }

  /** Throws kind refused for a unit that systemd would not start. */
  async checkLoads(name: string): Promise<void> {
    const [path] = await this.#call("LoadUnit", "s", [name]);
    const state = await this.#property(String(path), "LoadState");
    if (state !== "loaded") throw new OpError("refused", `systemd does not take the unit ${name}: it is ${state}`);
  }

  async #activeState(name: string): Promise<string | undefined> {
    const path = await this.#pathOf(name);
    return path === undefined ? undefined : await this.#property(path, "ActiveState");
  }

  async #property(path: string, property: string): Promise<string> {
    const call = { destination: NAME, path, interface: "org.freedesktop.DBus.Properties", member: "Get", signature: "ss", body: [`${NAME}.Unit`, property] };
    const [value] = await this.#bus.call(call);
    return String((value as Variant).value);
  }

  async #pathOf(name: string): Promise<string | undefined> {
    const found = await this.#call("GetUnit", "s", [name]).catch(unlessUnknown);
    return found === undefined ? undefined : String(found[0]);
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (const began = this.#clock.monotonicMs(); !(await isSo()); ) {
      if (this.#clock.monotonicMs() - began > LIMIT_MS) throw new OpError("unavailable", `systemd took longer than ${LIMIT_MS / 1000} s until ${what}`);
      await this.#clock.sleep(INTERVAL_MS);
    }
  }

  #call(member: string, signature = "", body: readonly unknown[] = []): Promise<readonly unknown[]> {
    return this.#bus.call({ destination: NAME, path: PATH, interface: `${NAME}.Manager`, member, signature, body });
  }
}

function valued([name, signature, value]: Property): [string, Variant] {
  return [name, { signature, value }];
}

/** systemd's list of what it did to unit files: (kind, path, source) each. */
function changedPaths(changes: unknown): string[] {
  return (changes as [string, string, string][]).map(([, path]) => path);
}

function unlessUnknown(error: unknown): undefined {
  if (dbusErrorName(error) === "org.freedesktop.systemd1.NoSuchUnit") return undefined;
  throw error;
}
