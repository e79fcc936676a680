import { OpError } from "../../core/errors.ts";
import { ovsdbError } from "./errors.ts";
import { isWireList, isWireObject, ProtocolViolation, type Wire, type WireObject } from "./json.ts";
import { describeOperation, type Operation } from "./operation.ts";
import { decodeAtom, decodeRow, type Row, type Uuid } from "./value.ts";

/** What one operation gave: the row that was inserted, the rows that were selected, how many were changed. */
export interface Result {
  readonly uuid?: Uuid;
  readonly rows?: readonly Row[];
  readonly count?: number;
}

/**
 * The results of a transaction, one for each operation (RFC 7047 4.1.3). Throws an OpError where it did not happen: it names the operation
 * that failed, by number and table, or says that the whole of them could not be committed. Throws ProtocolViolation for what is no answer.
 */
export function readResults(operations: readonly Operation[], answer: Wire): readonly Result[] {
  if (!isWireList(answer)) throw new ProtocolViolation("an answer to transact that is no list");
  const failed = answer.findIndex((each) => isWireObject(each) && each.error !== undefined);
  if (failed >= 0) throw transactionError(operations, failed, answer[failed] ?? null);
  if (answer.length !== operations.length) throw new ProtocolViolation(`${answer.length} results of ${operations.length} operations`);
  return operations.map((operation, index) => readResult(operation, answer[index]));
}

function readResult(operation: Operation, answer: Wire | undefined): Result {
  if (!isWireObject(answer)) throw unfit(operation);
  switch (operation.op) {
    case "insert":
      return { uuid: uuidOf(operation, answer) };
    case "select":
      if (!isWireList(answer.rows)) throw unfit(operation);
      return { rows: answer.rows.map(decodeRow) };
    case "update":
    case "mutate":
    case "delete":
      if (typeof answer.count !== "number") throw unfit(operation);
      return { count: answer.count };
    default:
      return {};
  }
}

function uuidOf(operation: Operation, { uuid = null }: WireObject): Uuid {
  const atom = decodeAtom(uuid);
  if (typeof atom !== "object" || !("uuid" in atom)) throw unfit(operation);
  return atom;
}

/** An error beyond the last operation came up when all of them were to be committed. */
function transactionError(operations: readonly Operation[], index: number, error: Wire): OpError {
  const operation = operations[index];
  if (operation === undefined) return ovsdbError(error, `Commit of the ${operations.length === 1 ? "operation" : `${operations.length} operations`}`);
  const what = describeOperation(operation);
  return ovsdbError(error, `Operation ${index + 1} of ${operations.length}, ${what}`);
}

function unfit(operation: Operation): ProtocolViolation {
  return new ProtocolViolation(`a result that is not one of ${describeOperation(operation)}`);
}
