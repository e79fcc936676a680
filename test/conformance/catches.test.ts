import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Plugin } from "../../src/core/plugin.ts";
import type { Host } from "../../src/engine/host.ts";
import type { Instants } from "./instants.ts";
import { LAWS } from "./laws.ts";
import { memorySubject, MemoryWorld } from "./memory-subject.ts";
import { secrecy } from "./secrecy.ts";

type LawName = keyof typeof LAWS;

interface Wrong {
  readonly what: string;
  readonly law: LawName;
  /** Says what the law found, so that it is not caught for another reason. */
  readonly says: RegExp;
  make(plugin: Plugin, world: MemoryWorld): Plugin;
}

const WRONG: readonly Wrong[] = [
  {
    what: "prints what it does not accept",
    law: "round trip: what query prints is a valid document, and planning it gives no action",
    says: /Unknown key/,
    make: (plugin) => ({ ...plugin, section: (resources) => ({ ...(plugin.section(resources) as object), extra: 1 }) }),
  },
  {
    what: "always finds something to do",
    law: "idempotence: a second apply writes nothing, on the wire or in the books",
    says: /does not show the declared state/,
    make: (plugin) => ({
      ...plugin,
      plan: (desired, actual, owned) => {
        const { steps, problems } = plugin.plan(desired, actual, owned);
        const actions = Object.keys(desired).map((resource) => ({ resource, verb: "touch", risk: "low" }) as const);
        const touch = { plugin: plugin.name, name: "touch", actions, call: { do: "take down", names: [] } };
        return { steps: actions.length > 0 ? [...steps, touch] : steps, problems };
      },
    }),
  },
  {
    what: "does not know how to unset a key",
    law: "reversal: applies rolled back one by one leave query and ownership as they were",
    says: /The host is not as it was/,
    make: (plugin) => ({
      ...plugin,
      plan: (desired, actual, owned) => {
        const set = Object.entries(desired).map(([name, keys]) => [name, Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== null))] as const);
        return plugin.plan(Object.fromEntries(set), actual, owned);
      },
    }),
  },
  {
    what: "writes when it is asked to read",
    law: "purity: plan, query and a declined apply write nothing",
    says: /Something was written/,
    make: (plugin, { memory }) => ({
      ...plugin,
      read: (scope) => {
        memory.takeDown([]);
        return plugin.read(scope);
      },
    }),
  },
  {
    what: "does more than it was asked and keeps quiet about it",
    law: "restraint: what a document does not name is left alone",
    says: /The host is not as it was/,
    make: (plugin, { second }) => ({
      ...plugin,
      apply: (step, progress) => {
        second.put("stranger", { value: "changed" });
        return plugin.apply(step, progress);
      },
    }),
  },
  {
    what: "takes a list of members for a complete one",
    law: "restraint: what a document does not name is left alone",
    says: /Foreign members of .* are gone/,
    make: (plugin) => ({
      ...plugin,
      plan: (desired, actual) => plugin.plan(desired, actual, ownedByUs(actual)),
    }),
  },
  {
    what: "has a one-way step that it does not list",
    law: "one-way: a step that cannot be taken back is of a listed kind",
    says: /'burn' is not among the one-way steps/,
    make: (plugin) => ({ ...plugin, oneWay: {} }),
  },
  {
    what: "lists a one-way step that its README does not",
    law: "one-way: the README lists exactly the one-way kinds",
    says: /README differ/,
    make: (plugin) => ({ ...plugin, oneWay: { ...plugin.oneWay, melt: "It does not freeze" } }),
  },
];

function ownedByUs(actual: Parameters<Plugin["plan"]>[1]): Parameters<Plugin["plan"]>[2] {
  const entries = Object.entries(actual.resources).map(([name, { state }]) => {
    const keys = [{ path: ["members"], value: state.members ?? [], original: [] }];
    return [name, { since: "", keys }] as const;
  });
  return Object.fromEntries(entries);
}

describe("the laws catch a plugin that", () => {
  test.each([...WRONG])("$what", async ({ law, says, make }) => {
    const world = () => {
      const made = new MemoryWorld();
      made.plugins = made.plugins.map((plugin) => (plugin.name === "memory" ? make(plugin, made) : plugin));
      return Promise.resolve(made);
    };
    const broken = LAWS[law]({ ...memorySubject, make: world, runs: 200 });
    expect(await reasonOf(broken)).toMatch(says);
  });
});

describe("the walk over every instant catches an engine", () => {
  test("whose journal forgets that a step was begun", async () => {
    const { recovery } = await import("./recovery.ts");
    class Forgetful extends MemoryWorld {
      override async open(instants?: Instants): Promise<Host> {
        const host = await super.open(instants);
        const append: Host["journal"]["append"] = (record) => (record.record === "step-begun" ? Promise.resolve() : host.journal.append(record));
        return { ...host, journal: { ...host.journal, append } };
      }
    }
    const law = recovery["at every instant of an apply: ends as it was or as declared"];
    expect(await reasonOf(law({ ...memorySubject, make: () => Promise.resolve(new Forgetful()), runs: 20 }))).toMatch(/The host is not as it was/);
  });
});

describe("the law of secrets catches", () => {
  const world = (wrong: (made: MemoryWorld) => void) => () => {
    const made = new MemoryWorld();
    wrong(made);
    return Promise.resolve(made);
  };

  test("a plugin that does not mark its secrets", async () => {
    const unmarked = world((made) => void (made.plugins = made.plugins.map((plugin) => ({ ...plugin, schema: v.any() }))));
    expect(await reasonOf(secrecy({ ...memorySubject, make: unmarked }))).toMatch(/was (said|stored)/);
  });

  test("a store that keeps no secret", async () => {
    class Forgetful extends MemoryWorld {
      override async open(instants?: Instants): Promise<Host> {
        const host = await super.open(instants);
        return { ...host, secrets: { ...host.secrets, keep: () => Promise.resolve() } };
      }
    }
    expect(await reasonOf(secrecy({ ...memorySubject, make: () => Promise.resolve(new Forgetful()) }))).toMatch(/Nothing is known of/);
  });
});

async function reasonOf(law: Promise<void>): Promise<string> {
  try {
    await law;
  } catch (error) {
    const reasons: string[] = [];
    for (let reason: unknown = error; reason instanceof Error; reason = reason.cause) reasons.push(reason.message);
    return reasons.join("\n");
  }
  return "nothing was found";
}
