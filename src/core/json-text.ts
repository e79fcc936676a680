import { findNodeAtLocation, parseTree, printParseErrorCode, type Node, type ParseError } from "jsonc-parser";
import { positionsIn, type Diagnostic, type ParsedText } from "./diagnostic.ts";
import type { Json } from "./json.ts";
import { DEPTH_LIMIT, FINDING_LIMIT, HALF_CHARACTER, keyProblem, problemsOf, type Path } from "./value-problems.ts";

/** Parses JSON, comments allowed, within limits. All that is wrong is returned at once, each at its place. */
export function parseJson(text: string): ParsedText | Diagnostic[] {
  const plain = plainJson(text);
  if (plain !== undefined) return placed(plain.value, text, () => parseTree(text));
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
  return findings.length > 0 ? findings : placed(value, text, () => tree);
}

/** The value of JSON without comments and with nothing to object to, as most documents are; undefined for what has to be looked at closely. */
function plainJson(text: string): { readonly value: Json } | undefined {
  try {
    const value = JSON.parse(text) as Json;
    // Of a key that is given twice JSON.parse takes the last.
    const written = text.match(STRINGS)?.filter((string) => string.endsWith(":")).length ?? 0;
    return problemsOf(value).length === 0 && written === keysIn(value) ? { value } : undefined;
  } catch {
    return undefined;
  }
}

/** Every string of a valid JSON text, a key with its colon. */
const STRINGS = /"(?:[^"\\]|\\.)*"(?:\s*:)?/g;

function keysIn(value: Json): number {
  if (typeof value !== "object" || value === null) return 0;
  const inner = Object.values(value);
  return inner.reduce<number>((sum, each) => sum + keysIn(each), Array.isArray(value) ? 0 : inner.length);
}

/** The tree is made when a place is asked for. */
function placed(value: Json, text: string, treeOf: () => Node | undefined): ParsedText {
  const positionAt = positionsIn(text);
  let tree: Node | undefined;
  const nodeAt = (path: Path) => findNodeAtLocation((tree ??= treeOf() ?? NO_NODE), [...path]);
  return {
    value,
    position(path) {
      const node = nodeAt(path);
      if (node === undefined) return undefined;
      const property = node.parent?.type === "property" ? node.parent : node;
      return positionAt(property.offset);
    },
    without(paths) {
      return paths.reduce((left, path) => {
        const { offset, length } = nodeAt(path) ?? NO_NODE;
        const hidden = text.slice(offset, offset + length).replace(/[^\r\n]/g, "*");
        return left.slice(0, offset) + hidden + left.slice(offset + length);
      }, text);
    },
  };
}

const NO_NODE: Node = { type: "null", offset: 0, length: 0 };

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

/** "CommaExpected" as "comma expected". */
function spoken(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
