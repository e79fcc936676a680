import type { GenericSchema } from "valibot";
import { OpError } from "../core/errors.ts";
import { canonicalJson, isObject, type Json } from "../core/json.ts";
import { diagnose } from "../core/schema.ts";
import type { StateDirectory } from "./state-directory.ts";

/** Reads a file of one JSON value. Throws kind integrity, naming the path, for anything that op-dbus would not have written. */
export function readStored<T>(
  directory: StateDirectory,
  path: string,
  schema: GenericSchema<unknown, T>,
): T | undefined {
  const text = directory.readText(path);
  return text === undefined ? undefined : parseStored(text, schema, (what) => damaged(path, what));
}

/** A JSON text checked by a schema, or what `failure` makes of what is wrong with it. */
export function parseStored<T>(
  text: string,
  schema: GenericSchema<unknown, T>,
  failure: (what: string) => OpError,
): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw failure(text === "" ? "it is empty" : "it is not JSON");
  }
  return checkStored(value, schema, failure);
}

/** The value itself, checked by a schema: valibot's copy of a record leaves out keys such as "constructor". */
export function checkStored<T>(
  value: unknown,
  schema: GenericSchema<unknown, T>,
  failure: (what: string) => OpError,
): T {
  if (!isObject(value)) throw failure("it is not an object");
  // `diagnose` names a key without what its path begins with.
  const findings = diagnose(schema, value, [""]);
  if (findings.length === 0) return value as T;
  throw failure(findings.map(({ message }) => message).join("; "));
}

/** The value in the one form in which it is stored. Throws kind internal for what could not be read back. */
export function storedText<T>(value: T, schema: GenericSchema<unknown, T>): string {
  return canonicalJson(storable(value, schema) as Json);
}

/** The value as JSON can hold it. Throws kind internal for what could not be read back. */
export function storable<T>(value: T, schema: GenericSchema<unknown, T>): T {
  const text = JSON.stringify(value);
  const plain: unknown = JSON.parse(HALF_SURROGATE.test(text) ? JSON.stringify(value, (_, inner: unknown) => wellFormed(inner)) : text);
  return checkStored(plain, schema, (what) => new OpError("internal", `What is to be stored could not be read back: ${what}`));
}

/** JSON.stringify writes half a surrogate pair so, and whole ones as they are. */
const HALF_SURROGATE = /\\ud[89a-f]/;

/** The error for a file that holds what op-dbus would not have written. */
export function damaged(path: string, what: string): OpError {
  return new OpError("integrity", `${path} is damaged: ${what}`, {
    hint: "Bring the file back from a backup; op-dbus does not guess what it said",
  });
}

/** A peer's words may hold half a surrogate pair, which has no canonical form. */
function wellFormed(value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}
