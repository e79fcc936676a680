import * as v from "valibot";
import type { StateDocument } from "../core/document.ts";
import { OpError } from "../core/errors.ts";
import { isObject, toJson, type Json, type JsonObject } from "../core/json.ts";
import type { Basis, Plan } from "../core/plan.ts";
import { parseText } from "../core/text.ts";

const FORMAT = "op-dbus plan";
const VERSION = 1;

/** A plan kept in a file: what `plan --out` writes and `apply PLAN` takes. */
export interface PlanFile {
  readonly id: string;
  readonly created: string;
  /** The host it was made on. */
  readonly host: string;
  readonly document: StateDocument;
  readonly prune: boolean;
  readonly hash: string;
  readonly basis: Basis;
  /** The restriction that it was made with, where there was one. */
  readonly plugin: string | undefined;
}

const json = v.custom<Json>((value) => value !== undefined);
const planFileSchema = v.strictObject({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  id: v.pipe(v.string(), v.uuid()),
  created: v.pipe(v.string(), v.isoTimestamp()),
  host: v.string(),
  document: v.strictObject({ version: v.literal(1), plugins: v.record(v.string(), json) }),
  prune: v.boolean(),
  plugin: v.optional(v.string()),
  hash: v.pipe(v.string(), v.hash(["sha256"])),
  basis: v.record(
    v.string(),
    v.record(
      v.string(),
      v.strictObject({ state: json, owned: v.optional(json), identity: v.optional(v.string()), facts: v.optional(json) }),
    ),
  ),
  actions: v.array(json),
});

/** The file's text. `actions` are for people; apply computes its own. */
export function writePlanFile(plan: Plan, file: Pick<PlanFile, "created" | "host" | "plugin">, actions: Json): string {
  const { document, prune, hash, basis } = plan;
  const content = { format: FORMAT, version: VERSION, id: crypto.randomUUID(), ...file, document, prune, hash, basis, actions };
  return `${JSON.stringify(toJson(content), null, 2)}\n`;
}

/** The plan that a text holds, or undefined for a text that is none. Throws kind invalid for a plan that is damaged. */
export function readPlanFile(text: string, name: string): PlanFile | undefined {
  if (!text.includes(`"${FORMAT}"`)) return undefined;
  const parsed = parseText(text, "json");
  if (Array.isArray(parsed) || !isPlan((parsed as { value: Json }).value)) return undefined;
  const result = v.safeParse(planFileSchema, (parsed as { value: JsonObject }).value);
  if (result.success) {
    const { format: _, version: __, actions: ___, ...file } = result.output;
    return { ...file, plugin: file.plugin, basis: file.basis as Basis };
  }
  const details = result.issues.map((issue) => `${v.getDotPath(issue) ?? ""}: ${issue.message}`);
  throw new OpError("invalid", `${name} is not a plan that this op-dbus can apply`, { details, hint: "Make a new one: op-dbus plan --out PLAN" });
}

function isPlan(value: Json): boolean {
  return isObject(value) && value.format === FORMAT;
}
