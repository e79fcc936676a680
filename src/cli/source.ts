import { parseDocument, type SourcedDocument, type StateDocument } from "../core/document.ts";
import { OpError } from "../core/errors.ts";
import type { Plugin } from "../core/plugin.ts";
import { formatOf } from "../core/text.ts";
import type { Context } from "./context.ts";
import { readPlanFile, type PlanFile } from "./plan-file.ts";

/** Larger than any state of one host; a text of this size is still parsed in a moment. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/** What the argument named: a state document or a saved plan, read but not yet checked. */
export interface Given {
  /** As the user named it. */
  readonly name: string;
  readonly text: string;
  readonly plan: PlanFile | undefined;
  /** True when it came from standard input, which then cannot be asked. */
  readonly fromInput: boolean;
}

/** Reads STATE: a file, "-" for standard input, or the state file where nothing is named. */
export function readGiven({ files, settings }: Pick<Context, "files" | "settings">, argument: string | undefined): Given {
  const fromInput = argument === "-";
  const path = argument ?? settings.stateFile.value;
  if (argument === undefined && !files.exists(path)) {
    throw new OpError("invalid", `There is no state file ${path}`, {
      hint: "'op-dbus init' writes a starter; or name one: op-dbus plan STATE",
    });
  }
  const name = fromInput ? "standard input" : path;
  const text = files.read(path, LIMIT_BYTES);
  return { name, text, plan: readPlanFile(text, name), fromInput };
}

/** The checked document. Throws a DocumentError, or kind invalid for a plan where a document is wanted. */
export function documentOf({ name, text, plan, fromInput }: Given, plugins: readonly Plugin[]): SourcedDocument {
  if (plan !== undefined) {
    throw new OpError("invalid", `${name} is a saved plan, not a state document`, { hint: `op-dbus apply ${name}` });
  }
  return parseDocument({ name, text, format: fromInput ? "json" : formatOf(name) }, plugins);
}

/** A document that op-dbus holds itself (in a plan, in the books), checked like any other. */
export function sourced(document: StateDocument, name: string, plugins: readonly Plugin[]): SourcedDocument {
  return parseDocument({ name, text: JSON.stringify(document, null, 2), format: "json" }, plugins);
}
