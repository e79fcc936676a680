import * as v from "valibot";
import { ProtocolViolation, type Wire } from "./json.ts";
import { atomsOf, decodeValue, ID, pairsOf, type Atom, type Value } from "./value.ts";

/*
 * The schema of a database: RFC 7047 3.2. Pure.
 */

export type AtomicType = "integer" | "real" | "boolean" | "string" | "uuid";

/** What a key, a value or a member may be. */
export interface BaseType {
  readonly type: AtomicType;
  /** The only values allowed, where they are listed. */
  readonly enum?: readonly Atom[];
  readonly minInteger?: number | bigint;
  readonly maxInteger?: number | bigint;
  readonly minReal?: number;
  readonly maxReal?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Of a uuid: whose rows it names, and whether it keeps them. */
  readonly refTable?: string;
  readonly refType?: "strong" | "weak";
}

export interface ColumnType {
  readonly key: BaseType;
  /** A map has it. */
  readonly value?: BaseType;
  readonly min: 0 | 1;
  /** Infinity for "unlimited". */
  readonly max: number;
}

export interface ColumnSchema {
  readonly type: ColumnType;
  /** Not kept when the database restarts: status, mostly. */
  readonly ephemeral: boolean;
  /** Whether it can be changed after its row was inserted. */
  readonly mutable: boolean;
}

export interface TableSchema {
  readonly columns: ReadonlyMap<string, ColumnSchema>;
  readonly maxRows?: number;
  /** Rows of any other table are gone when nothing refers to them. */
  readonly isRoot: boolean;
  readonly indexes: readonly (readonly string[])[];
}

export interface DatabaseSchema {
  readonly name: string;
  readonly version: string;
  readonly tables: ReadonlyMap<string, TableSchema>;
}

/** What a column's value is: one atom, one or none, any number of them, or pairs. */
export type Shape = "scalar" | "optional" | "set" | "map";

/** A value as its column has it, in whichever spelling it came. */
export type Datum =
  | { readonly shape: "scalar"; readonly atom: Atom }
  | { readonly shape: "optional"; readonly atom: Atom | undefined }
  | { readonly shape: "set"; readonly atoms: readonly Atom[] }
  | { readonly shape: "map"; readonly map: ReadonlyMap<Atom, Atom> };

export function shapeOf({ value, min, max }: ColumnType): Shape {
  if (value !== undefined) return "map";
  if (max > 1) return "set";
  return min === 1 ? "scalar" : "optional";
}

/** Throws ProtocolViolation for a value that is not of the column's type. Limits of numbers and lengths are the database's to check. */
export function readColumn(type: ColumnType, value: Value): Datum {
  const shape = shapeOf(type);
  if (shape === "map") {
    const pairs = pairsOf(value).map(([key, inner]) => [typed(type.key, key), typed(type.value ?? type.key, inner)] as const);
    counted(type, pairs.length);
    return { shape, map: new Map(pairs) };
  }
  const atoms = atomsOf(value).map((atom) => typed(type.key, atom));
  counted(type, atoms.length);
  const [atom] = atoms;
  if (shape === "set") return { shape, atoms };
  return shape === "scalar" && atom !== undefined ? { shape, atom } : { shape: "optional", atom };
}

/** Throws ProtocolViolation for what is no schema. */
export function decodeSchema(wire: Wire): DatabaseSchema {
  const parsed = v.safeParse(databaseSchema, wire);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new ProtocolViolation(`a schema that is none: ${v.getDotPath(issue) ?? ""} ${issue.message}`);
}

function counted({ min, max }: ColumnType, count: number): void {
  if (count < min || count > max) throw new ProtocolViolation(`${count} members where there are ${min} to ${max}`);
}

function typed({ type }: BaseType, atom: Atom): Atom {
  if (!IS_OF_TYPE[type](atom)) throw new ProtocolViolation(`an atom that is no ${type}`);
  return atom;
}

const IS_OF_TYPE: Readonly<Record<AtomicType, (atom: Atom) => boolean>> = {
  integer: (atom) => typeof atom === "bigint" || Number.isSafeInteger(atom),
  real: (atom) => typeof atom === "number" || typeof atom === "bigint",
  boolean: (atom) => typeof atom === "boolean",
  string: (atom) => typeof atom === "string",
  uuid: (atom) => typeof atom === "object" && "uuid" in atom,
};

const atomicType = v.picklist(["integer", "real", "boolean", "string", "uuid"]);
const id = v.pipe(v.string(), v.regex(ID));
const integer = v.union([v.number(), v.bigint()]);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const members = v.rawTransform<unknown, readonly Atom[]>(({ dataset, addIssue, NEVER }) => {
  try {
    return atomsOf(decodeValue(dataset.value as Wire));
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
    addIssue({ message: error.message });
    return NEVER;
  }
});

const baseType = v.union([
  v.pipe(atomicType, v.transform((type): BaseType => ({ type }))),
  v.object({
    type: atomicType,
    enum: v.exactOptional(v.pipe(v.unknown(), members)),
    minInteger: v.exactOptional(integer),
    maxInteger: v.exactOptional(integer),
    minReal: v.exactOptional(v.number()),
    maxReal: v.exactOptional(v.number()),
    minLength: v.exactOptional(count),
    maxLength: v.exactOptional(count),
    refTable: v.exactOptional(id),
    refType: v.exactOptional(v.picklist(["strong", "weak"])),
  }),
]);

const columnType = v.union([
  v.pipe(atomicType, v.transform((type): ColumnType => ({ key: { type }, min: 1, max: 1 }))),
  v.object({
    key: baseType,
    value: v.exactOptional(baseType),
    min: v.optional(v.picklist([0, 1]), 1),
    max: v.optional(v.union([v.pipe(count, v.minValue(1)), v.pipe(v.literal("unlimited"), v.transform(() => Infinity))]), 1),
  }),
]);

const tableSchema = v.object({
  columns: v.pipe(v.record(id, v.object({ type: columnType, ephemeral: v.optional(v.boolean(), false), mutable: v.optional(v.boolean(), true) })), named()),
  maxRows: v.exactOptional(count),
  isRoot: v.optional(v.boolean(), false),
  indexes: v.optional(v.array(v.array(id)), []),
});

const databaseSchema = v.object({
  name: id,
  version: v.string(),
  tables: v.pipe(v.record(id, tableSchema), named()),
});

function named<T>() {
  return v.transform((record: Readonly<Record<string, T>>): ReadonlyMap<string, T> => new Map(Object.entries(record)));
}
