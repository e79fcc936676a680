import { describe, expect, test } from "bun:test";
import { diagnosticsJson, diagnosticsText } from "../../../src/cli/diagnostics.ts";
import { DocumentError, parseDocument } from "../../../src/core/document.ts";
import { lamps } from "./in-memory.ts";

const plain = { width: 80, paint: (_: string, text: string) => text };

function errorOf(text: string, name = "state.json", format: "json" | "toml" | "yaml" = "json"): DocumentError {
  try {
    parseDocument({ name, text, format }, [lamps({})]);
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
  throw new Error("It was accepted");
}

describe("diagnosticsText", () => {
  test("shows place, line, caret and hint", () => {
    const text = `{
  "version": 1,
  "plugins": { "lamps": { "hall": { "onn": true } } }
}`;
    expect(diagnosticsText(errorOf(text), plain)).toBe(`state.json:3:27: Missing 'lamps.hall.on'
    3 |   "plugins": { "lamps": { "hall": { "onn": true } } }
      |                           ^
state.json:3:37: Unknown key 'lamps.hall.onn'
    3 |   "plugins": { "lamps": { "hall": { "onn": true } } }
      |                                     ^
  hint: Did you mean 'on'?
2 errors in state.json; nothing was touched`);
  });

  test("all errors at once, in the order of the file", () => {
    const text = `{ "version": 2,
  "plugins": {
    "lamp": {},
    "lamps": { "hall": { "on": "yes" } }
  } }`;
    expect(diagnosticsText(errorOf(text), plain)).toBe(`state.json:1:3: 'version' is 2, allowed is 1
    1 | { "version": 2,
      |   ^
state.json:3:5: Unknown plugin 'lamp'
    3 |     "lamp": {},
      |     ^
  hint: Did you mean 'lamps'?
state.json:4:26: 'lamps.hall.on' is "yes", allowed is true or false
    4 |     "lamps": { "hall": { "on": "yes" } }
      |                          ^
3 errors in state.json; nothing was touched`);
  });

  test("a tab is two columns wide, and the caret stays under its character", () => {
    const lines = diagnosticsText(errorOf('{\n\t"version": 1,\n\t\t"plugins": []\n}'), plain).split("\n");
    const caret = lines.findIndex((line) => line.trim().endsWith("^"));
    expect(lines[caret - 1]?.[lines[caret]?.indexOf("^") ?? 0]).toBe('"');
    expect(lines[caret - 1]).toBe('    3 |     "plugins": []');
  });

  test("a long line is cut on both sides, with the place in view", () => {
    const filler = Array.from({ length: 40 }, (_, index) => `"lamp${index}": { "on": true }`).join(", ");
    const text = `{ "version": 1, "plugins": { "lamps": { ${filler}, "bad": { "on": 3 }, ${filler.replaceAll("lamp", "last")} } } }`;
    const [, excerpt = "", caret = ""] = diagnosticsText(errorOf(text), plain).split("\n");
    expect(excerpt.length).toBeLessThanOrEqual(80);
    expect(excerpt.slice(caret.indexOf("^"))).toStartWith('"on": 3');
    expect(excerpt).toMatch(/^ {4}1 \| \.\.\..*\.\.\.$/);
  });

  test("control characters and wide ones in the line neither reach the terminal nor move the caret", () => {
    const lines = diagnosticsText(errorOf('{ "version": 1, "plugins": { "lamps": { "明\u009bかり": { "on": 1 } } } }'), plain).split("\n");
    const [, excerpt = "", caret = ""] = lines;
    expect(lines.join("\n")).not.toContain("\u009b");
    expect(excerpt).toContain("明\\x9bかり");
    expect(Bun.stringWidth(excerpt.slice(0, excerpt.indexOf('"on"')))).toBe(caret.indexOf("^"));
  });

  test("more than twenty are counted", () => {
    const many = Array.from({ length: 25 }, (_, index) => `"x${index}": 1`).join(",\n");
    const text = diagnosticsText(errorOf(`{ "version": 1, "plugins": {\n${many}\n} }`), plain);
    expect(text.match(/Unknown plugin/g)).toHaveLength(20);
    expect(text).toEndWith("and 5 more\n25 errors in state.json; nothing was touched");
  });

  test("broken JSON is shown where it breaks", () => {
    expect(diagnosticsText(errorOf('{ "version": 1,\n  "plugins" {} }'), plain)).toContain("state.json:2:13: Not valid JSON: colon expected\n    2 |   \"plugins\" {} }\n      |             ^");
  });

  test("where the format tells no lines, the key's path has to do", () => {
    expect(diagnosticsText(errorOf("version: 1\nplugins:\n  lamps:\n    hall: { on: 3 }\n", "s.yaml", "yaml"), plain)).toStartWith("s.yaml: plugins.lamps.hall.on: 'lamps.hall.on' is 3");
  });
});

test("diagnosticsJson has line, column, path and hint", () => {
  expect(diagnosticsJson(errorOf('{ "version": 1, "plugins": { "lamp": {} } }'))).toEqual([
    { message: "Unknown plugin 'lamp'", path: ["plugins", "lamp"], line: 1, column: 30, hint: "Did you mean 'lamps'?" },
  ]);
});
