import { messageOf, OpError } from "../../core/errors.ts";
import { BodyReader } from "./body-reader.ts";
import { BodyWriter } from "./body-writer.ts";
import { ProtocolViolation } from "./message.ts";
import { typesOf } from "./signature.ts";

/*
 * The values of a message's body, in the shapes that `Bus` promises, as bytes and back. Pure.
 */

/** Throws kind internal where the values do not fit the signature. */
export function encodeBody(signature = "", values: readonly unknown[] = [], operation = "encode"): Uint8Array {
  try {
    const types = typesOf(signature);
    if (types === undefined) throw new TypeError("it is not a signature");
    if (types.length !== values.length) throw new TypeError(`${values.length} values`);
    const writer = new BodyWriter();
    types.forEach((type, index) => writer.write(type, values[index]));
    return writer.bytes();
  } catch (error) {
    throw new OpError("internal", `The arguments of ${operation} do not fit '${signature}': ${messageOf(error)}`, { operation, cause: error });
  }
}

/** Throws ProtocolViolation for whatever is not what the signature says. */
export function decodeBody(signature = "", body: Uint8Array, littleEndian = true): readonly unknown[] {
  const types = typesOf(signature);
  if (types === undefined) throw new ProtocolViolation(`'${signature}' is not a signature`);
  const reader = new BodyReader(body, littleEndian);
  const values = types.map((type) => reader.read(type));
  if (reader.at !== body.length) throw new ProtocolViolation(`a body of ${body.length} bytes of which its signature takes ${reader.at}`);
  return values;
}
