import { isWireObject, ProtocolViolation, type Wire } from "./json.ts";
import { decodeRow, type Row } from "./value.ts";

/** What became of one row: new without old was inserted (or is there from the start), old without new was deleted. */
export interface RowUpdate {
  /** Of a changed row, only the columns that changed. */
  readonly old?: Row;
  readonly new?: Row;
}

/** By table, then by the row's uuid. */
export type TableUpdates = ReadonlyMap<string, ReadonlyMap<string, RowUpdate>>;

/** <table-updates>, RFC 7047 4.1.6. Throws ProtocolViolation for what is none. */
export function decodeUpdates(wire: Wire | undefined): TableUpdates {
  return new Map(membersOf(wire).map(([table, rows]) => [table, new Map(membersOf(rows).map(([uuid, row]) => [uuid, decodeUpdate(row)]))]));
}

function decodeUpdate(wire: Wire): RowUpdate {
  if (!isWireObject(wire)) throw new ProtocolViolation("an update of a row that is no object");
  const { old, new: fresh } = wire;
  return { ...(old === undefined ? {} : { old: decodeRow(old) }), ...(fresh === undefined ? {} : { new: decodeRow(fresh) }) };
}

function membersOf(wire: Wire | undefined): [string, Wire][] {
  if (!isWireObject(wire)) throw new ProtocolViolation("updates that are no object");
  return Object.entries(wire);
}
