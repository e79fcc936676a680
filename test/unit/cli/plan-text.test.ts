import { describe, expect, test } from "bun:test";
import { planText, spoken, summaryOf, actionsJson, type PlanView } from "../../../src/cli/plan-text.ts";
import type { Action, Step } from "../../../src/core/plugin.ts";

const plain = { width: 80, paint: (_: string, text: string) => text };
const action = (resource: string, verb: string, more: Partial<Action> = {}): Action => ({ resource, verb, risk: "low", ...more });
const key = (path: string, from: Action["from"], to: Action["to"]) => ({ path: path.split("."), ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
const step = (name: string, actions: readonly Action[], oneWay?: string): Step => ({ plugin: "systemd", name, actions, call: null, ...(oneWay === undefined ? {} : { oneWay }) });
const view = (steps: readonly Step[], more: Partial<PlanView> = {}): PlanView => ({
  steps,
  notes: [],
  strays: {},
  prune: false,
  oneWayReason: (_, kind) => `a ${kind} runs when it is started`,
  ...more,
});
const stray = { systemd: [{ resource: "old.service", key: { path: ["properties", "MemoryMax"], value: "2147483648", original: null } }] };

const cases: Record<string, { readonly view: PlanView; readonly text: string }> = {
  "nothing to do": { view: view([]), text: "Nothing to do: the host is as declared" },
  "one resource's changes stand together though they are in different steps": {
    view: view([
      step("enable", [action("nginx.service", "enable", key("enabled", false, true)), action("cron.service", "enable", key("enabled", false, true))]),
      step("start", [action("nginx.service", "start", key("active_state", "inactive", "active"))]),
    ]),
    text: `systemd
  nginx.service
    enable   enabled: false -> true
    start    active_state: inactive -> active
  cron.service
    enable   enabled: false -> true

Plan: 2 to enable, 1 to start`,
  },
  "risk, protection, one-way steps, implied actions and notes": {
    view: view([
      step("stop", [
        action("ssh.service", "stop", { ...key("active_state", "active", "inactive"), risk: "high", protected: "you are connected over SSH", note: "ssh.socket can start it again" }),
        action("log.socket", "stop", { ...key("active_state", "active", "inactive"), impliedBy: "ssh.service", risk: "medium" }),
      ]),
      step("run", [action("job.service", "start", key("active_state", "inactive", "active"))], "oneshot"),
    ]),
    text: `systemd
  ssh.service
    stop     active_state: active -> inactive
             risk: high
             protected: you are connected over SSH; needs --force
             ssh.socket can start it again
  log.socket
    stop     active_state: active -> inactive
             risk: medium
             because of ssh.service
  job.service
    start    active_state: inactive -> active
             cannot be taken back: a oneshot runs when it is started

Plan: 2 to stop, 1 to start; 1 cannot be taken back; 1 needs --force`,
  },
  "an action that changes no key, unset values, and one property": {
    view: view([
      step("set", [action("nginx.service", "set", key("properties.MemoryMax", null, "2147483648"))]),
      step("restart", [action("nginx.service", "restart")]),
    ]),
    text: `systemd
  nginx.service
    set      properties.MemoryMax: unset -> "2147483648"
    restart

Plan: 1 property, 1 to restart`,
  },
  "values that do not fit side by side": {
    view: view([step("set", [action("a.service", "set", key("properties.Environment", ["A=1", "B=2 and some more words to fill the line"], ["A=1", "C=3"]))])]),
    text: `systemd
  a.service
    set      properties.Environment:
             - B=2 and some more words to fill the line
             + C=3

Plan: 1 property`,
  },
  "a list in another order, and a key that is made again as it is": {
    view: view([step("set", [
      action("a.service", "set", key("properties.Environment", ["A=1 and some more words to fill", "B=2 and others"], ["B=2 and others", "A=1 and some more words to fill"])),
      action("b.service", "refill", key("properties.Environment", ["A=1", "B=2"], ["A=1", "B=2"])),
    ])]),
    text: `systemd
  a.service
    set      properties.Environment:
             - ["A=1 and some more words to fill","B=2 and others"]
             + ["B=2 and others","A=1 and some more words to fill"]
  b.service
    refill   properties.Environment

Plan: 2 properties`,
  },
  "what is owned and no longer declared": {
    view: view([], { strays: stray }),
    text: `systemd
  owned, no longer declared
    old.service properties.MemoryMax: "2147483648" (--prune returns it to unset)

Nothing to do: the host is as declared`,
  },
  "what is owned and no longer declared, a line a resource and no more than ten": {
    view: view([], {
      strays: {
        systemd: Array.from({ length: 12 }, (_, index) => [
          { resource: `u${index}`, key: { path: ["enabled"], value: true, original: false } },
          { resource: `u${index}`, key: { path: ["active_state"], value: "active", original: "inactive" } },
        ]).flat(),
      },
    }),
    text: `systemd
  owned, no longer declared
${Array.from({ length: 10 }, (_, index) => `    u${index} enabled: true, active_state: active (--prune returns them to false,\n      inactive)`).join("\n")}
    and 2 more resources (--json lists all)

Nothing to do: the host is as declared`,
  },
  "what is pruned is said to be": {
    view: view([step("unset", [action("old.service", "unset", key("properties.MemoryMax", "2147483648", null))])], { strays: stray, prune: true }),
    text: `systemd
  old.service
    unset    properties.MemoryMax: "2147483648" -> unset
             no longer declared

Plan: 1 property`,
  },
  "names from the host cannot drive the terminal": {
    view: view([step("start", [action("\u001b[2Jevil\n.service", "start", { ...key("active_state", "a\u202eb", "active"), note: "x\u0007" })])]),
    text: `systemd
  \\x1b[2Jevil\\x0a.service
    start    active_state: "a\\u{202e}b" -> active
             x\\x07

Plan: 1 to start`,
  },
};

describe("planText", () => {
  test.each(Object.entries(cases))("%s", (_, { view, text }) => {
    expect(planText(view, plain)).toBe(text);
  });

  test("colours what was and what will be, and nothing else changes", () => {
    const marked = { width: 80, paint: (tone: string, text: string) => `<${tone}>${text}</>` };
    const [case_] = [cases["an action that changes no key, unset values, and one property"]];
    if (case_ === undefined) throw new Error("no such case");
    expect(planText(case_.view, marked)).toContain('properties.MemoryMax: <red>unset</> -> <green>"2147483648"</>');
    expect(planText(case_.view, marked).replaceAll(/<[^>]*>/g, "")).toBe(case_.text);
  });

  test("keeps within 80 columns of plain ASCII, but for what cannot be broken", () => {
    const long = "because it is needed by many others ".repeat(6);
    const text = planText(view([step("stop", [action("a.service", "stop", { ...key("active_state", "active", "inactive"), note: long })])]), plain);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  });
});

test.each([
  ["active", "active"],
  ["2G", "2G"],
  ["true", '"true"'],
  ["10", '"10"'],
  ["two words", '"two words"'],
  ["", '""'],
  ["unset", '"unset"'],
  [null, "unset"],
  [undefined, "unset"],
  [true, "true"],
  [10, "10"],
  [["a", 1], '["a",1]'],
  [{ secret: "3f9a12ab".repeat(8) }, "secret 3f9a12ab"],
  [{ secret: "unreadable" }, "a secret that is not told"],
  [{ secret: "x" }, '{"secret":"x"}'],
])("spoken(%p) is %s", (value, text) => {
  expect(spoken(value)).toBe(text);
});

test("summaryOf counts actions by what is done", () => {
  const steps = [
    step("start", [action("a", "start"), action("b", "start"), action("c", "start")]),
    step("set", [action("a", "set", key("properties.X", 1, 2)), action("a", "set", key("properties.Y", 1, 2))]),
    step("run", [action("d", "start")], "oneshot"),
  ];
  expect(summaryOf(steps)).toBe("4 to start, 2 properties; 1 cannot be taken back");
});

test("actionsJson keeps the order of the steps and names every mark", () => {
  const steps = [step("run", [action("job", "start", { ...key("on", false, true), protected: "p", impliedBy: "x", note: "n" })], "oneshot"), step("restart", [action("a", "restart")])];
  expect(actionsJson(view(steps))).toEqual([
    { plugin: "systemd", resource: "job", verb: "start", key: "on", from: false, to: true, risk: "low", note: "n", implied_by: "x", protected: "p", one_way: "a oneshot runs when it is started" },
    { plugin: "systemd", resource: "a", verb: "restart", risk: "low" },
  ]);
});
