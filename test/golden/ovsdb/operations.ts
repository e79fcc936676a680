import { isWireList, isWireObject, type Wire } from "../../../src/protocols/ovsdb/json.ts";
import type { Operation } from "../../../src/protocols/ovsdb/operation.ts";
import { decodeRow, decodeValue } from "../../../src/protocols/ovsdb/value.ts";

/** An operation of a captured transaction: the way back from encodeOperation, which op-dbus itself has no use for. */
export function operationOf(wire: Wire): Operation {
  if (!isWireObject(wire)) throw new Error("An operation that is no object");
  const members = Object.entries(wire).map(([key, value]): [string, unknown] => {
    if (key === "row") return [key, decodeRow(value)];
    if (key === "rows") return [key, listOf(value).map(decodeRow)];
    if (key === "where" || key === "mutations") return [key, listOf(value).map((clause) => clauseOf(listOf(clause)))];
    if (key === "uuid-name") return ["uuidName", value];
    return [key === "timeout" ? "timeoutMs" : key, value];
  });
  return Object.fromEntries(members) as unknown as Operation;
}

function clauseOf([column, verb, value = null]: readonly Wire[]): unknown {
  return [column, verb, decodeValue(value)];
}

function listOf(wire: Wire): readonly Wire[] {
  if (!isWireList(wire)) throw new Error("No list where there should be one");
  return wire;
}
