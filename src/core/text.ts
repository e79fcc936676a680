import {
  createScanner,
  findNodeAtLocation,
  parseTree,
  printParseErrorCode,
  type Node,
  type ParseError,
} from "jsonc-parser";
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
}

const DEPTH_LIMIT = 64;
const VALUE_LIMIT = 1_000_000;

export function formatOf(path: string): TextFormat {
  if (/\.ya?ml$/i.test(path)) return "yaml";
  return /\.toml$/i.test(path) ? "toml" : "json";
}

/** Parses JSON (comments allowed), TOML or YAML within limits. All that is wrong is returned at once. */
export function parseText(text: string, format: TextFormat): ParsedText | Diagnostic[] {
  if (format === "json") return parseJson(text.replace(/^\uFEFF/, ""));
  try {
    const value = (format === "toml" ? Bun.TOML.parse(text) : Bun.YAML.parse(text)) as Json;
    const problem = measure(value);
    return problem === undefined ? { value, position: () => undefined } : [{ message: problem, path: [] }];
  } catch (error) {
    const { line, column } = error as { line?: number; column?: number };
    const position = line === undefined || column === undefined ? {} : { position: { line, column } };
    return [{ message: `Not valid ${format.toUpperCase()}: ${messageOf(error)}`, path: [], ...position }];
  }
}

function parseJson(text: string): ParsedText | Diagnostic[] {
  const deep = nestingBeyond(text, DEPTH_LIMIT);
  if (deep !== undefined) {
    const message = `Nested more than ${DEPTH_LIMIT} deep`;
    return [{ message, path: [], position: positionAt(text, deep) }];
  }
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: false, allowTrailingComma: true });
  if (errors.length > 0 || tree === undefined) {
    if (text.trim() === "") return [{ message: "The file is empty", path: [], position: { line: 1, column: 1 } }];
    return errors.slice(0, 20).map(({ error, offset }) => ({
      message: `Not valid JSON: ${spoken(printParseErrorCode(error))}`,
      path: [],
      position: positionAt(text, offset),
    }));
  }
  const findings: Diagnostic[] = [];
  const value = valueOf(tree, text, [], findings);
  if (findings.length > 0) return findings;
  return {
    value,
    position(path) {
      const node = findNodeAtLocation(tree, [...path]);
      if (node === undefined) return undefined;
      const property = node.parent?.type === "property" ? node.parent : node;
      return positionAt(text, property.offset);
    },
  };
}

/** The value of a node, refusing what JSON.parse would take silently: a key given twice, a number it cannot hold. */
function valueOf(node: Node, text: string, path: (string | number)[], findings: Diagnostic[]): Json {
  const report = (message: string, at: Node, hint?: string) =>
    findings.push({ message, path, position: positionAt(text, at.offset), ...(hint === undefined ? {} : { hint }) });
  switch (node.type) {
    case "array":
      return (node.children ?? []).map((child, index) => valueOf(child, text, [...path, index], findings));
    case "object": {
      const entries = new Map<string, Json>();
      for (const { children } of node.children ?? []) {
        const [key, value] = children ?? [];
        if (key === undefined || value === undefined) continue;
        const name = String(key.value);
        if (entries.has(name)) report(`'${name}' is given twice`, key);
        if (name === "__proto__") report(`'${name}' cannot be a key`, key);
        entries.set(name, valueOf(value, text, [...path, name], findings));
      }
      return Object.fromEntries(entries);
    }
    case "number": {
      const number = Number(node.value);
      const written = text.slice(node.offset, node.offset + node.length);
      if (!Number.isFinite(number) || (/^-?\d+$/.test(written) && !Number.isSafeInteger(number))) {
        report(`${written} is beyond what a JSON number holds exactly`, node, `Write it as a string: "${written}"`);
      }
      return number;
    }
    default:
      return (node.value ?? null) as Json;
  }
}

/** The offset at which brackets nest deeper than the limit. Does not recurse, so that no input can exhaust the stack. */
function nestingBeyond(text: string, limit: number): number | undefined {
  const scanner = createScanner(text, true);
  const [open, close] = [new Set(["{", "["]), new Set(["}", "]"])];
  let depth = 0;
  while (scanner.getPosition() < text.length) {
    scanner.scan();
    const token = scanner.getTokenLength() === 1 ? text[scanner.getTokenOffset()] : undefined;
    if (token === undefined) continue;
    if (open.has(token) && ++depth > limit) return scanner.getTokenOffset();
    if (close.has(token)) depth -= 1;
  }
  return undefined;
}

/** What is wrong with the size of a parsed value (YAML's aliases can make a small text a huge or endless one). */
function measure(root: Json): string | undefined {
  let count = 0;
  const queue: { value: Json; depth: number }[] = [{ value: root, depth: 0 }];
  for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
    if (item.depth > DEPTH_LIMIT) return `Nested more than ${DEPTH_LIMIT} deep`;
    if (++count > VALUE_LIMIT) return `More than ${VALUE_LIMIT} values`;
    if (typeof item.value !== "object" || item.value === null) continue;
    if (Object.hasOwn(item.value, "__proto__")) return "'__proto__' cannot be a key";
    for (const value of Object.values(item.value)) queue.push({ value, depth: item.depth + 1 });
  }
  return undefined;
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}

/** "CommaExpected" as "comma expected". */
function spoken(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
