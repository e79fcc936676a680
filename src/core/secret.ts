import * as v from "valibot";
import type { GenericSchema } from "valibot";
import { isList, isObject, type Json, type JsonObject } from "./json.ts";
import { unwrap, type SchemaShape } from "./schema-shape.ts";

/*
 * A secret is a text that a plugin's schema marks. Wherever a value may be stored or shown, its commitment stands in its place:
 * { "secret": "<SHA-256>" }. What it commits to is kept apart (SecretStore).
 */

/** What stands in a secret's place. */
export interface Sealed extends JsonObject {
  readonly secret: string;
}

/** What it takes to check, and to know, what a commitment is to. */
export interface Opening {
  /** 32 bytes in lower-case hex. */
  readonly salt: string;
  readonly value: string;
}

/** In a reading: there is a secret, and the peer does not tell it. It can be taken away, which is one-way, and not declared. */
export const UNREADABLE: Sealed = { secret: "unreadable" };

/** The kind of a step that takes away a secret which cannot be read first. A plugin that reads `UNREADABLE` lists it in `oneWay`. */
export const UNREADABLE_LOST = "unreadable-secret";

const DIGEST = /^[0-9a-f]{64}$/;
const sealedSchema = v.strictObject({ secret: v.pipe(v.string(), v.regex(DIGEST, "not the commitment to a secret: 64 hex digits")) });

/** A key whose text is a secret: JSON Schema's `writeOnly`. A document says the text, or the commitment that op-dbus showed for it. */
export function secret<T extends GenericSchema<string>>(text: T) {
  return v.pipe(v.union([text, sealedSchema]), v.metadata({ writeOnly: true }));
}

export function isSealed(value: Json | undefined): value is Sealed {
  if (!isObject(value) || typeof value.secret !== "string" || Object.keys(value).length !== 1) return false;
  return DIGEST.test(value.secret) || isUnreadable(value);
}

export function isUnreadable(value: Json | undefined): boolean {
  return isObject(value) && value.secret === UNREADABLE.secret;
}

/** Every commitment in a value, once. */
export function commitmentsIn(value: Json): string[] {
  const commitments = sealedIn(value).filter((sealed) => !isUnreadable(sealed)).map(({ secret: commitment }) => commitment);
  return [...new Set(commitments)];
}

/** How often a value has a secret that the peer does not tell. */
export function unreadableIn(value: Json): number {
  return sealedIn(value).filter(isUnreadable).length;
}

/**
 * SHA-256 over "op-dbus-secret-v1", the salt and the value in UTF-8, a newline between each: nothing but the value has a length
 * of its own. The salt hides a value that could be guessed; that SHA-256 has no collisions binds to it.
 */
export function commitmentTo({ salt, value }: Opening): string {
  return new Bun.CryptoHasher("sha256").update(`op-dbus-secret-v1\n${salt}\n${value}`).digest("hex");
}

/** A value with every sealed one in it replaced. */
export function mapSealed(value: Json, change: (sealed: Sealed) => Json): Json {
  if (isSealed(value)) return change(value);
  if (isList(value)) return value.map((member) => mapSealed(member, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapSealed(member, change)]));
}

function sealedIn(value: Json): Sealed[] {
  if (isSealed(value)) return [value];
  return isList(value) || isObject(value) ? Object.values(value).flatMap(sealedIn) : [];
}

/** Where something stands in a section of a document. */
export type SectionPath = readonly (string | number)[];

/** Whether a schema marks any secret. */
export function hasSecrets(schema: GenericSchema): boolean {
  const known = marked.get(schema) ?? anyMarked(schema as unknown as SchemaShape, new Set());
  marked.set(schema, known);
  return known;
}

const marked = new WeakMap<GenericSchema, boolean>();

/** A section with every value that its schema marks replaced; null, which is unset, stays. The section need not be valid. */
export function mapSecrets(schema: GenericSchema, section: Json, change: (value: Json, path: SectionPath) => Json): Json {
  return walk([schema as unknown as SchemaShape], section, [], change);
}

/** The same for what stands at a path of a section; `within` leads on from there. */
export function mapSecretsAt(schema: GenericSchema, at: SectionPath, value: Json, change: (value: Json, within: SectionPath) => Json): Json {
  if (isSecretAt(schema, at)) return value === null ? value : change(value, []);
  return walk(at.reduce<SchemaShape[]>(below, [schema as unknown as SchemaShape]), value, [], change);
}

/** Whether a schema marks what stands at a path, or what it stands in. */
export function isSecretAt(schema: GenericSchema, path: SectionPath): boolean {
  let shapes = [schema as unknown as SchemaShape];
  for (const key of path) {
    if (shapes.some(isMarked)) return true;
    shapes = below(shapes, key);
  }
  return shapes.some(isMarked);
}

function walk(shapes: readonly SchemaShape[], value: Json, path: SectionPath, change: (value: Json, path: SectionPath) => Json): Json {
  if (value === null || shapes.length === 0) return value;
  if (shapes.some(isMarked)) return change(value, path);
  if (isList(value)) return value.map((member, index) => walk(below(shapes, index), member, [...path, index], change));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, walk(below(shapes, key), member, [...path, key], change)]));
}

function below(shapes: readonly SchemaShape[], key: string | number): SchemaShape[] {
  const options = shapes.flatMap(unwrap);
  if (typeof key === "number") return options.flatMap(({ item }) => item ?? []);
  return options.flatMap(({ entries, value }) => (entries !== undefined && Object.hasOwn(entries, key) ? entries[key] : value) ?? []);
}

/** A choice of which one is a secret is one. */
function isMarked({ pipe = [], wrapped, options = [] }: SchemaShape): boolean {
  return pipe.some(({ metadata }) => metadata?.writeOnly === true) || (wrapped !== undefined && isMarked(wrapped)) || options.some(isMarked);
}

function anyMarked(shape: SchemaShape, seen: Set<SchemaShape>): boolean {
  if (seen.has(shape)) return false;
  seen.add(shape);
  if (isMarked(shape)) return true;
  const { entries = {}, wrapped, value, item, options = [] } = shape;
  return [...Object.values(entries), wrapped, value, item, ...options].some((inner) => inner !== undefined && anyMarked(inner, seen));
}
