import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { isList, isObject, type Json } from "../../../src/core/json.ts";
import type { Plugin } from "../../../src/core/plugin.ts";
import type { Resource, Resources } from "../../../src/core/resource.ts";
import { secret } from "../../../src/core/secret.ts";
import { sealedPlugin } from "../../../src/engine/sealed-plugin.ts";
import { sealedResources, sealedSection, sealedValue } from "../../../src/engine/sealing.ts";
import { secretsOn } from "../../conformance/memory-secrets.ts";
import { lamps } from "../cli/in-memory.ts";

const schema = v.strictObject({
  interfaces: v.array(
    v.strictObject({
      name: v.string(),
      mtu: v.optional(v.number()),
      wifi: v.optional(v.strictObject({ ssid: v.string(), psk: secret(v.string()) })),
      peers: v.optional(v.array(v.strictObject({ endpoint: v.string(), psk: v.nullish(secret(v.string())) }))),
      observed: v.optional(v.unknown()),
    }),
  ),
});

function listed(section: Json): readonly Resource[] {
  return isObject(section) && isList(section.interfaces) ? section.interfaces.filter(isObject) : [];
}

/** A plugin whose section is a list: where a resource stands says nothing of which it is. */
const radio: Plugin = {
  ...lamps({}),
  name: "radio",
  schema,
  resources: (section) => Object.fromEntries(listed(section).map(({ name, observed: _, ...keys }) => [String(name), keys])),
  section: (resources) => ({ interfaces: Object.entries(resources).map(([name, keys]) => ({ name, ...keys })) }),
  locate: (section, resource, path) => ["interfaces", listed(section).findIndex(({ name }) => name === resource), ...path],
};

const withSecrets = (home: Json, a: Json, c: Json): Json => ({
  interfaces: [
    { name: "wlan0", wifi: { ssid: "home", psk: home }, observed: { speed: 1 } },
    { name: "wg0", peers: [{ endpoint: "a", psk: a }, { endpoint: "b", psk: null }, { endpoint: "c", psk: c }] },
  ],
});
const section = withSecrets("one", "one", "two");

/** A store that every process of the same host has. */
const store = () => secretsOn({ secrets: new Map(), secretsKey: "key" }, async (_, work) => work());

/** As a document seals it, where it is open. */
function sealedAs(plugin: Plugin, sealed: Json): Json {
  const { commit } = store();
  return sealedSection(plugin, sealed, (value, key) => ({ secret: commit(key, String(value)) }));
}

describe("sealedSection", () => {
  test("binds each secret to its resource and key, wherever in a list that stands, and leaves all else as written", () => {
    const places: string[] = [];
    const sealed = sealedSection(radio, section, (value, key, path) => {
      places.push(`${path.join(".")} ${key.join("/")}=${String(value)}`);
      return { secret: String(places.length).repeat(64) };
    });
    expect(places).toEqual([
      "interfaces.0.wifi.psk radio/wlan0/wifi/psk=one",
      "interfaces.1.peers.0.psk radio/wg0/peers/psk=one",
      "interfaces.1.peers.2.psk radio/wg0/peers/psk=two",
    ]);
    expect(sealed).toEqual(withSecrets({ secret: "1".repeat(64) }, { secret: "2".repeat(64) }, { secret: "3".repeat(64) }));
  });

  test("comes to the same in another order", () => {
    const turned = { interfaces: listed(section).toReversed() };
    expect(listed(sealedAs(radio, turned)).toReversed()).toEqual([...listed(sealedAs(radio, section))]);
  });
});

describe("sealedResources and sealedValue", () => {
  test("come to the same as the document", () => {
    const { commit } = store();
    const seal = (value: Json, key: readonly string[]) => ({ secret: commit(key, String(value)) });
    const resources: Resources = radio.resources(section);
    const sealed = sealedResources(radio, resources, seal);
    expect(sealed).toEqual(radio.resources(sealedAs(radio, section)));
    const at = (resource: string, path: string[], value: Json) => sealedValue(radio, resource, { path, value }, seal);
    expect(at("wlan0", ["wifi", "psk"], "one")).toEqual((sealed.wlan0?.wifi as Resource).psk ?? null);
    expect(at("wg0", ["peers"], resources.wg0?.peers ?? null)).toEqual(sealed.wg0?.peers ?? null);
    expect([at("wlan0", ["wifi", "psk"], null), at("wlan0", ["mtu"], 1500), at("wlan0", ["wifi", "ssid"], "home")]).toEqual([null, 1500, "home"]);
  });
});

describe("a plugin that does not say where its secrets are", () => {
  const lost: Plugin = { ...radio, locate: () => ["nowhere"] };

  test("is a bug that is told, before the secret gets anywhere", async () => {
    const message = "The plugin 'radio' does not locate the secret interfaces.0.wifi.psk";
    expect(() => sealedAs(lost, section)).toThrow(message);
    const reading = { ...lost, read: async () => ({ resources: { wlan0: { state: { wifi: { psk: "one" } } } } }) };
    await expect(sealedPlugin(reading, store()).read()).rejects.toThrow(message);
  });
});

test("sealedPlugin returns a plugin without secrets as it is", () => {
  const plugin = lamps({});
  expect(sealedPlugin(plugin, store())).toBe(plugin);
});
