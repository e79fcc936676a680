import { OpError } from "../core/errors.ts";
import type { Step } from "../core/plugin.ts";

/**
 * Steps in an order that keeps each plugin's own, takes a step after those that bring about what it waits for, and leaves
 * what cannot be taken back as late as that allows. Steps that wait for each other throw kind invalid.
 */
export function orderSteps(steps: readonly Step[]): Step[] {
  const waitsFor = new Map(steps.map((step, index) => [step, predecessors(step, index, steps)]));
  const ordered: Step[] = [];
  let left = [...steps];
  while (left.length > 0) {
    const ready = left.filter((step) => waitsFor.get(step)?.every((other) => ordered.includes(other)));
    const next = ready.find((step) => step.oneWay === undefined) ?? ready[0];
    if (next === undefined) throw waitingForEachOther(left);
    ordered.push(next);
    left = left.filter((step) => step !== next);
  }
  return ordered;
}

function predecessors(step: Step, index: number, steps: readonly Step[]): Step[] {
  const events = new Set(step.after);
  return steps.filter((other, place) => {
    if (other === step) return false;
    if (other.plugin === step.plugin) return place < index;
    return other.provides?.some((event) => events.has(event)) ?? false;
  });
}

function waitingForEachOther(steps: readonly Step[]): OpError {
  const names = steps.map(({ plugin, name }) => `${plugin}: ${name}`);
  return new OpError("invalid", `These steps wait for each other: ${names.join("; ")}`, {
    hint: "Apply one of the plugins on its own first, with --plugin",
  });
}
