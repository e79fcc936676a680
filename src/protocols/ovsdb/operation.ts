import type { Wire } from "./json.ts";
import { encodeRow, encodeValue, type Row, type Value } from "./value.ts";

/*
 * What a transaction is made of: RFC 7047 5.2. Pure.
 */

export type Condition = readonly [column: string, test: "<" | "<=" | "==" | "!=" | ">=" | ">" | "includes" | "excludes", value: Value];
export type Mutation = readonly [column: string, mutator: "+=" | "-=" | "*=" | "/=" | "%=" | "insert" | "delete", value: Value];

/** Rows of a table: those that meet every condition, all where there is none. */
interface Rows {
  readonly table: string;
  readonly where: readonly Condition[];
}

export interface Insert {
  readonly op: "insert";
  readonly table: string;
  readonly row: Row;
  /** By which the transaction's other operations know the row. */
  readonly uuidName?: string;
}

export interface Select extends Rows {
  readonly op: "select";
  readonly columns: readonly string[];
}

export interface Update extends Rows {
  readonly op: "update";
  readonly row: Row;
}

export interface Mutate extends Rows {
  readonly op: "mutate";
  readonly mutations: readonly Mutation[];
}

export interface Delete extends Rows {
  readonly op: "delete";
}

/** Holds the transaction until the rows are, or are not, these. */
export interface Wait extends Rows {
  readonly op: "wait";
  readonly columns: readonly string[];
  readonly until: "==" | "!=";
  readonly rows: readonly Row[];
  /** 0 aborts the transaction when it is not so at once; left out, it waits for as long as the call does. */
  readonly timeoutMs?: number;
}

export interface Commit {
  readonly op: "commit";
  /** Whether it is to be on the disk before the reply. */
  readonly durable: boolean;
}

export interface Abort {
  readonly op: "abort";
}

export interface Comment {
  readonly op: "comment";
  readonly comment: string;
}

export interface Assert {
  readonly op: "assert";
  readonly lock: string;
}

export type Operation = Insert | Select | Update | Mutate | Delete | Wait | Commit | Abort | Comment | Assert;

export function encodeOperation(operation: Operation): Wire {
  switch (operation.op) {
    case "insert": {
      const { op, table, row, uuidName } = operation;
      return { op, table, row: encodeRow(row), ...(uuidName === undefined ? {} : { "uuid-name": uuidName }) };
    }
    case "select":
      return { ...rowsOf(operation), columns: operation.columns };
    case "update":
      return { ...rowsOf(operation), row: encodeRow(operation.row) };
    case "mutate":
      return { ...rowsOf(operation), mutations: operation.mutations.map(encodeClause) };
    case "delete":
      return rowsOf(operation);
    case "wait": {
      const { columns, until, rows, timeoutMs } = operation;
      return { ...rowsOf(operation), columns, until, rows: rows.map(encodeRow), ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }) };
    }
    case "comment":
      return { op: operation.op, comment: encodeValue(operation.comment) };
    default:
      return { ...operation };
  }
}

/** As people read it: "insert into Bridge (br0)". */
export function describeOperation(operation: Operation): string {
  if (!("table" in operation)) return operation.op;
  const name = operation.op === "insert" ? operation.row["name"] : operation.where.find(([column]) => column === "name")?.[2];
  const which = typeof name === "string" ? ` (${name.length > NAME_LIMIT ? `${name.slice(0, NAME_LIMIT)}...` : name})` : "";
  return `${operation.op} ${operation.op === "insert" ? "into" : "of"} ${operation.table}${which}`;
}

const NAME_LIMIT = 60;

function rowsOf({ op, table, where }: Rows & { readonly op: string }): { readonly [key: string]: Wire } {
  return { op, table, where: where.map(encodeClause) };
}

function encodeClause([column, verb, value]: Condition | Mutation): Wire {
  return [column, verb, encodeValue(value)];
}
