import type { DocumentError } from "../core/document.ts";
import type { Json } from "../core/json.ts";
import type { Diagnostic, Position } from "../core/diagnostic.ts";
import type { Style } from "./output.ts";
import { counted, cut, printable, wrap } from "./printable.ts";

/** More than these are not read anyway; the first ones often cause the rest. */
const MOST = 20;
const TAB = "  ";

/** Everything wrong with a state document: place, line, caret and hint of each. */
export function diagnosticsText({ diagnostics, source, text }: DocumentError, style: Style): string {
  const lines = text.split(/\r?\n/);
  const blocks = sorted(diagnostics).slice(0, MOST).map((diagnostic) => block(diagnostic, source, lines, style));
  const more = diagnostics.length - MOST;
  if (more > 0) blocks.push(`and ${more} more`);
  const count = counted(diagnostics.length, "error");
  return [...blocks, `${style.paint("red", count)} in ${printable(source)}; nothing was touched`].join("\n");
}

export function diagnosticsJson({ diagnostics }: DocumentError): Json {
  return sorted(diagnostics).map(({ message, path, position, hint }) => ({
    message,
    path: [...path],
    ...(position === undefined ? {} : { line: position.line, column: position.column }),
    ...(hint === undefined ? {} : { hint }),
  }));
}

/** In the order of the file, so that reading goes down. */
function sorted(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const place = ({ position }: Diagnostic) => (position === undefined ? 0 : position.line * 1e6 + position.column);
  return diagnostics.toSorted((a, b) => place(a) - place(b));
}

function block({ message, path, position, hint }: Diagnostic, source: string, lines: readonly string[], style: Style): string {
  const at = position === undefined ? whereabouts(path) : `:${position.line}:${position.column}`;
  const [first = "", ...rest] = wrap(`${printable(source)}${at}: ${printable(message)}`, style.width, "", "  ");
  const excerpt = position === undefined ? [] : excerptOf(position, lines, style);
  const hints = hint === undefined ? [] : wrap(`hint: ${printable(hint)}`, style.width, "  ");
  return [style.paint("bold", first), ...rest, ...excerpt, ...hints].join("\n");
}

/** Where the format does not tell lines (TOML, YAML), the key's path has to do. */
function whereabouts(path: Diagnostic["path"]): string {
  return path.length === 0 ? "" : `: ${printable(path.join("."))}`;
}

/** The line and a caret under the place; a long line is cut so that the place is in view. */
function excerptOf({ line, column }: Position, lines: readonly string[], style: Style): string[] {
  const written = lines[line - 1];
  if (written === undefined || written.trim() === "") return [];
  const gutter = `${String(line).padStart(5)} | `;
  const before = shown(written.slice(0, column - 1));
  const after = shown(written.slice(column - 1));
  const room = style.width - gutter.length;
  const [lead, caretAt] = Bun.stringWidth(before) > room * 0.6 ? keepEnd(before, Math.floor(room / 3)) : [before, Bun.stringWidth(before)];
  const visible = cut(after, room - caretAt);
  const blank = `${" ".repeat(gutter.length - 2)}| `;
  return [style.paint("dim", gutter) + lead + visible, style.paint("dim", blank) + " ".repeat(caretAt) + style.paint("red", "^")];
}

function shown(text: string): string {
  return printable(text.replaceAll("\t", TAB));
}

function keepEnd(text: string, width: number): [string, number] {
  let kept = "";
  for (const character of [...text].reverse()) {
    if (Bun.stringWidth(character + kept) > width - 3) break;
    kept = character + kept;
  }
  return [`...${kept}`, Bun.stringWidth(kept) + 3];
}
