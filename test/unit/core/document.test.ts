import { describe, expect, test } from "bun:test";
import { DocumentError, documentHash, parseDocument, sectionNames, restrictTo } from "../../../src/core/document.ts";
import type { Position } from "../../../src/core/diagnostic.ts";
import type { TextFormat } from "../../../src/core/text.ts";
import { MemoryPeer } from "../../conformance/memory-peer.ts";
import { createMemoryPlugin } from "../../conformance/memory-plugin.ts";

const PLUGINS = [createMemoryPlugin(new MemoryPeer()), createMemoryPlugin(new MemoryPeer(), "second")];

function parse(text: string, format: TextFormat = "json") {
  return parseDocument({ name: "state.json", text, format }, PLUGINS);
}

function refused(text: string, format: TextFormat = "json"): DocumentError {
  try {
    parse(text, format);
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
  throw new Error("The document was taken");
}

/** "line:column message (hint)" of each finding. */
function findings(text: string): string[] {
  return refused(text).diagnostics.map(({ message, position, hint }) => {
    const at = position === undefined ? "" : `${position.line}:${position.column} `;
    return `${at}${message}${hint === undefined ? "" : ` (${hint})`}`;
  });
}

const SHAPE = 'It looks like { "version": 1, "plugins": { … } }';

describe("parseDocument", () => {
  test.each(["1", '"1"', '"1.0"'])("takes version %s as 1", (version) => {
    expect(parse(`{"version": ${version}, "plugins": {}}`).document).toEqual({ version: 1, plugins: {} });
  });

  test("takes $schema, for editors", () => {
    expect(parse('{"$schema": "x", "version": 1, "plugins": {}}').document).toEqual({ version: 1, plugins: {} });
  });

  test.each([
    ["[]", [`1:1 A state document is an object (${SHAPE})`]],
    ["null", [`1:1 A state document is an object (${SHAPE})`]],
    ["{}", [`1:1 Missing 'version' (${SHAPE})`, `1:1 Missing 'plugins' (${SHAPE})`]],
    ['{"version": 2, "plugins": {}}', ["1:2 'version' is 2, allowed is 1"]],
    ['{"version": 1, "plugins": []}', [`1:16 'plugins' is to be an object (${SHAPE})`]],
    ['{"version": 1, "plugin": {}}', ["1:16 Unknown key 'plugin' (Did you mean 'plugins'?)", `1:1 Missing 'plugins' (${SHAPE})`]],
    ['{"version": 1, "plugins": {"memry": {}}}', ["1:28 Unknown plugin 'memry' (Did you mean 'memory'?)"]],
    ['{"version": 1, "plugins": {"net": {}}}', ["1:28 Unknown plugin 'net' (Allowed: memory, second)"]],
  ])("of %s says what is wrong and what it looks like", (text, lines) => {
    expect(findings(text).toSorted()).toEqual(lines.toSorted());
  });

  test("names line, column, the key's path, what was found, what is allowed, and a near miss: all at once, in order", () => {
    const text = `{
  "version": 1,
  "plugins": {
    "memory": { "items": {
      "a": { "levl": 3, "up": "yes" },
      "b": { "level": 9, "restart": "when-neded" }
    } },
    "second": { "item": {} }
  }
}`;
    expect(findings(text)).toEqual([
      "5:14 Unknown key 'memory.items.a.levl' (Did you mean 'level'?)",
      `5:25 'memory.items.a.up' is "yes", allowed is true or false`,
      "6:14 'memory.items.b.level': Invalid value: Expected <=5 but received 9",
      `6:26 'memory.items.b.restart' is "when-neded", allowed is "when-needed" or "never" (Did you mean "when-needed"?)`,
      "8:17 Unknown key 'second.item' (Did you mean 'items'?)",
    ]);
  });

  test("is the first finding and its source in the error's message, and has text and source at hand", () => {
    const error = refused("[]");
    expect([error.kind, error.source, error.text]).toEqual(["invalid", "state.json", "[]"]);
    expect(error.message).toBe("state.json: A state document is an object");
  });

  test("points at what the host refuses later, at the nearest place that is written", () => {
    const { reject } = parse('{"version": 1,\n"plugins": {"memory": {"items": {\n"a": {"value": 1}}}}}');
    const rejection = (path: string[]): Position | undefined => {
      try {
        return reject([{ message: "No", path }]);
      } catch (error) {
        if (error instanceof DocumentError) return error.diagnostics[0]?.position;
        throw error;
      }
    };
    expect(rejection(["plugins", "memory", "items", "a", "value"])).toEqual({ line: 3, column: 7 });
    expect(rejection(["plugins", "memory", "items", "a", "level"])).toEqual({ line: 3, column: 1 });
  });

  test("refuses what could never be read back", () => {
    expect(findings('{"version": 1, "plugins": {"memory": {"items": {"a": {"state": "absent", "value": 1}}}}}')).toEqual([
      expect.stringContaining("An item that is to be absent has no other keys"),
    ]);
  });

  test("says how many more there are when they are more than anybody reads, in bounded time", () => {
    const items = Array.from({ length: 20_000 }, (_, index) => `"i${index}": {"level": 9}`).join(",\n");
    const started = performance.now();
    const { diagnostics } = refused(`{"version": 1, "plugins": {"memory": {"items": {${items}}}}}`);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect([diagnostics.length, diagnostics.at(-1)?.message]).toEqual([101, "And 19900 more like these"]);
  });

  test("reads TOML and YAML, whose findings have a path and no place", () => {
    expect(parse("version = 1\n[plugins.memory.items.a]\nup = true", "toml").document.plugins).toEqual({ memory: { items: { a: { up: true } } } });
    const [finding] = refused("version: 1\nplugins: {memory: {items: {a: {up: maybe}}}}", "yaml").diagnostics;
    expect(finding).toEqual({ message: `'memory.items.a.up' is "maybe", allowed is true or false`, path: ["plugins", "memory", "items", "a", "up"] });
  });
});

describe("restrictTo", () => {
  const document = { version: 1, plugins: { memory: { items: {} }, second: {} } } as const;

  test("keeps the section of one plugin, all without one, none of one that is not named", () => {
    expect(restrictTo(document, "second").plugins).toEqual({ second: {} });
    expect(restrictTo(document, undefined)).toBe(document);
    expect(restrictTo({ version: 1, plugins: {} }, "second").plugins).toEqual({});
  });
});

describe("documentHash", () => {
  test("is the same for the same document however it was written, and another for another", () => {
    const hash = documentHash(parse('{"version": "1.0", "plugins": {"memory": {"items": {"a": {"value": 1.0, "up": true}}}}}').document);
    expect(documentHash(parse('// x\n{"plugins": {"memory": {"items": {"a": {"up": true, "value": 1}}}}, "version": 1}').document)).toBe(hash);
    expect(documentHash(parse('{"version": 1, "plugins": {}}').document)).not.toBe(hash);
  });
});

test("sectionNames tells what plain JSON is about, and of any other text nothing", () => {
  expect(sectionNames('{"version":1,"plugins":{"systemd":{},"net":3}}')).toEqual(["systemd", "net"]);
  for (const text of ["", "null", "3", "[]", "{}", '{"plugins":[]}', '{"plugins":{} // a remark\n}', "plugins:\n  net: {}"]) expect(sectionNames(text)).toBeUndefined();
});
