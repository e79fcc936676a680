import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { toJson, type Json } from "../../src/core/json.ts";
import { ownershipForWayBack } from "../../src/core/ownership.ts";
import { changesOf, type Change, type Plugin, type PluginPlan, type Reading } from "../../src/core/plugin.ts";
import { withValue, type Resources, type OwnedResources } from "../../src/core/resource.ts";
import { policiesOf, stateOf } from "../../src/engine/settlement.ts";
import { createNetPlugin } from "../../src/plugins/net/plugin.ts";
import { createOpenflowPlugin } from "../../src/plugins/openflow/plugin.ts";
import { createSystemdPlugin } from "../../src/plugins/systemd/plugin.ts";
import { MemoryPeer } from "../conformance/memory-peer.ts";
import { createMemoryPlugin } from "../conformance/memory-plugin.ts";

/*
 * golden/<plugin>/<case>/
 *   actual.json    what `read` found
 *   desired.json   the plugin's section of a document
 *   owned.json     what op-dbus owns there, if anything
 *   plan.json      what `plan` makes of them
 *   revert.json    and what it makes of the way back, from after.json, or else from `actual` with the plan carried out
 */

/** `plan` is pure: these never meet their hosts. */
const PLUGINS: Readonly<Record<string, Plugin>> = {
  memory: createMemoryPlugin(new MemoryPeer()),
  net: createNetPlugin({} as never),
  openflow: createOpenflowPlugin({} as never),
  systemd: createSystemdPlugin({} as never),
};

const update = process.env.UPDATE_GOLDEN === "1";

for (const folder of cases()) {
  test(`golden/${folder}`, async () => {
    const plugin = PLUGINS[folder.split("/")[0] ?? ""];
    if (plugin === undefined) throw new Error(`No plugin has its golden cases in '${folder}'`);
    const actual = (await load(folder, "actual.json")) as unknown as Reading;
    const desired = plugin.resources(await load(folder, "desired.json"));
    const owned = has(folder, "owned.json") ? ((await load(folder, "owned.json")) as unknown as OwnedResources) : {};
    const plan = plugin.plan(desired, actual, owned);
    await compare(folder, "plan.json", plan);
    if (!has(folder, "revert.json")) return;
    const changes = plan.steps.flatMap(changesOf);
    const after = has(folder, "after.json") ? ((await load(folder, "after.json")) as unknown as Reading) : carriedOut(actual, changes);
    const before: Resources = stateOf(changes, "before", policiesOf(plugin, desired));
    await compare(folder, "revert.json", plugin.plan(before, after, ownershipForWayBack(owned, changes, plugin)));
  });
}

function cases(): string[] {
  const paths = readdirSync(import.meta.dir, { recursive: true }).map(String);
  return paths.filter((path) => path.endsWith("/desired.json")).map((path) => path.slice(0, -"/desired.json".length)).sort();
}

function carriedOut({ resources }: Reading, changes: readonly Change[]): Reading {
  const result = { ...resources };
  for (const { resource, path, to } of changes) {
    const { state = {}, ...rest } = result[resource] ?? {};
    const whole = path.join() === "state" && to === "absent";
    if (!whole && state.state === "absent" && path.join() !== "state") continue;
    result[resource] = { ...rest, state: whole ? { state: "absent" } : withValue(state, path, to) };
  }
  return { resources: result };
}

async function compare(folder: string, name: string, plan: PluginPlan): Promise<void> {
  const found = toJson(plan);
  const file = Bun.file(join(import.meta.dir, folder, name));
  if (update) await file.write(`${JSON.stringify(found, null, 2)}\n`);
  expect(found).toEqual(await file.json());
}

function has(folder: string, name: string): boolean {
  return existsSync(join(import.meta.dir, folder, name));
}

async function load(folder: string, name: string): Promise<Json> {
  return (await Bun.file(join(import.meta.dir, folder, name)).json()) as Json;
}
