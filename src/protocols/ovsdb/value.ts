import { OpError } from "../../core/errors.ts";
import { isWireList, isWireObject, ProtocolViolation, quoted, wireText, type Wire } from "./json.ts";

/*
 * The values of columns: RFC 7047 5.1. Pure. A value keeps the spelling in which it came, so that it goes out as it was; `atomsOf`,
 * `pairsOf` and `sameValue` see through the spellings.
 */

/** A row of the database by its identity. */
export interface Uuid {
  readonly uuid: string;
}

/** A row that is inserted in the same transaction, by the name it has there. */
export interface NamedUuid {
  readonly namedUuid: string;
}

/** An integer is a number, or a bigint where a number cannot hold it; a real is a number. */
export type Atom = number | bigint | boolean | string | Uuid | NamedUuid;

export interface SetValue {
  readonly set: readonly Atom[];
}

export interface MapValue {
  readonly map: readonly Pair[];
}

export type Pair = readonly [key: Atom, value: Atom];

/** An optional column is a set of none or one; a set of one may be the bare atom. */
export type Value = Atom | SetValue | MapValue;

/** Some columns of a row, by name. */
export type Row = Readonly<Record<string, Value>>;

export const EMPTY: SetValue = { set: [] };

/** A column of strings by strings: other_config and its like. */
export function mapOf(entries: Readonly<Record<string, string>>): MapValue {
  return { map: Object.entries(entries) };
}

/** The members of a set, in whichever spelling; a map has none that could be told from pairs and throws ProtocolViolation. */
export function atomsOf(value: Value): readonly Atom[] {
  if (isMap(value)) throw new ProtocolViolation("a map instead of a set");
  return isSet(value) ? value.set : [value];
}

/** The pairs of a map. */
export function pairsOf(value: Value): readonly Pair[] {
  if (!isMap(value)) throw new ProtocolViolation("no map where there should be one");
  return value.map;
}

/** Whether both are the same set, or the same map: neither order nor spelling counts. */
export function sameValue(a: Value, b: Value): boolean {
  const [left, right] = [membersOf(a), membersOf(b)];
  return isMap(a) === isMap(b) && left.size === right.size && left.isSubsetOf(right);
}

/** Throws ProtocolViolation for what is no value. */
export function decodeValue(wire: Wire): Value {
  if (!isWireList(wire)) return decodeAtom(wire);
  const [tag, content, ...more] = wire;
  if (tag !== "set" && tag !== "map") return decodeAtom(wire);
  if (!isWireList(content) || more.length > 0) throw noValue(wire);
  return tag === "set" ? { set: content.map(decodeAtom) } : { map: content.map(decodePair) };
}

/** Throws kind invalid for what the database cannot hold. */
export function encodeValue(value: Value): Wire {
  if (isSet(value)) return ["set", value.set.map(encodeAtom)];
  if (isMap(value)) return ["map", value.map.map(([key, inner]) => [encodeAtom(key), encodeAtom(inner)])];
  return encodeAtom(value);
}

export function decodeRow(wire: Wire | undefined): Row {
  if (!isWireObject(wire)) throw new ProtocolViolation("a row that is no object");
  return Object.fromEntries(Object.entries(wire).map(([column, value]) => [column, decodeValue(value)]));
}

export function encodeRow(row: Row): Wire {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, encodeValue(value)]));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** RFC 7047 3.1, <id>. */
export const ID = /^[A-Za-z_][A-Za-z0-9_]*$/;
const INTEGER_BITS = 64;

export function decodeAtom(wire: Wire): Atom {
  if (typeof wire === "string" || typeof wire === "boolean" || typeof wire === "number") return wire;
  if (typeof wire === "bigint" && isInteger(wire)) return wire;
  if (!isWireList(wire) || wire.length !== 2) throw noValue(wire);
  const [tag, text] = wire;
  if (tag === "uuid" && typeof text === "string" && UUID.test(text)) return { uuid: text };
  if (tag === "named-uuid" && typeof text === "string" && ID.test(text)) return { namedUuid: text };
  throw noValue(wire);
}

function encodeAtom(atom: Atom): Wire {
  if (typeof atom === "object") return "uuid" in atom ? ["uuid", atom.uuid] : ["named-uuid", atom.namedUuid];
  // ovsdb-server would end the connection over these.
  if (typeof atom === "string" && (atom.includes("\0") || !atom.isWellFormed())) throw cannotHold(quoted(atom), "it has a NUL or half a character in it");
  if (typeof atom === "number" && !Number.isFinite(atom)) throw cannotHold(String(atom), "it is not a number");
  if (typeof atom === "bigint" && !isInteger(atom)) throw cannotHold(String(atom), "an integer has 64 bits");
  return atom;
}

function decodePair(wire: Wire): Pair {
  if (!isWireList(wire) || wire.length !== 2) throw noValue(wire);
  const [key, value] = wire;
  return [decodeAtom(key ?? null), decodeAtom(value ?? null)];
}

/** Each member in a spelling of its own, once. */
function membersOf(value: Value): Set<string> {
  const members = isMap(value) ? value.map.map((pair) => pair.map(spellingOf).join(":")) : atomsOf(value).map(spellingOf);
  return new Set(members);
}

function spellingOf(atom: Atom): string {
  if (typeof atom !== "object") return typeof atom === "string" ? JSON.stringify(atom) : String(atom);
  return "uuid" in atom ? atom.uuid.toLowerCase() : `named ${atom.namedUuid}`;
}

function isSet(value: Value): value is SetValue {
  return typeof value === "object" && "set" in value;
}

export function isMap(value: Value): value is MapValue {
  return typeof value === "object" && "map" in value;
}

function isInteger(value: bigint): boolean {
  return BigInt.asIntN(INTEGER_BITS, value) === value;
}

function noValue(wire: Wire): ProtocolViolation {
  return new ProtocolViolation(`${quoted(wireText(wire))} instead of a value`);
}

function cannotHold(what: string, why: string): OpError {
  return new OpError("invalid", `Open vSwitch's database cannot hold ${what}: ${why}`);
}
