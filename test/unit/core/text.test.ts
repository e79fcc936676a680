import { describe, expect, test } from "bun:test";
import type { Json } from "../../../src/core/json.ts";
import type { Diagnostic, ParsedText } from "../../../src/core/diagnostic.ts";
import { formatOf, parseText, type TextFormat } from "../../../src/core/text.ts";

function parsed(text: string, format: TextFormat = "json"): ParsedText {
  const result = parseText(text, format);
  if (Array.isArray(result)) throw new Error(JSON.stringify(result));
  return result as ParsedText;
}

function findings(text: string, format: TextFormat = "json"): readonly Diagnostic[] {
  const result = parseText(text, format);
  if (!Array.isArray(result)) throw new Error(`Taken as ${JSON.stringify((result as ParsedText).value)}`);
  return result as Diagnostic[];
}

function messages(text: string, format: TextFormat = "json"): string[] {
  return findings(text, format).map(({ message }) => message);
}

describe("formatOf", () => {
  test.each([["a.json", "json"], ["a.jsonc", "json"], ["a.toml", "toml"], ["A.YAML", "yaml"], ["a.yml", "yaml"], ["-", "json"], ["toml", "json"]] as const)("of %s is %s", (path, format) => {
    expect(formatOf(path)).toBe(format);
  });
});

describe("parseText of JSON", () => {
  test("takes comments, trailing commas and a byte order mark", () => {
    expect(parsed('\uFEFF// why\n{ "a": [1, /* one */ 2,], }').value).toEqual({ a: [1, 2] });
  });

  test("finds the line and column of keys and of values in lists", () => {
    const { position } = parsed('{\n  "a": {\n    "b": [10,\n      20]\n  }\n}');
    expect(position(["a"])).toEqual({ line: 2, column: 3 });
    expect(position(["a", "b"])).toEqual({ line: 3, column: 5 });
    expect(position(["a", "b", 1])).toEqual({ line: 4, column: 7 });
    expect(position([])).toEqual({ line: 1, column: 1 });
    expect(position(["a", "none"])).toBeUndefined();
  });

  test("counts columns in UTF-16 code units, as editors do, and lines over CRLF", () => {
    expect(parsed('{"😀": 1,\r\n"b": 2}').position(["b"])).toEqual({ line: 2, column: 1 });
    expect(parsed('{"😀": 1, "b": 2}').position(["b"])).toEqual({ line: 1, column: 11 });
  });

  test("says what is wrong and where, all of it", () => {
    const [first, second] = findings('{"a": 1 "b": }');
    expect(first).toMatchObject({ message: "Not valid JSON: comma expected", position: { line: 1, column: 9 } });
    expect(second?.message).toBe("Not valid JSON: value expected");
  });

  test.each([["", "The file is empty"], [" \n ", "The file is empty"], ["// nothing", "Not valid JSON: value expected"]])("of %j says: %s", (text, message) => {
    expect(messages(text)).toEqual([message]);
  });

  test("refuses a key that is given twice, at its second place", () => {
    expect(findings('{"a": {"x": 1,\n"x": 2}}')).toEqual([{ message: "'x' is given twice", path: ["a"], position: { line: 2, column: 1 } }]);
  });

  test.each(["__proto__", "constructor", "prototype", "toString"])("refuses the key %s, which no object can have as its own only", (key) => {
    expect(messages(`{"a": {"${key}": 1}}`)).toEqual([`'${key}' cannot be a key`]);
    expect(messages(`a: {"${key}": 1}`, "yaml")).toEqual([`'${key}' cannot be a key`]);
    expect(messages(`a.${key} = 1`, "toml")).toEqual([`'${key}' cannot be a key`]);
  });

  test.each(["9007199254740992", "-9007199254740993", "1e999"])("refuses %s, which a number does not hold exactly, and says what to write", (number) => {
    expect(findings(`[${number}]`)).toEqual([
      { message: `${number} is beyond what a JSON number holds exactly`, path: [0], position: { line: 1, column: 2 }, hint: `Write it as a string: "${number}"` },
    ]);
  });

  test("takes the largest integers that a number holds, and fractions", () => {
    expect(parsed("[9007199254740991, -9007199254740991, 0.1, 1e30]").value).toEqual([9007199254740991, -9007199254740991, 0.1, 1e30]);
  });

  test("refuses half a character, in a value and in a key", () => {
    expect(messages(String.raw`{"a": "\ud800", "\udead": 1, "b": "\ud83d\ude00"}`)).toEqual([
      "A string holds half of a character (a lone surrogate)",
      "A string holds half of a character (a lone surrogate)",
    ]);
  });

  test("reads the same with a comment in it, which has it looked at closely, as without", () => {
    const texts = ['{"a": {"b": [1, -0.5, 1e3, 1.0, true, null, "x\\":{\\u00e9"]}, "": {"a": []}}', "[]", '"a"', "12", '{"a:b": ":", "c" : "\\\\"}', '[{"a": 1}, {"a": 2}]'];
    for (const text of texts) expect([text, parsed(`${text} // so`).value]).toEqual([text, parsed(text).value]);
    for (const text of ['{"a": 1, "\\u0061": 2}', '{"a": {"b": 1, "b": 1}}', '{"a\\"": 1, "a\\"" : 2}']) expect([text, ...messages(text)]).toEqual([text, expect.stringContaining("given twice")]);
  });

  test("takes 64 levels and refuses 65, at the bracket that is too deep", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(Array.isArray(parsed(nested(64)).value)).toBe(true);
    expect(findings(nested(65))).toEqual([{ message: "Nested more than 64 deep", path: [], position: { line: 1, column: 65 } }]);
  });

  test.each([
    ["brackets", "[".repeat(1_000_000)],
    ["brackets that do not match", '{"a": ] , "b": '.repeat(100_000)],
    ["brackets in strings", `["${"[".repeat(1_000_000)}"]`],
    ["keys given twice", `{${Array.from({ length: 100_000 }, () => '"a":1').join(",")}}`],
    ["commas", `[${",".repeat(300_000)}`],
    ["open comments", "/*".repeat(500_000)],
  ])("ends soon, without exhausting the stack, on a great many %s", (_, text) => {
    const started = performance.now();
    parseText(text, "json");
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("names no more findings than anybody reads", () => {
    expect(findings(`{${Array.from({ length: 1_000 }, () => '"a":1').join(",")}}`)).toHaveLength(100);
  });
});

describe("parseText of TOML and YAML", () => {
  const value: Json = { version: 1, plugins: { memory: { items: { a: { value: "x", up: true } } } } };

  test("reads the same value from both, with or without a byte order mark", () => {
    expect(parsed('\uFEFFversion = 1\n[plugins.memory.items.a]\nvalue = "x"\nup = true\n', "toml").value).toEqual(value);
    expect(parsed("\uFEFFversion: 1\nplugins:\n  memory:\n    items:\n      a: { value: x, up: true }\n", "yaml").value).toEqual(value);
  });

  test("says what is wrong, without a place that it does not know", () => {
    expect(findings("a = [", "toml")).toEqual([{ message: "Not valid TOML: Unterminated array; expected ']'", path: [] }]);
    expect(findings("a: [", "yaml")).toEqual([{ message: "Not valid YAML: Unexpected token", path: [] }]);
    expect(parsed("a = 1", "toml").position(["a"])).toBeUndefined();
  });

  test("refuses numbers that are no JSON, or not held exactly, at their key", () => {
    expect(findings("a:\n  - .inf\n  - .nan\n  - 9007199254740993", "yaml").map(({ path }) => path.join(".")).sort()).toEqual(["a.0", "a.1", "a.2"]);
    expect(messages("a = inf", "toml")).toEqual(["Infinity is beyond what a JSON number holds exactly: write it as a string"]);
    expect(messages("a = 9007199254740993", "toml")[0]).toStartWith("Not valid TOML: Integer cannot be losslessly represented");
  });

  test("refuses dates and times, which are no JSON", () => {
    expect(messages("a = 1979-05-27T07:32:00Z\nb = 07:32:00", "toml").sort()).toEqual([
      "07:32:00 is a date or time: write it as a string",
      "1979-05-27T07:32:00Z is a date or time: write it as a string",
    ]);
    expect(parsed("a: 2001-12-14", "yaml").value).toEqual({ a: "2001-12-14" });
  });

  test("refuses YAML that its aliases make endless or huge", () => {
    expect(messages("a: &a [*a]", "yaml")).toEqual(["Nested more than 64 deep"]);
    const bomb = Array.from({ length: 12 }, (_, level) => `a${level}: &a${level} [${level === 0 ? "x" : Array(10).fill(`*a${level - 1}`).join(", ")}]`).join("\n");
    expect(messages(bomb, "yaml")).toEqual(["Not valid YAML: Excessive aliasing"]);
    const wide = `a: &a [${Array(2_000).fill("x").join(",")}]\nb: [${Array(600).fill("*a").join(",")}]`;
    expect(messages(wide, "yaml")).toEqual(["More than 1000000 values"]);
  });

  test.each(["toml", "yaml"] as const)("refuses %s that nests so deep that the parser gives up", (format) => {
    const deep = "[".repeat(100_000);
    expect(messages(format === "toml" ? `a = ${deep}` : deep, format)).toEqual([`Not valid ${format.toUpperCase()}: nested more than 64 deep`]);
  });
});
