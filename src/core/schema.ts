import * as v from "valibot";
import type { BaseIssue, GenericSchema } from "valibot";
import { isObject, type Json } from "./json.ts";
import { unwrap, type SchemaShape } from "./schema-shape.ts";
import { isSecretAt } from "./secret.ts";
import { nearest } from "./suggestion.ts";
import type { Diagnostic } from "./diagnostic.ts";

type Path = (string | number)[];
type Issue = BaseIssue<unknown>;

/**
 * All that is wrong with a value, in the user's words: the key, what was found, what is allowed, a suggestion for a near miss. Of
 * a secret it does not say what was found.
 */
export function diagnose(schema: GenericSchema, value: Json, prefix: Path): Diagnostic[] {
  const lists = listsForObjects([schema as unknown as SchemaShape], value, prefix);
  const { issues = [] } = v.safeParse(schema, value);
  const findings = issues.map((issue) => {
    const closest = deepest(issue);
    const path = pathOf(issue, closest);
    const said = isSecretAt(schema, path) ? describeSecret(closest, path, prefix) : describe(schema, closest, path, prefix);
    return { path: [...prefix, ...path], ...said };
  });
  return [...lists, ...findings];
}

/** valibot takes a list for an object; JSON does not. All that is read and stored goes through here: what has nothing below it is passed over. */
function listsForObjects(shapes: readonly SchemaShape[], value: Json | undefined, path: Path): Diagnostic[] {
  const options = shapes.flatMap(unwrap);
  const objects = options.filter(({ type }) => type === "record" || type.endsWith("object"));
  if (Array.isArray(value)) {
    const items = options.flatMap(({ item }) => (item === undefined ? [] : [item]));
    if (objects.length > 0 && items.length === 0) {
      return [{ path, message: `'${path.slice(1).join(".")}' is a list, allowed is an object` }];
    }
    return value.flatMap((inner, index) => listsForObjects(items, inner, [...path, index]));
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (typeof inner !== "object" || inner === null) return [];
    const below = objects.flatMap(({ entries, value: each }) => entries?.[key] ?? each ?? []);
    return below.length === 0 ? [] : listsForObjects(below, inner, [...path, key]);
  });
}

function describe(schema: GenericSchema, issue: Issue, path: Path, prefix: Path): { message: string; hint?: string } {
  const key = [...prefix.slice(1), ...path].join(".");
  const last = String(path.at(-1) ?? prefix.at(-1) ?? "");
  if (issue.type === "strict_object" && issue.expected === "never") {
    const allowed = keysAt(schema, path.slice(0, -1));
    const near = nearest(last, allowed);
    const hint = near === undefined ? `Allowed: ${allowed.join(", ")}` : `Did you mean '${near}'?`;
    return { message: `Unknown key '${key}'`, hint };
  }
  if (issue.received === "undefined") return { message: `Missing '${key}'` };
  if (issue.kind === "validation" || issue.expected === null) return { message: `'${key}': ${issue.message}` };
  const options = [...(issue.expected ?? "").matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? "");
  const near = typeof issue.input === "string" ? nearest(issue.input, options) : undefined;
  const message = `'${key}' is ${found(issue.input)}, allowed is ${spoken(issue.expected ?? "")}`;
  return near === undefined ? { message } : { message, hint: `Did you mean "${near}"?` };
}

/** What a check says may repeat what it was given, or how long it was. */
function describeSecret({ kind, expected, received, input, message }: Issue, path: Path, prefix: Path): { message: string } {
  const key = [...prefix.slice(1), ...path].join(".");
  const given = [input, received].filter((each) => typeof each === "string" && each !== "") as string[];
  const repeats = given.some((each) => message.includes(each) || message.includes(JSON.stringify(each)));
  if (kind === "validation") return { message: repeats ? `'${key}' is not a secret of the allowed form` : `'${key}': ${message}` };
  return { message: `'${key}' holds a secret, allowed is ${spoken(expected ?? "a string")}` };
}

/** In a union the branch that got furthest says most; the others failed on the type alone. */
function deepest(issue: Issue): Issue {
  const inner = issue.issues?.filter((candidate) => (candidate.path?.length ?? 0) > 0 || candidate.kind === "validation");
  const [first] = inner ?? [];
  return first === undefined ? issue : deepest(first);
}

function pathOf(outer: Issue, inner: Issue): Path {
  const keys = (issue: Issue): Path => (issue.path ?? []).map(({ key }) => key as string | number);
  return outer === inner ? keys(outer) : [...keys(outer), ...keys(inner)];
}

/** The keys allowed at a path, as far as the schema spells them out. */
function keysAt(schema: GenericSchema, path: Path): string[] {
  let shapes: SchemaShape[] = unwrap(schema as unknown as SchemaShape);
  for (const key of path) {
    shapes = shapes
      .flatMap((shape) => [shape.entries?.[key], shape.value, typeof key === "number" ? shape.item : undefined])
      .flatMap((shape) => (shape === undefined ? [] : unwrap(shape)));
  }
  return shapes.flatMap((shape) => Object.keys(shape.entries ?? {}));
}

function found(input: unknown): string {
  if (Array.isArray(input)) return "a list";
  if (typeof input === "object" && input !== null) return "an object";
  const text = JSON.stringify(input as Json) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** valibot's type names as people read them: 'boolean | null' is "true, false or null". */
function spoken(expected: string): string {
  const names: Record<string, string> = { boolean: "true or false", Object: "an object", Array: "a list", string: "a string", number: "a number" };
  const words = expected.replace(/[()]/g, "").split(" | ").map((word) => names[word] ?? word);
  const unique = [...new Set(words)];
  return unique.length < 2 ? unique.join("") : `${unique.slice(0, -1).join(", ")} or ${unique.at(-1)}`;
}
