import { expect } from "bun:test";
import { codeOf, OpError } from "../../../src/core/errors.ts";

/** The errno's name, kind and operation of what `act` throws. */
export async function refusalOf(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    expect(error).toBeInstanceOf(OpError);
    const { kind, operation = "", cause, message } = error as OpError;
    const code = codeOf(cause) ?? "";
    expect(message).toStartWith(`Could not ${operation}: `);
    expect(message).toEndWith(`(${code})`);
    return `${code} ${kind}: ${operation.replaceAll(/\/proc\/\d+\/root/g, "")}`;
  }
  throw new Error("It was not refused");
}
