/**
 * What comes from the host or a file may hold anything: control characters that would drive the terminal, and characters
 * that reorder or hide what is around them. They are shown as escapes; lines and tabs are the caller's to make.
 */
export function printable(text: string): string {
  return text.toWellFormed().replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

// C0, DEL, C1, soft hyphen, zero-width and bidirectional controls, line and paragraph separators, byte order mark.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** At most `width` columns, the cut marked with "...". */
export function cut(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  let result = "";
  for (const character of text) {
    if (Bun.stringWidth(result + character) > width - 3) break;
    result += character;
  }
  return `${result}...`;
}

/** Words in lines of at most `width` columns, all but the first indented by `hang`; a word that is longer stands alone and sticks out. */
export function wrap(text: string, width: number, indent = "", hang = indent): string[] {
  const lines: string[] = [];
  let line = indent;
  let empty = true;
  for (const word of text.split(" ")) {
    const longer = empty ? line + word : `${line} ${word}`;
    if (!empty && Bun.stringWidth(longer) > width) {
      lines.push(line);
      line = hang + word;
    } else line = longer;
    empty = false;
  }
  return [...lines, line];
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - Bun.stringWidth(text)));
}

/** Rows as columns, two spaces apart; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, Bun.stringWidth(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : padEnd(cell, widths[index] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** "1 difference", "2 differences". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A time for people: "2026-11-20T17:03:12Z", without the milliseconds. */
export function when(iso: string): string {
  return iso.replace(/\.\d+Z$/, "Z");
}
