import { toJson, type Json, type JsonObject } from "../core/json.ts";
import type { Plan } from "../core/plan.ts";
import type { Plugin } from "../core/plugin.ts";
import type { RollbackPlan } from "../engine/rollback.ts";
import { actionsJson, straysJson, summaryOf, type PlanView } from "./plan-text.ts";

export function viewOf({ steps, notes, strays, prune }: Pick<Plan, "steps" | "notes" | "strays" | "prune">, plugins: readonly Plugin[]): PlanView {
  const oneWayReason = (name: string, kind: string) => plugins.find((plugin) => plugin.name === name)?.oneWay[kind] ?? kind;
  return { steps, notes, strays, prune, oneWayReason };
}

export function viewOfRollback({ found }: RollbackPlan, plugins: readonly Plugin[]): PlanView {
  return viewOf({ steps: found.steps, notes: found.notes, strays: {}, prune: false }, plugins);
}

/** A plan for programs. */
export function planJson({ documentHash, hash }: Pick<Plan, "documentHash" | "hash">, view: PlanView): JsonObject {
  return { document_hash: documentHash, hash, ...changesJson(view), notes: toJson(view.notes), owned_no_longer_declared: straysJson(view) };
}

export function changesJson(view: PlanView): { readonly difference: boolean; readonly summary: Json; readonly actions: Json } {
  const difference = view.steps.length > 0;
  return { difference, summary: difference ? summaryOf(view.steps) : null, actions: actionsJson(view) };
}
