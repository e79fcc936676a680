import type { Diagnostic } from "./diagnostic.ts";

export type Path = readonly (string | number)[];

export const DEPTH_LIMIT = 64;
const VALUE_LIMIT = 1_000_000;
export const FINDING_LIMIT = 100;

/** Names that every object answers to: a lookup by one of them would find what nobody wrote. */
const IMPOSSIBLE_KEYS = new Set([...Object.getOwnPropertyNames(Object.prototype), "prototype"]);

export const HALF_CHARACTER = "A string holds half of a character (a lone surrogate)";

export function keyProblem(name: string): string | undefined {
  if (IMPOSSIBLE_KEYS.has(name)) return `'${name}' cannot be a key`;
  return name.isWellFormed() ? undefined : HALF_CHARACTER;
}

/** What of a value is no JSON, not held exactly, or too much (YAML's aliases can make a small text a huge or endless one). */
export function problemsOf(root: unknown): Diagnostic[] {
  const findings: Diagnostic[] = [];
  const report = (message: string, path: Path) => findings.push({ message, path });
  let count = 0;
  const queue: { value: unknown; path: Path }[] = [{ value: root, path: [] }];
  for (let item = queue.pop(); item !== undefined && findings.length < FINDING_LIMIT; item = queue.pop()) {
    const { value, path } = item;
    const below = typeof value === "object" && value !== null;
    if (below && path.length >= DEPTH_LIMIT) return [{ message: `Nested more than ${DEPTH_LIMIT} deep`, path: [] }];
    if (++count > VALUE_LIMIT) return [{ message: `More than ${VALUE_LIMIT} values`, path: [] }];
    const problem = valueProblem(value);
    if (problem !== undefined) report(problem, path);
    if (problem !== undefined || !below) continue;
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
