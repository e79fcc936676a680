import type { Diagnostic, ParsedText } from "./diagnostic.ts";
import { messageOf } from "./errors.ts";
import { parseJson } from "./json-text.ts";
import type { Json } from "./json.ts";
import { DEPTH_LIMIT, problemsOf } from "./value-problems.ts";

export type TextFormat = "json" | "toml" | "yaml";

export function formatOf(path: string): TextFormat {
  if (/\.ya?ml$/i.test(path)) return "yaml";
  return /\.toml$/i.test(path) ? "toml" : "json";
}

/** Parses JSON (comments allowed), TOML or YAML within limits. All that is wrong is returned at once. */
export function parseText(text: string, format: TextFormat): ParsedText | Diagnostic[] {
  const bare = text.replace(/^\uFEFF/, "");
  if (format === "json") return parseJson(bare);
  try {
    const value: unknown = format === "toml" ? Bun.TOML.parse(bare) : Bun.YAML.parse(bare);
    const findings = problemsOf(value);
    return findings.length === 0 ? { value: value as Json, position: () => undefined, without: () => undefined } : findings;
  } catch (error) {
    // Bun says what is wrong, not where: the line and column of its error are those of our own call.
    const what = error instanceof RangeError ? `nested more than ${DEPTH_LIMIT} deep` : messageOf(error).replace(/^\w+ Parse error: /, "");
    return [{ message: `Not valid ${format.toUpperCase()}: ${what}`, path: [] }];
  }
}
