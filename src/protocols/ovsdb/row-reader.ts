import { OpError } from "../../core/errors.ts";
import { atomsOf, isMap, type Atom, type Row, type Uuid, type Value } from "./value.ts";

/** Reads the columns of one row as what they are. A column that is not there, or is not that, throws kind failed with its name: this Open vSwitch has another schema. */
export class RowReader {
  readonly #table: string;
  readonly #row: Row;

  constructor(table: string, row: Row) {
    this.#table = table;
    this.#row = row;
  }

  get uuid(): Uuid {
    return this.#one("_uuid", isUuid);
  }

  string(column: string): string {
    return this.#one(column, isString);
  }

  optionalString(column: string): string | undefined {
    return this.#optional(column, isString);
  }

  optionalNumber(column: string): number | undefined {
    return this.#optional(column, isNumber);
  }

  boolean(column: string): boolean {
    return this.#one(column, isBoolean);
  }

  numbers(column: string): readonly number[] {
    return this.#members(column, isNumber);
  }

  strings(column: string): readonly string[] {
    return this.#members(column, isString);
  }

  uuids(column: string): readonly string[] {
    return this.#members(column, isUuid).map(({ uuid }) => uuid);
  }

  map(column: string): ReadonlyMap<string, string> {
    const value = this.#value(column);
    if (!isMap(value)) throw this.#unfit(column);
    const pairs = value.map.map(([key, inner]) => {
      if (!isString(key) || !isString(inner)) throw this.#unfit(column);
      return [key, inner] as const;
    });
    return new Map(pairs);
  }

  #one<T extends Atom>(column: string, is: (atom: Atom) => atom is T): T {
    const [atom, ...more] = this.#members(column, is);
    if (atom === undefined || more.length > 0) throw this.#unfit(column);
    return atom;
  }

  #optional<T extends Atom>(column: string, is: (atom: Atom) => atom is T): T | undefined {
    const [atom, ...more] = this.#members(column, is);
    if (more.length > 0) throw this.#unfit(column);
    return atom;
  }

  #members<T extends Atom>(column: string, is: (atom: Atom) => atom is T): readonly T[] {
    const value = this.#value(column);
    const atoms = isMap(value) ? undefined : atomsOf(value);
    if (atoms?.every(is) !== true) throw this.#unfit(column);
    return atoms;
  }

  #value(column: string): Value {
    const value = Object.hasOwn(this.#row, column) ? this.#row[column] : undefined;
    if (value === undefined) throw this.#unfit(column);
    return value;
  }

  #unfit(column: string): OpError {
    return new OpError("failed", `Column '${column}' of Open vSwitch's table ${this.#table} is not what it should be`);
  }
}

const isString = (atom: Atom): atom is string => typeof atom === "string";
const isNumber = (atom: Atom): atom is number => typeof atom === "number";
const isBoolean = (atom: Atom): atom is boolean => typeof atom === "boolean";
const isUuid = (atom: Atom): atom is Uuid => typeof atom === "object" && "uuid" in atom;
