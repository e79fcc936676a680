import { expect, test } from "bun:test";
import * as v from "valibot";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { isPlainEntry } from "../../../../src/store/audit/plain-entry.ts";
import { auditEntrySchema } from "../../../../src/store/schemas.ts";
import { actor, host } from "../samples.ts";

const ENTRY: JsonObject = {
  kind: "action", transaction: "t1", plugin: "systemd", operation: "start", resource: "a.service", before: null, after: { is: [true] }, outcome: "done", detail: "d", late: true,
  index: 7, time: "2026-11-20T17:03:12.123Z", monotonicMs: 4711.5, ...host, actor: { ...actor, session: 3, claimedSudoUser: "ann" },
};
const LEAST: JsonObject = { kind: "plan", index: 0, time: "", host: "", boot: "", monotonicMs: -1, actor: { uid: 0, user: "", door: "" } };

/** One of each type, and of what the schema tells apart within one. */
const VALUES: readonly Json[] = [null, true, 0, -1, 1.5, 2 ** 53, "", "done", "snapshot", [], ["done"], {}, { uid: 0 }];
const STRANGE = ["extra", "__proto__", "constructor", "toString", "0"];

/** An object in every way in which one of its keys is gone, another value's, or one too many. */
function variantsOf(object: JsonObject): JsonObject[] {
  const without = Object.keys(object).map((gone) => Object.fromEntries(Object.entries(object).filter(([key]) => key !== gone)));
  const other = [...Object.keys(object), ...STRANGE].flatMap((key) => VALUES.map((value) => JSON.parse(JSON.stringify(object).replace(/}$/, `,${JSON.stringify(key)}:${JSON.stringify(value)}}`)) as JsonObject));
  return [object, ...without, ...other];
}

test("isPlainEntry says of every value what the schema says", () => {
  const [entries, actors] = [[ENTRY, LEAST].flatMap(variantsOf), variantsOf(ENTRY.actor as JsonObject)];
  const all: Json[] = [...VALUES, ...entries, ...actors.map((each) => ({ ...ENTRY, actor: each }))];
  const verdicts = all.map((value) => isPlainEntry(value));
  expect(all.filter((value, at) => v.is(auditEntrySchema, value) !== verdicts[at])).toEqual([]);
  expect(verdicts.filter(Boolean).length).toBeGreaterThan(50);
  expect(verdicts.filter((verdict) => !verdict).length).toBeGreaterThan(300);
});
