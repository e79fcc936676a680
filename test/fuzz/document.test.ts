import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { DocumentError, documentHash, parseDocument } from "../../src/core/document.ts";
import type { TextFormat } from "../../src/core/text.ts";
import { documents } from "../conformance/memory-documents.ts";
import { MemoryPeer } from "../conformance/memory-peer.ts";
import { createMemoryPlugin } from "../conformance/memory-plugin.ts";

const PLUGINS = [createMemoryPlugin(new MemoryPeer()), createMemoryPlugin(new MemoryPeer(), "second")];
const LIMIT_MS = 2_000;
const format = fc.constantFrom<TextFormat>("json", "toml", "yaml");

/** Takes the text or throws a DocumentError whose findings can all be shown, within bounded time. What is taken can be hashed. */
function takeOrRefuse(text: string, as: TextFormat): void {
  const started = performance.now();
  try {
    documentHash(parseDocument({ name: "fuzz", text, format: as }, PLUGINS).document);
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    expect(error.diagnostics.length).toBeGreaterThan(0);
    const lines = text.split("\n").length;
    for (const { message, position } of error.diagnostics) {
      expect(message).not.toBe("");
      if (position === undefined) continue;
      expect(position.line).toBeWithin(1, lines + 1);
      expect(position.column).toBeGreaterThan(0);
    }
  }
  expect(performance.now() - started).toBeLessThan(LIMIT_MS);
}

/** A valid document with some of its text doubled, cut out, or replaced. */
const mutated = fc
  .tuple(
    documents.map((document) => JSON.stringify(document, null, 1)),
    fc.array(fc.record({ at: fc.nat(), length: fc.nat({ max: 20 }), instead: fc.oneof(fc.string({ unit: "binary", maxLength: 4 }), fc.constantFrom("{", "}", "[", "]", '"', ",", ":", "\\", "null", "1e999", "\\ud800", "/*", "//", '"__proto__":', '"a":{"a":')), doubled: fc.boolean() }), { minLength: 1, maxLength: 6 }),
  )
  .map(([text, changes]) =>
    changes.reduce((changed, { at, length, instead, doubled }) => {
      const from = at % (changed.length + 1);
      const cut = changed.slice(from, from + length);
      return changed.slice(0, from) + (doubled ? cut + cut : instead) + changed.slice(from + length);
    }, text),
  );

test("parseDocument of random bytes: throws a DocumentError or nothing", () => {
  const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => new TextDecoder().decode(array));
  fc.assert(fc.property(bytes, format, takeOrRefuse), { numRuns: 3_000 });
});

test("parseDocument of random brackets, quotes and keys: throws a DocumentError or nothing", () => {
  const soup = fc.string({ unit: fc.constantFrom("{", "}", "[", "]", ",", ":", '"', "1", "-", "#", "&a", "*a", "=", "\n", " ", "'", "a", "!!", "|", "/*", "//"), maxLength: 300 });
  fc.assert(fc.property(soup, format, takeOrRefuse), { numRuns: 5_000 });
});

test("parseDocument of mutated documents: throws a DocumentError or nothing", () => {
  fc.assert(fc.property(mutated, (text) => takeOrRefuse(text, "json")), { numRuns: 4_000 });
  fc.assert(fc.property(mutated, (text) => takeOrRefuse(text, "yaml")), { numRuns: 1_000 });
});

test("parseDocument of sections of any shape: throws a DocumentError or nothing", () => {
  const key = fc.oneof(fc.constantFrom("items", "a", "state", "value", "up", "members", "properties", "observed", "constructor", "__proto__"), fc.string({ unit: "binary", maxLength: 3 }));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 6 }, fc.constantFrom<unknown>(null, 1, "present", "absent", true, "a"), fc.array(tie("value"), { maxLength: 3 }), fc.dictionary(key, tie("value"), { maxKeys: 5, noNullPrototype: true })),
  }));
  fc.assert(fc.property(value, (section) => takeOrRefuse(JSON.stringify({ version: 1, plugins: { memory: section } }), "json")), { numRuns: 3_000 });
});

test("parseDocument of a valid document: takes it as it is, with comments and white space anywhere", () => {
  fc.assert(
    fc.property(documents, fc.constantFrom(" ", "\n", "\t", "/* x */", "// x\n"), (document, space) => {
      const text = JSON.stringify(document, null, 1).replaceAll("\n", space);
      expect(parseDocument({ name: "fuzz", text, format: "json" }, PLUGINS).document).toEqual(document);
    }),
    { numRuns: 500 },
  );
});
