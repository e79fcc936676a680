import * as v from "valibot";
import type { Json } from "../../core/json.ts";
import { nearest } from "../../core/suggestion.ts";
import { assertDeclarable, propertyNames } from "./properties.ts";
import { isTemplate, unitNameProblem, unitTypeOf } from "./unit-name.ts";

const unitSchema = v.strictObject({
  state: v.optional(v.picklist(["present", "absent"])),
  active_state: v.nullish(v.picklist(["active", "inactive"])),
  enabled: v.nullish(v.boolean()),
  masked: v.nullish(v.boolean()),
  restart: v.nullish(v.picklist(["when-needed", "never"])),
  properties: v.optional(v.record(v.string(), v.nullable(v.union([v.string(), v.number(), v.boolean()])))),
  observed: v.optional(v.unknown()),
});

export type DeclaredUnit = v.InferOutput<typeof unitSchema>;

/** The systemd section of a state document: FORMATS.md, systemd. What a unit's name alone rules out is refused here. */
export const systemdSchema = v.strictObject({
  units: v.optional(
    v.pipe(
      v.record(v.string(), unitSchema),
      v.rawCheck(({ dataset, addIssue }) => {
        if (typeof dataset.value !== "object" || dataset.value === null) return;
        for (const [name, unit] of Object.entries(dataset.value)) {
          for (const { keys, message } of problemsOf(name, unit, dataset.typed)) {
            addIssue({ message, path: pathTo(dataset.value as Units, [name, ...keys]) });
          }
        }
      }),
    ),
  ),
});

interface NameProblem {
  readonly keys: readonly string[];
  readonly message: string;
}

/** What is wrong with a unit's keys by themselves is left to the schema. */
function problemsOf(name: string, unit: unknown, typed: boolean): NameProblem[] {
  const wrongName = unitNameProblem(name);
  if (wrongName !== undefined) return [{ keys: [], message: wrongName }];
  return typed || v.is(unitSchema, unit) ? keyProblems(name, unit as DeclaredUnit) : [];
}

function keyProblems(name: string, unit: DeclaredUnit): NameProblem[] {
  const type = unitTypeOf(name);
  const problems: NameProblem[] = [];
  const add = (key: string, message: string) => problems.push({ keys: [key], message });
  if (unit.state === "absent") {
    for (const key of ["active_state", "enabled", "masked", "properties"] as const) {
      if (unit[key] != null) add(key, "A unit that is to be absent has no other keys");
    }
  }
  if (isTemplate(name) && unit.active_state != null) {
    add("active_state", `${name} is a template and runs only as an instance, such as ${name.replace("@", "@1")}`);
  }
  if (isTemplate(name) && unit.properties !== undefined) add("properties", `${name} is a template: set them on its instances`);
  if (unit.masked === true && unit.enabled != null) {
    add("enabled", "Whether a masked unit is enabled cannot be read back: leave 'enabled' out, or 'masked'");
  }
  if (type === "device" && unit.active_state != null) add("active_state", "A device comes and goes by itself");
  if (type === "scope" && unit.active_state === "active") add("active_state", "A scope is started by the program it belongs to");
  if (type === "device" || type === "scope") {
    for (const key of ["enabled", "masked"] as const) if (unit[key] != null) add(key, `A ${type} has no unit file`);
  }
  return [...problems, ...propertyProblems(name, unit)];
}

function propertyProblems(unit: string, { properties = {} }: DeclaredUnit): NameProblem[] {
  const allowed = propertyNames(unit);
  return Object.entries(properties).flatMap(([name, value]) => {
    const keys = ["properties", name];
    if (!allowed.includes(name)) {
      const near = nearest(name, allowed);
      const hint = near === undefined ? `a ${unitTypeOf(unit)} takes ${allowed.join(", ")}` : `did you mean '${near}'?`;
      return [{ keys, message: `SetUnitProperties does not take '${name}' for ${unit}; ${hint}` }];
    }
    try {
      if (value !== null) assertDeclarable(name, value);
      return [];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return [{ keys, message: `${JSON.stringify(value)}: ${error.message}` }];
    }
  });
}

type Units = Readonly<Record<string, DeclaredUnit>>;
type IssuePath = [v.IssuePathItem, ...v.IssuePathItem[]];

function pathTo(units: Units, keys: readonly string[]): IssuePath {
  let input: unknown = units;
  return keys.map((key) => {
    const item = { type: "object", origin: "value", input, key, value: (input as Record<string, Json>)[key] };
    input = item.value;
    return item;
  }) as unknown as IssuePath;
}
