import { describe, expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import type { Step } from "../../../src/core/plugin.ts";
import { orderSteps } from "../../../src/engine/order.ts";

function step(plugin: string, name: string, more: Partial<Step> = {}): Step {
  return { plugin, name, actions: [], call: null, ...more };
}

function names(steps: readonly Step[]): string[] {
  return orderSteps(steps).map(({ plugin, name }) => `${plugin} ${name}`);
}

describe("orderSteps", () => {
  test("keeps each plugin's own order, plugin by plugin, where nothing is waited for", () => {
    expect(names([step("a", "1"), step("a", "2"), step("b", "1"), step("b", "2")])).toEqual(["a 1", "a 2", "b 1", "b 2"]);
  });

  test("takes a step after the other plugin's step that brings its event about", () => {
    const steps = [step("a", "route", { after: ["link up"] }), step("b", "other"), step("b", "link", { provides: ["link up"] })];
    expect(names(steps)).toEqual(["b other", "b link", "a route"]);
  });

  test("takes no notice of an event that no step of the plan brings about", () => {
    expect(names([step("a", "1", { after: ["never"] }), step("b", "1")])).toEqual(["a 1", "b 1"]);
  });

  test("takes no notice of a plugin's own events: its order is its own", () => {
    expect(names([step("a", "1", { after: ["x"] }), step("a", "2", { provides: ["x"] })])).toEqual(["a 1", "a 2"]);
  });

  test("takes what cannot be taken back as late as the order allows", () => {
    const steps = [step("a", "burn", { oneWay: "burn" }), step("b", "1"), step("b", "2")];
    expect(names(steps)).toEqual(["b 1", "b 2", "a burn"]);
    expect(names([step("a", "burn", { oneWay: "burn" }), step("a", "after it"), step("b", "1")])).toEqual(["b 1", "a burn", "a after it"]);
  });

  test("throws kind invalid, naming the steps, where steps wait for each other", () => {
    const steps = [
      step("a", "1", { after: ["y"], provides: ["x"] }),
      step("b", "1", { after: ["x"], provides: ["y"] }),
      step("c", "1"),
    ];
    const cycle = () => orderSteps(steps);
    expect(cycle).toThrow(OpError);
    expect(cycle).toThrow("These steps wait for each other: a: 1; b: 1");
  });

  test("throws where the plugins' own orders and the events together make a circle", () => {
    const steps = [
      step("a", "1", { after: ["y"] }),
      step("a", "2", { provides: ["x"] }),
      step("b", "1", { after: ["x"] }),
      step("b", "2", { provides: ["y"] }),
    ];
    expect(() => orderSteps(steps)).toThrow("wait for each other");
  });
});
