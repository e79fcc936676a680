import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { GenericSchema } from "valibot";
import { toJsonSchema } from "@valibot/to-json-schema";
import { DocumentError, parseDocument } from "../../../src/core/document.ts";
import type { Json } from "../../../src/core/json.ts";
import type { Plugin } from "../../../src/core/plugin.ts";
import { leavesOf } from "../../../src/core/resource.ts";
import { diagnose } from "../../../src/core/schema.ts";
import { commitmentsIn, commitmentTo, hasSecrets, isSealed, isSecretAt, mapSealed, mapSecrets, secret, UNREADABLE, unreadableIn } from "../../../src/core/secret.ts";
import { createMemoryPlugin } from "../../conformance/memory-plugin.ts";
import { MemoryPeer } from "../../conformance/memory-peer.ts";

const [C1, C2] = ["1".repeat(64), "2".repeat(64)];

const schema = v.strictObject({
  peers: v.record(
    v.string(),
    v.strictObject({
      endpoint: v.optional(v.string()),
      psk: v.nullish(secret(v.pipe(v.string(), v.minLength(8), v.regex(/^[!-~]+$/)))),
      tokens: v.optional(v.array(v.strictObject({ token: secret(v.pipe(v.string(), v.maxLength(20, "A token has at most 20 characters"))) }))),
      auth: v.optional(v.union([v.literal("none"), v.strictObject({ password: secret(v.string()) })])),
    }),
  ),
});

describe("commitmentTo", () => {
  test("is what sha256sum says of the same three lines", () => {
    const salt = "00112233445566778899aabbccddeeff".repeat(2);
    expect(commitmentTo({ salt, value: "line one\nä" })).toBe("c4e8547ec7b57058ebbbca0f9caa9a783f74217a63bf8cf1e787c21259bc9ce3");
  });

  test("is another for another salt, and for another value", () => {
    expect(new Set([commitmentTo({ salt: C1, value: "a" }), commitmentTo({ salt: C2, value: "a" }), commitmentTo({ salt: C1, value: "b" }), commitmentTo({ salt: C1, value: "" })]).size).toBe(4);
  });
});

describe("a sealed value", () => {
  test("is an object of a commitment and nothing else, or what stands for one that cannot be read", () => {
    expect([{ secret: C1 }, UNREADABLE].every(isSealed)).toBe(true);
    const others: (Json | undefined)[] = [undefined, null, C1, { secret: "x" }, { secret: C1.toUpperCase().replaceAll("1", "A") }, { secret: C1, more: 1 }, { secret: null }, [{ secret: C1 }]];
    expect(others.filter(isSealed)).toEqual([]);
  });

  test("is a leaf of its resource", () => {
    expect(leavesOf({ a: { psk: { secret: C1 }, other: { secret: "plain" } } })).toEqual([
      { path: ["a", "psk"], value: { secret: C1 } },
      { path: ["a", "other", "secret"], value: "plain" },
    ]);
  });

  test("is found wherever it is in a value", () => {
    const value = { a: [{ secret: C1 }, { b: { secret: C2 } }], c: { secret: C1 }, d: UNREADABLE };
    expect([commitmentsIn(value), unreadableIn(value), unreadableIn("unreadable")]).toEqual([[C1, C2], 1, 0]);
    expect(mapSealed(value, ({ secret: commitment }) => commitment.slice(0, 1))).toEqual({ a: ["1", { b: "2" }], c: "1", d: "u" });
  });
});

describe("secret", () => {
  test("marks a key in every place that a schema can have it", () => {
    const section = { peers: { a: { endpoint: "e", psk: "p", tokens: [{ token: "t" }], auth: { password: "w" } }, b: { psk: null, auth: "none" } } };
    const paths: string[] = [];
    const sealed = mapSecrets(schema, section, (value, path) => {
      paths.push(`${path.join(".")}=${String(value)}`);
      return null;
    });
    expect(paths).toEqual(["peers.a.psk=p", "peers.a.tokens.0.token=t", "peers.a.auth.password=w"]);
    expect(sealed).toEqual({ peers: { a: { endpoint: "e", psk: null, tokens: [{ token: null }], auth: { password: null } }, b: { psk: null, auth: "none" } } });
    expect([isSecretAt(schema, ["peers", "a", "psk"]), isSecretAt(schema, ["peers", "a", "psk", "secret"]), isSecretAt(schema, ["peers", "a", "endpoint"])]).toEqual([true, true, false]);
  });

  test("is found in a section that is not valid", () => {
    const found: Json[] = [];
    mapSecrets(schema, { peers: { a: { psk: ["x"], tokens: { token: "y" }, unknown: 1 } }, extra: [{}] }, (value) => (found.push(value), value));
    expect(found).toEqual([["x"]]);
  });

  test("tells which schemas have any", () => {
    const without: GenericSchema[] = [v.any(), v.strictObject({ a: v.optional(v.record(v.string(), v.array(v.string()))) })];
    expect([hasSecrets(schema), hasSecrets(schema), ...without.map(hasSecrets)]).toEqual([true, true, false, false]);
  });

  test("takes a text or a commitment, and says so in JSON Schema's own words", () => {
    const one = v.strictObject({ psk: secret(v.string()) });
    expect([{ psk: "x" }, { psk: { secret: C1 } }, { psk: { secret: "x" } }, { psk: UNREADABLE }, { psk: 1 }].map((value) => v.is(one, value))).toEqual([true, true, false, false, false]);
    expect(toJsonSchema(one, { typeMode: "input", errorMode: "ignore" })).toMatchObject({ properties: { psk: { writeOnly: true } } });
  });
});

describe("what is wrong with a secret", () => {
  const lines = (value: Json) => diagnose(schema, value, ["plugins", "wg"]).map(({ message, hint = "" }) => message + hint);

  test("is said without what was found", () => {
    expect(lines({ peers: { a: { psk: "s3cret" } } })).toEqual(["'wg.peers.a.psk' is not a secret of the allowed form"]);
    expect(lines({ peers: { a: { psk: "s3cret €uro" } } })).toEqual(["'wg.peers.a.psk' is not a secret of the allowed form"]);
    expect(lines({ peers: { a: { tokens: [{ token: "s3cret-s3cret-s3cret-s3cret" }] } } })).toEqual(["'wg.peers.a.tokens.0.token': A token has at most 20 characters"]);
    const wrong = [4711, ["s3cret"], { secret: "s3cret" }, { secret: C1, more: "s3cret" }];
    const said = wrong.flatMap((psk) => lines({ peers: { a: { psk } } }));
    expect(said.length).toBeGreaterThanOrEqual(wrong.length);
    expect(said.filter((line) => /s3cret|4711/.test(line))).toEqual([]);
  });
});

describe("a document that is wrong", () => {
  const plugin: Plugin = { ...createMemoryPlugin(new MemoryPeer()), name: "wg", schema };
  const errorOf = (text: string, format: "json" | "toml" = "json") => {
    try {
      parseDocument({ name: "state", text, format }, [plugin]);
    } catch (error) {
      if (error instanceof DocumentError) return error;
    }
    throw new Error("It was accepted");
  };

  test("shows its places without the secrets in them, every character put out and none moved", () => {
    const text = `\uFEFF{"version": 1, "plugins": {"wg": {"peers": {"a": {"psk": "s3cret\\"-s3cret", "endpont": "e", "auth": {"password": "s3cret"}}}}}}`;
    const error = errorOf(text);
    expect(error.text).toBe('{"version": 1, "plugins": {"wg": {"peers": {"a": {"psk": *****************, "endpont": "e", "auth": {"password": ********}}}}}}');
    expect(error.diagnostics.map(({ message, position }) => [message, position?.column])).toEqual([["Unknown key 'wg.peers.a.endpont'", error.text.indexOf('"endpont"') + 1]]);
  });

  test("shows nothing of itself where its secrets cannot be told apart", () => {
    expect(errorOf('{"plugins": {"wg": {"peers": {"a": {"psk": "s3cret"').text).toBe("");
    expect(errorOf("[plugins.wg.peers.a]\npsk = s3cret", "toml").diagnostics).toEqual([{ message: "Not valid TOML: Strings must be quoted: ...", path: [] }]);
    expect(errorOf('{"version": 1, "plugins": {"wg": {"peers": {"a": {"psk": 9007199254740993}}}}}').diagnostics).toMatchObject([{ message: "... is beyond what a JSON number holds exactly" }]);
    const peers = Array.from({ length: 1001 }, (_, index) => `"p${index}": {"psk": "s3cret-${index}"}`).join(",");
    expect(errorOf(`{"version": 2, "plugins": {"wg": {"peers": {${peers}}}}}`).text).toBe("");
    expect(errorOf('version = 1\n[plugins.wg.peers.a]\npsk = "s3cret"', "toml").text).toBe("");
  });
});
