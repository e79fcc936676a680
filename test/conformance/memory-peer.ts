import type { Scalar } from "./memory-schema.ts";
import { Instants } from "./instants.ts";

export interface Item {
  /** Given at creation: an item made again is another one. */
  readonly id: number;
  value: Scalar;
  level: number | null;
  up: boolean;
  properties: Record<string, Scalar>;
  members: string[];
  complete: string[];
  /** An item that comes up along with this one. */
  pulls: string | null;
  /** The same, but nobody can know it beforehand. */
  echo: string | null;
  /** Both are secret. */
  password: string | null;
  keys: string[];
  /** The peer does not tell the password, only that there is one. */
  discreet: boolean;
  fuse: "intact" | "burnt";
  /** A fact: its value cannot be changed. */
  frozen: boolean;
  restarts: number;
}

export type ItemKeys = Partial<Omit<Item, "id">>;

/** An item that came up, and whose coming up brought it along. */
export interface CameUp {
  readonly name: string;
  readonly by: string;
  readonly foreseeable: boolean;
}

/** The host of a memory plugin: items in a Map, each call counted, each write able to fail, to kill, or to show late. */
export class MemoryPeer {
  readonly #items = new Map<string, Item>();
  #lastId = 0;
  #shown: ReadonlyMap<string, Item> | undefined;
  #hiddenReads = 0;
  writes = 0;
  reads = 0;
  /** How many reads after a write still show what was before. */
  settlesAfterReads = 0;
  /** Why nothing can be read, if so. */
  unreadable: Error | undefined;
  /** Makes a write fail instead of happening. */
  failing: (call: string) => Error | undefined = () => undefined;
  /** Of the process that calls. */
  instants = new Instants();

  /** A round trip that shows all items. */
  read(): ReadonlyMap<string, Item> {
    this.instants.alive();
    this.reads += 1;
    if (this.unreadable !== undefined) throw this.unreadable;
    if (this.#hiddenReads > 0) {
      this.#hiddenReads -= 1;
      return this.#shown ?? this.#items;
    }
    return structuredClone(this.#items);
  }

  create(names: readonly string[]): void {
    this.#write(`create ${names.join(" ")}`, () => names.forEach((name) => this.#items.has(name) || this.put(name, {})));
  }

  remove(names: readonly string[]): void {
    this.#write(`remove ${names.join(" ")}`, () => names.forEach((name) => this.#items.delete(name)));
  }

  set(name: string, change: (item: Item) => void): void {
    this.#write(`set ${name}`, () => change(this.#named(name)));
  }

  restart(name: string): void {
    this.#write(`restart ${name}`, () => void (this.#named(name).restarts += 1));
  }

  burn(names: readonly string[]): void {
    this.#write(`burn ${names.join(" ")}`, () => names.forEach((name) => void (this.#named(name).fuse = "burnt")));
  }

  takeDown(names: readonly string[]): void {
    this.#write(`take down ${names.join(" ")}`, () => names.forEach((name) => void (this.#named(name).up = false)));
  }

  bringUp(names: readonly string[]): CameUp[] {
    return this.#write(`bring up ${names.join(" ")}`, () => names.flatMap((name) => this.#up(name, { by: name, foreseeable: true })));
  }

  /** Behind everybody's back: makes the item if it is not there. */
  put(name: string, keys: ItemKeys): Item {
    const item = this.#items.get(name) ?? { ...structuredClone(NEW_ITEM), id: ++this.#lastId };
    this.#items.set(name, Object.assign(item, structuredClone(keys)));
    return item;
  }

  /** Behind everybody's back. */
  drop(name: string): void {
    this.#items.delete(name);
  }

  /** What is, without a read. */
  get items(): ReadonlyMap<string, Item> {
    return this.#items;
  }

  #up(name: string, { by, foreseeable }: Omit<CameUp, "name">): CameUp[] {
    const item = this.#items.get(name);
    if (item === undefined || item.up) return [];
    item.up = true;
    const pulled = item.pulls === null ? [] : this.#up(item.pulls, { by: name, foreseeable });
    const echoed = item.echo === null ? [] : this.#up(item.echo, { by: name, foreseeable: false });
    return [{ name, by, foreseeable }, ...pulled, ...echoed];
  }

  #named(name: string): Item {
    const item = this.#items.get(name);
    if (item === undefined) throw new Error(`There is no item '${name}'`);
    return item;
  }

  #write<T>(call: string, change: () => T): T {
    return this.instants.around(call, () => {
      const error = this.failing(call);
      if (error !== undefined) throw error;
      const before = structuredClone(this.#items);
      this.writes += 1;
      const result = change();
      if (this.settlesAfterReads > 0) {
        this.#shown = before;
        this.#hiddenReads = this.settlesAfterReads;
      }
      return result;
    });
  }
}

const NEW_ITEM: Omit<Item, "id"> = {
  value: null,
  level: null,
  up: false,
  properties: {},
  members: [],
  complete: [],
  pulls: null,
  echo: null,
  password: null,
  keys: [],
  discreet: false,
  fuse: "intact",
  frozen: false,
  restarts: 0,
};
