import { describe, expect, test } from "bun:test";
import { refusalsOf, refuse } from "../../../src/engine/gate.ts";

const rejection = { documentHash: "0".repeat(64), when: "2026-11-20", who: "alice", why: "it was rolled back" };
const step = {
  plugin: "memory",
  name: "take down",
  call: null,
  actions: [{ resource: "lifeline", verb: "take down", risk: "low", protected: "it holds the operator" }],
} as const;

describe("refusalsOf", () => {
  test("has none for an ordinary change", () => {
    const { protected: _, ...action } = step.actions[0];
    expect(refusalsOf({ steps: [{ ...step, actions: [action] }], rejections: [], force: false })).toEqual([]);
  });

  test("says who rejected the document, when and why", () => {
    expect(refusalsOf({ steps: [], rejections: [rejection], force: false })).toEqual([
      "This document was rejected on 2026-11-20 (alice): it was rolled back. Change it, or give --force",
    ]);
  });

  test("has one for each protected resource and each key that somebody else changed", () => {
    const refusals = refusalsOf({ steps: [step], rejections: [], force: false, moved: ["a value is 2, op-dbus gave it 1"] });
    expect(refusals).toEqual([
      "take down lifeline: it holds the operator. It needs --force",
      "a value is 2, op-dbus gave it 1. It needs --force",
    ]);
  });

  test("has none with --force", () => {
    expect(refusalsOf({ steps: [step], rejections: [rejection], force: true, moved: ["x"] })).toEqual([]);
  });
});

describe("refuse", () => {
  test("throws kind refused with all the reasons, and nothing where there are none", () => {
    expect(() => refuse([])).not.toThrow();
    expect(() => refuse(["first", "second"])).toThrow(expect.objectContaining({ kind: "refused", message: "first", details: ["second"] }));
  });
});
