import * as v from "valibot";
import { sectionProblems } from "./checks.ts";
import { interfaceSchema, routeSchema } from "./declared.ts";
import type { Placed } from "./relations.ts";

/** The net section of a state document: FORMATS.md, net. What the document alone rules out is refused here. */
export const netSchema = v.pipe(
  v.strictObject({ interfaces: v.nullish(v.array(interfaceSchema)), routes: v.nullish(v.array(routeSchema)) }),
  v.rawCheck(({ dataset, addIssue }) => {
    const section = dataset.value as Readonly<Record<string, unknown>>;
    const interfaces = wellFormed(interfaceSchema, section.interfaces);
    const routes = wellFormed(routeSchema, section.routes);
    for (const { path, message } of sectionProblems(interfaces, routes)) addIssue({ message, path: issuePath(section, path) });
  }),
);

/** What is wrong with an entry's keys by themselves is left to its schema. */
function wellFormed<S extends typeof interfaceSchema | typeof routeSchema>(schema: S, list: unknown): Placed<v.InferOutput<S>>[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry, index) => (v.is(schema, entry) ? [{ index, entry }] : []));
}

type IssuePath = [v.IssuePathItem, ...v.IssuePathItem[]];

function issuePath(section: unknown, keys: readonly (string | number)[]): IssuePath {
  let input = section;
  return keys.map((key) => {
    const value = (input as Record<string | number, unknown>)[key];
    const item = { type: Array.isArray(input) ? "array" : "object", origin: "value", input, key, value };
    input = value;
    return item;
  }) as unknown as IssuePath;
}
