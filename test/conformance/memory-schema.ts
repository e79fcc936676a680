import * as v from "valibot";
import { isObject, type Json } from "../../src/core/json.ts";
import { secret } from "../../src/core/secret.ts";
import type { Resource, Resources } from "../../src/core/resource.ts";

export type Scalar = string | number | boolean | null;

const scalar = v.union([v.string(), v.number(), v.boolean()]);

const itemSchema = v.pipe(
  v.strictObject({
    state: v.optional(v.picklist(["present", "absent"])),
    value: v.nullish(scalar),
    level: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5))),
    up: v.nullish(v.boolean()),
    properties: v.optional(v.record(v.string(), v.nullable(scalar))),
    members: v.nullish(v.array(v.string())),
    complete: v.nullish(v.array(v.string())),
    pulls: v.nullish(v.string()),
    echo: v.nullish(v.string()),
    password: v.nullish(secret(v.pipe(v.string(), v.maxLength(100, "A password has at most 100 characters")))),
    keys: v.nullish(v.array(secret(v.string()))),
    fuse: v.nullish(v.picklist(["intact", "burnt"])),
    restart: v.nullish(v.picklist(["when-needed", "never"])),
    needs: v.nullish(v.string()),
    observed: v.optional(v.unknown()),
  }),
  v.check((item) => item.state !== "absent" || isBare(item as Resource), "An item that is to be absent has no other keys"),
);

export type DeclaredItem = Omit<v.InferOutput<typeof itemSchema>, "observed">;

export const memorySchema = v.strictObject({ items: v.optional(v.record(v.string(), itemSchema)) });

/** What the keys of an item that was just made are; what null stands for. */
export const DEFAULTS: Resource = {
  value: null,
  level: null,
  up: false,
  members: [],
  complete: [],
  pulls: null,
  echo: null,
  password: null,
  keys: [],
  fuse: "intact",
};

export const POLICIES = ["restart", "needs"] as const;

export function itemsOf(section: Json): Resources {
  const items = isObject(section) && isObject(section.items) ? section.items : {};
  return Object.fromEntries(Object.entries(items).map(([name, item]) => [name, declared(item as Resource)]));
}

function declared({ observed: _, ...item }: Resource): Resource {
  return item;
}

function isBare({ state: _, ...item }: Resource): boolean {
  return Object.values(item).every((value) => value == null || (Array.isArray(value) && value.length === 0));
}
