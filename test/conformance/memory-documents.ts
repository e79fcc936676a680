import * as fc from "fast-check";
import type { StateDocument } from "../../src/core/document.ts";
import type { Json } from "../../src/core/json.ts";
import type { Scalar } from "./memory-schema.ts";
import type { ItemKeys } from "./memory-peer.ts";

/** What somebody else does to one item: makes or changes it, makes it anew, or removes it. */
export interface Edit {
  readonly plugin: string;
  readonly name: string;
  readonly keys: ItemKeys | undefined;
  readonly anew: boolean;
}

/** Few names and few values, so that documents and edits meet. */
const name = fc.constantFrom("a", "b", "c", "dep");
const scalar: fc.Arbitrary<Scalar> = fc.constantFrom("x", "y", 7, true);
const word = fc.constantFrom("m1", "m2", "m3", "foreign");
const list = fc.uniqueArray(word, { maxLength: 3 });
const level = fc.integer({ min: 1, max: 5 });
const pulled = fc.constantFrom("dep", "c");
/** Texts that occur nowhere by chance. */
export const SECRETS = ["s3cret-Quercus", "s3cret-Betula", "s3cret-Salix"] as const;
const secret = fc.constantFrom(...SECRETS);
const secrets = fc.uniqueArray(secret, { maxLength: 2 });

const keys: Record<string, fc.Arbitrary<Json>> = {
  value: fc.option(scalar),
  level: fc.option(level),
  up: fc.boolean(),
  properties: fc.dictionary(fc.constantFrom("p", "q"), fc.option(scalar), { maxKeys: 2, noNullPrototype: true }),
  members: fc.option(list),
  complete: fc.option(list),
  pulls: fc.option(pulled),
  password: fc.option(secret),
  keys: fc.option(secrets),
  restart: fc.constant("when-needed"),
  state: fc.constant("present"),
};
const removedItem = fc.constant<Record<string, Json>>({ state: "absent" });
const itemsWith = (declared: fc.Arbitrary<Record<string, Json>>) =>
  fc.dictionary(name, fc.oneof({ weight: 5, arbitrary: declared }, { weight: 1, arbitrary: removedItem }), { maxKeys: 4, noNullPrototype: true });
const secondItems = fc.dictionary(name, fc.record<Record<string, Json>>({ up: fc.boolean(), value: scalar, needs: fc.constantFrom("memory:a up", "memory:dep up") }, { requiredKeys: [] }), { maxKeys: 2, noNullPrototype: true });

const documentsWith = (itemKeys: Record<string, fc.Arbitrary<Json>>): fc.Arbitrary<StateDocument> =>
  fc
    .record({ memory: fc.record({ items: itemsWith(fc.record(itemKeys, { requiredKeys: [] }) as fc.Arbitrary<Record<string, Json>>) }), second: fc.record({ items: secondItems }) }, { requiredKeys: ["memory"] })
    .map((plugins) => ({ version: 1, plugins: { ...plugins } as Record<string, Json> }));

/** Valid documents without one-way steps and without anything that no plan can foresee, for the plugins "memory" and "second". */
export const documents = documentsWith(keys);

/** The same, and items that bring others up without a plan being able to tell. */
export const unforeseeable = documentsWith({ ...keys, echo: fc.option(pulled) });

export const edits: fc.Arbitrary<Edit> = fc.record({
  plugin: fc.constantFrom("memory", "second"),
  name,
  anew: fc.boolean(),
  keys: fc.option(
    fc.record(
      {
        value: scalar,
        level,
        up: fc.boolean(),
        members: list,
        complete: list,
        pulls: fc.option(pulled),
        password: fc.option(secret),
        keys: secrets,
        fuse: fc.constantFrom("intact", "burnt"),
      },
      { requiredKeys: [] },
    ),
    { nil: undefined, freq: 8 },
  ),
}) as fc.Arbitrary<Edit>;
