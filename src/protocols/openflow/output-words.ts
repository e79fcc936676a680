import type { Action } from "./action.ts";
import { CONTROLLER, parsePort, shortPort, type PortNames } from "./port-names.ts";
import { SpellingError } from "./spelling-error.ts";
import { parseSubfield } from "./subfield-text.ts";
import { numberIn, type TextPart } from "./text-numbers.ts";

/*
 * The spellings of output: ovs-actions(7), "The output action". Pure.
 */

/** All of the packet. */
const WHOLE = 0xffff;

export function output(port: number, maxLength = port === CONTROLLER ? WHOLE : 0): Action {
  return { action: "output", numbers: [port, maxLength] };
}

/** `output:1`, `output:CONTROLLER:64`, `output:NXM_NX_REG0[0..15]`. */
export function parseOutput(part: TextPart, names: PortNames): Action {
  if (part.text.includes("[")) return { action: "output_field", source: parseSubfield(part), maxLength: WHOLE };
  const length = /^(controller):(.*)$/is.exec(part.text);
  if (length === null) return output(parsePort(part.text, names, part.at));
  return output(CONTROLLER, numberIn({ text: length[2] ?? "", at: part.at + "controller:".length }, { what: "A length", most: WHOLE }));
}

/** `output(port=1,max_len=100)`. */
export function parseTruncated({ text, at }: TextPart, names: PortNames): Action {
  const [, port = "", length = ""] = /^port=([^,]+),max_len=([^,]+)$/.exec(text) ?? [];
  if (port === "") throw new SpellingError(`'${text}' is not written as port=PORT,max_len=BYTES`, at);
  const bytes = numberIn({ text: length, at: at + text.length - length.length }, { what: "A length", most: 0xffff_ffff });
  return { action: "output_truncated", numbers: [shortPort(parsePort(port, names, at + "port=".length)), bytes] };
}
