import type { Manager, UnitStatus } from "./manager.ts";

/** Units' statuses for the length of one reading: each is asked for once, and what is wanted at the same time travels in one call. */
export class Statuses {
  readonly #manager: Manager;
  readonly #known = new Map<string, Promise<UnitStatus | undefined>>();
  #wanted: string[] = [];
  #call: Promise<ReadonlyMap<string, UnitStatus>> | undefined;

  constructor(manager: Manager) {
    this.#manager = manager;
  }

  async of(names: readonly string[]): Promise<UnitStatus[]> {
    const statuses = await Promise.all(names.map((name) => this.#one(name)));
    return statuses.filter((status) => status !== undefined);
  }

  #one(name: string): Promise<UnitStatus | undefined> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    this.#wanted.push(name);
    this.#call ??= this.#ask();
    const status = this.#call.then((all) => all.get(name));
    this.#known.set(name, status);
    return status;
  }

  async #ask(): Promise<ReadonlyMap<string, UnitStatus>> {
    // After the replies that have arrived together were looked at.
    await new Promise((resolve) => setImmediate(resolve));
    const names = this.#wanted;
    this.#wanted = [];
    this.#call = undefined;
    const statuses = await this.#manager.listUnitsByNames(names);
    return new Map(names.flatMap((name, index) => (statuses[index] === undefined ? [] : [[name, statuses[index]] as const])));
  }
}
