import { describe, test } from "bun:test";
import { deepEqual, equal, ok } from "node:assert/strict";
import type { StateDocument } from "../../src/core/document.ts";
import { toJson } from "../../src/core/json.ts";
import { commitmentsIn } from "../../src/core/secret.ts";
import { Engine } from "../../src/engine/engine.ts";
import { planFor, type Subject } from "./fixture.ts";
import { onHosts } from "./laws.ts";
import type { Change, MortalFixture } from "./recovery.ts";

/** A host of which everything can be seen that op-dbus stored there. */
export interface SecretiveFixture<Edit> extends MortalFixture<Edit> {
  /** All of it but secrets/. */
  stored(): string;
}

export interface SecretiveSubject<Edit = never> extends Subject<Edit> {
  make(): Promise<SecretiveFixture<Edit>>;
  /** The values of all secrets in its documents and edits; they occur nowhere by chance. */
  readonly secrets: readonly string[];
}

/**
 * A secret's bytes are nowhere in what was stored and said: at every instant of an apply, after its recovery, after a rollback;
 * and of whatever commitment is stored, what it is to can be had.
 */
export const secrecy = <Edit>(subject: SecretiveSubject<Edit>): Promise<void> =>
  onHosts(subject, async (fixture, documents) => {
    for (const document of documents) {
      await check(fixture, subject, await tellings(fixture, document));
      for (let instant = 1; await check(fixture, subject, await runTold(fixture, { do: "apply", document }, instant)); instant += 1) {
        await check(fixture, subject, await runTold(fixture, { do: "recover" }));
      }
    }
    await check(fixture, subject, await tellings(fixture, documents[0]));
    await check(fixture, subject, await runTold(fixture, { do: "roll back" }));
  });

/** Runs a plugin with secrets through the law. */
export function secrecyFor<Edit>(subject: SecretiveSubject<Edit>): void {
  describe(`${subject.name}, its secrets`, () => {
    test("are nowhere in what is stored and said, at any instant", () => secrecy(subject), subject.timeoutMs ?? 120_000);
    test("are put where they belong, and are known again by another process", () => reachesHost(subject));
  });
}

interface Told {
  readonly died: boolean;
  readonly said: string;
}

async function runTold<Edit>(fixture: SecretiveFixture<Edit>, change: Change, instant = Number.POSITIVE_INFINITY): Promise<Told> {
  try {
    return { died: await fixture.run(change, instant), said: "" };
  } catch (error) {
    return { died: false, said: Bun.inspect(error) };
  }
}

/** What is said without a change: plan, a saved plan's parts, query. */
async function tellings<Edit>(fixture: SecretiveFixture<Edit>, document: StateDocument): Promise<Told> {
  const host = await fixture.open();
  const { document: queried } = await new Engine(host).query(undefined);
  const plan = await planFor(host, document).catch((error: unknown) => Bun.inspect(error));
  return { died: false, said: JSON.stringify([queried, plan]) };
}

/** Returns whether the process died. */
async function check<Edit>(fixture: SecretiveFixture<Edit>, { secrets }: SecretiveSubject<Edit>, { died, said }: Told): Promise<boolean> {
  const stored = fixture.stored();
  for (const secret of secrets) {
    ok(!said.includes(secret), `'${secret}' was said: ${said}`);
    ok(!stored.includes(secret), `'${secret}' was stored`);
  }
  const { secrets: known } = await fixture.open();
  const named = new Set([...stored.matchAll(/"secret":"([0-9a-f]{64})"/g)].map(([, commitment = ""]) => commitment));
  for (const commitment of named) ok(known.open(commitment) !== undefined, `Nothing is known of ${commitment}`);
  return died;
}

async function reachesHost<Edit>(subject: SecretiveSubject<Edit>): Promise<void> {
  await onHosts({ ...subject, runs: Math.min(subject.runs, 20) }, async (fixture, [document]) => {
    const { said } = await runTold(fixture, { do: "apply", document });
    const { audit, ledger, secrets, plugins } = await fixture.open();
    const read = JSON.stringify(await Promise.all(plugins.map((plugin) => plugin.read())));
    for (const commitment of commitmentsIn(toJson(ledger.current()))) {
      const { value } = secrets.open(commitment) ?? {};
      ok(value !== undefined && subject.secrets.includes(value) && read.includes(value), "What is in force is not on the host");
    }
    if (said !== "") return;
    const size = audit.size();
    deepEqual((await planFor(await fixture.open(), ledger.current())).steps, []);
    equal(audit.size(), size);
  });
}
