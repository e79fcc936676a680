import { DocumentError } from "../core/document.ts";
import { messageOf, OpError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { diagnosticsJson, diagnosticsText } from "./diagnostics.ts";
import { exitOf } from "./exit.ts";
import type { Style } from "./output.ts";
import { printable, wrap } from "./printable.ts";

const BUG = "This is a bug in op-dbus";
const REPORT = "Please report it, with the bundle that this writes: op-dbus report --out bundle.json";
/** A plan for a thousand units can be refused for a thousand reasons. */
const MOST_DETAILS = 40;

export interface FailureOptions {
  readonly style: Style;
  /** A bug's stack is for those who asked for it (OP_DBUS_LOG=debug). */
  readonly debug: boolean;
}

/** What went wrong, for people. */
export function failureText(error: unknown, { style, debug }: FailureOptions): string {
  if (error instanceof DocumentError) return diagnosticsText(error, style);
  const { kind, message, details, hint } = failureOf(error);
  const [first = "", ...rest] = wrap(`error: ${printable(message)}`, style.width);
  const more = details.length - MOST_DETAILS;
  return [
    style.paint("red", first),
    ...rest,
    ...details.slice(0, MOST_DETAILS).flatMap((detail) => wrap(printable(detail), style.width, "  ", "    ")),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(kind === "internal" ? [`${BUG}. ${REPORT}`] : []),
    ...(hint === undefined ? [] : wrap(`hint: ${printable(hint)}`, style.width)),
    ...(debug ? stackOf(error) : []),
  ].join("\n");
}

/** The same for programs; it takes the result's place on stdout. */
export function failureJson(error: unknown): Json {
  const { kind, message, details, hint } = failureOf(error);
  return {
    error: {
      kind,
      message,
      details,
      hint: hint ?? (kind === "internal" ? `${BUG}. ${REPORT}` : null),
      diagnostics: error instanceof DocumentError ? diagnosticsJson(error) : [],
      exit: exitOf(error),
    },
  };
}

function failureOf(error: unknown) {
  if (error instanceof OpError) return error;
  return { kind: "internal", message: messageOf(error), details: [], hint: undefined } as const;
}

function stackOf(error: unknown): string[] {
  const lines: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause !== error) lines.push("caused by:");
    lines.push(...(cause.stack ?? cause.message).split("\n").map(printable));
  }
  return lines;
}
