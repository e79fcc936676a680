import { findNodeAtLocation, parseTree, printParseErrorCode, type Node, type ParseError } from "jsonc-parser";
import { messageOf } from "./errors.ts";
import type { Json } from "./json.ts";

export type TextFormat = "json" | "toml" | "yaml";

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

const DEPTH_LIMIT = 64;
const VALUE_LIMIT = 1_000_000;
const FINDING_LIMIT = 100;

/** Names that every object answers to: a lookup by one of them would find what nobody wrote. */
const IMPOSSIBLE_KEYS = new Set([...Object.getOwnPropertyNames(Object.prototype), "prototype"]);

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

function parseJson(text: string): ParsedText | Diagnostic[] {
  const positionAt = positionsIn(text);
  const deep = nestingBeyond(text, DEPTH_LIMIT);
  if (deep !== undefined) return [{ message: `Nested more than ${DEPTH_LIMIT} deep`, path: [], position: positionAt(deep) }];
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: false, allowTrailingComma: true });
  if (errors.length > 0 || tree === undefined) {
    if (text.trim() === "") return [{ message: "The file is empty", path: [], position: { line: 1, column: 1 } }];
    return errors.slice(0, 20).map(({ error, offset }) => ({
      message: `Not valid JSON: ${spoken(printParseErrorCode(error))}`,
      path: [],
      position: positionAt(offset),
    }));
  }
  const findings: Diagnostic[] = [];
  const report = (message: string, path: Path, at: Node, hint?: string) => {
    if (findings.length >= FINDING_LIMIT) return;
    findings.push({ message, path, position: positionAt(at.offset), ...(hint === undefined ? {} : { hint }) });
  };
  const value = valueOf(tree, text, [], report);
  if (findings.length > 0) return findings;
  return {
    value,
    position(path) {
      const node = findNodeAtLocation(tree, [...path]);
      if (node === undefined) return undefined;
      const property = node.parent?.type === "property" ? node.parent : node;
      return positionAt(property.offset);
    },
    without(paths) {
      return paths.reduce((left, path) => {
        const { offset, length } = findNodeAtLocation(tree, [...path]) ?? { offset: 0, length: 0 };
        const hidden = text.slice(offset, offset + length).replace(/[^\r\n]/g, "*");
        return left.slice(0, offset) + hidden + left.slice(offset + length);
      }, text);
    },
  };
}

type Path = readonly (string | number)[];
type Report = (message: string, path: Path, at: Node, hint?: string) => void;

/** The value of a node, refusing what JSON.parse would take silently: a key given twice, a number it cannot hold. */
function valueOf(node: Node, text: string, path: Path, report: Report): Json {
  switch (node.type) {
    case "array":
      return (node.children ?? []).map((child, index) => valueOf(child, text, [...path, index], report));
    case "object": {
      const entries = new Map<string, Json>();
      for (const { children } of node.children ?? []) {
        const [key, value] = children ?? [];
        if (key === undefined || value === undefined) continue;
        const name = String(key.value);
        const problem = entries.has(name) ? `'${name}' is given twice` : keyProblem(name);
        if (problem !== undefined) report(problem, path, key);
        entries.set(name, valueOf(value, text, [...path, name], report));
      }
      return Object.fromEntries(entries);
    }
    case "number": {
      const number = Number(node.value);
      const written = text.slice(node.offset, node.offset + node.length);
      if (!Number.isFinite(number) || (/^-?\d+$/.test(written) && !Number.isSafeInteger(number))) {
        report(`${written} is beyond what a JSON number holds exactly`, path, node, `Write it as a string: "${written}"`);
      }
      return number;
    }
    case "string":
      if (!String(node.value).isWellFormed()) report(HALF_CHARACTER, path, node);
      return String(node.value);
    default:
      return (node.value ?? null) as Json;
  }
}

const HALF_CHARACTER = "A string holds half of a character (a lone surrogate)";

function keyProblem(name: string): string | undefined {
  if (IMPOSSIBLE_KEYS.has(name)) return `'${name}' cannot be a key`;
  return name.isWellFormed() ? undefined : HALF_CHARACTER;
}

/** Strings and comments, which may hold brackets that are none, as jsonc-parser ends them; and brackets. */
const BRACKETS = /"(?:[^"\\\r\n]|\\[^])*"?|\/\/[^\r\n]*|\/\*[^]*?(?:\*\/|$)|[{}[\]]/g;

/**
 * The offset at which brackets nest deeper than the limit. Does not recurse, so that no input can exhaust the stack; a bracket
 * that closes another kind closes nothing, as in the parser.
 */
function nestingBeyond(text: string, limit: number): number | undefined {
  const open: string[] = [];
  for (const { 0: token, index } of text.matchAll(BRACKETS)) {
    if (token === "{" || token === "[") open.push(token === "{" ? "}" : "]");
    else if (token === open.at(-1)) open.pop();
    if (open.length > limit) return index;
  }
  return undefined;
}

/** What of a TOML or YAML value is no JSON, or too much (YAML's aliases can make a small text a huge or endless one). */
function problemsOf(root: unknown): Diagnostic[] {
  const findings: Diagnostic[] = [];
  const report = (message: string, path: Path) => findings.push({ message, path });
  let count = 0;
  const queue: { value: unknown; path: Path }[] = [{ value: root, path: [] }];
  for (let item = queue.pop(); item !== undefined && findings.length < FINDING_LIMIT; item = queue.pop()) {
    const { value, path } = item;
    if (path.length > DEPTH_LIMIT) return [{ message: `Nested more than ${DEPTH_LIMIT} deep`, path: [] }];
    if (++count > VALUE_LIMIT) return [{ message: `More than ${VALUE_LIMIT} values`, path: [] }];
    const problem = valueProblem(value);
    if (problem !== undefined) report(problem, path);
    if (problem !== undefined || typeof value !== "object" || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      const wrong = keyProblem(key);
      if (wrong !== undefined) report(wrong, path);
      queue.push({ value: inner, path: [...path, Array.isArray(value) ? Number(key) : key] });
    }
  }
  return findings;
}

function valueProblem(value: unknown): string | undefined {
  if (value === undefined) return "A value is missing";
  if (typeof value === "string") return value.isWellFormed() ? undefined : HALF_CHARACTER;
  if (typeof value === "number") {
    const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
    return exact ? undefined : `${value} is beyond what a JSON number holds exactly: write it as a string`;
  }
  if (typeof value === "boolean" || value === null || Array.isArray(value)) return undefined;
  const plain = typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value));
  return plain ? undefined : `${String(value)} is a date or time: write it as a string`;
}

function positionsIn(text: string): (offset: number) => Position {
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

/** "CommaExpected" as "comma expected". */
function spoken(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
