import type { Json } from "./json.ts";

/** 1-based, columns in UTF-16 code units as editors count them. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Diagnostic {
  readonly message: string;
  readonly path: readonly (string | number)[];
  readonly position?: Position;
  readonly hint?: string;
}

/** A text as a value, with a way back from each key to its place. */
export interface ParsedText {
  readonly value: Json;
  /** Where the key at a path is written (or the value, in a list); undefined where the format does not tell. */
  position(path: readonly (string | number)[]): Position | undefined;
  /** The text with every character of the values at these paths put out; undefined where the format does not tell where they are. */
  without(paths: readonly (readonly (string | number)[])[]): string | undefined;
}

/** From an offset in the text to its place. */
export function positionsIn(text: string): (offset: number) => Position {
  let starts: number[] | undefined;
  return (offset) => {
    starts ??= lineStarts(text);
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
