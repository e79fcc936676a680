import type { TextPart } from "./text-numbers.ts";

/** `a,b(c,d)` in its parts: commas within parentheses and double quotes do not part. */
export function partsOf(text: string, at = 0): TextPart[] {
  const parts: TextPart[] = [];
  let [depth, quoted, start] = [0, false, 0];
  for (let index = 0; index <= text.length; index += 1) {
    const character = text[index];
    if (character === '"') quoted = !quoted;
    if (character === "(" && !quoted) depth += 1;
    if (character === ")" && !quoted) depth -= 1;
    if (character !== undefined && (character !== "," || quoted || depth > 0)) continue;
    const part = text.slice(start, index);
    if (part.trim() !== "") parts.push({ text: part.trim(), at: at + start + part.length - part.trimStart().length });
    start = index + 1;
  }
  return parts;
}
