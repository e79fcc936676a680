import type { Json } from "../../../core/json.ts";
import type { Action, Risk } from "../../../core/plugin.ts";
import { sameValue, valueAt, type KeyPath, type Resource } from "../../../core/resource.ts";
import type { Around } from "../around.ts";
import type { View } from "../state.ts";
import type { ColumnValue, VswitchOperation } from "./operations.ts";
import { ovsTypeOf } from "./ports.ts";

export interface Setting {
  readonly path: KeyPath;
  readonly from: Json;
  readonly to: Json;
}

const BRIDGE: readonly KeyPath[] = [["ovs", "fail_mode"], ["mac"], ["mtu"], ["controller"]];
const PORT: readonly KeyPath[] = [["ovs", "tag"], ["ovs", "trunks"], ["ovs", "vlan_mode"]];
const MAPS = ["other_config", "external_ids"] as const;

/** What is declared of a bridge or port in Open vSwitch and is not so. */
export function settingsOf(name: string, view: View): Setting[] {
  const [want, now] = [view.want(name) ?? {}, view.now(name)] as [Resource, Resource];
  const maps = MAPS.flatMap((map) => Object.keys((valueAt(want, ["ovs", map]) ?? {}) as Resource).map((key) => ["ovs", map, key]));
  return [...pathsOf(name, view), ...maps].flatMap((path) => {
    const declared = valueAt(want, path);
    const [from, to] = [valueAt(now, path) ?? null, declared ?? null];
    return declared === undefined || sameValue(from, to) ? [] : [{ path, from, to }];
  });
}

function pathsOf(name: string, view: View): readonly KeyPath[] {
  const type = ovsTypeOf(name, view);
  if (type === "ovs-bridge") return BRIDGE;
  return [...PORT, ...(type === "ovs-internal" ? [["mac"], ["mtu"]] : []), ...(type === "ovs-patch" ? [["ovs", "peer"]] : [])];
}

const HIGH = ["ovs.tag", "ovs.trunks", "ovs.vlan_mode", "ovs.fail_mode", "ovs.peer", "controller", "mac"];

/** Of one that is there, what could cut somebody off is said so. */
export function settingActions(name: string, settings: readonly Setting[], { view, guard }: Around): Action[] {
  const there = view.isThere(name);
  return settings.map(({ path, from, to }): Action => {
    const cuts = there && HIGH.includes(path.join("."));
    const risk: Risk = cuts ? "high" : there ? "medium" : "low";
    return { resource: name, verb: to === null ? "unset" : "set", path, from, to, risk, ...(cuts ? guard.change(name) : {}) };
  });
}

/** The columns that say these settings. */
export function settingOperations(name: string, settings: readonly Setting[], view: View): VswitchOperation[] {
  const isBridge = ovsTypeOf(name, view) === "ovs-bridge";
  const own = isBridge ? "Bridge" : "Port";
  const columns: Record<"Bridge" | "Port" | "Interface", Record<string, ColumnValue>> = { Bridge: {}, Port: {}, Interface: {} };
  const maps: Record<string, Record<string, string | null>> = {};
  const operations: VswitchOperation[] = [];
  const setKey = (column: string, key: string, to: Json) => (maps[column] = { ...maps[column], [key]: to as string | null });
  for (const { path, to } of settings) {
    const [first = "", second = "", third] = path;
    if (first === "controller") operations.push({ do: "set controller", bridge: name, target: to as string | null });
    else if (first === "mtu") columns.Interface.mtu_request = to as number | null;
    else if (first === "mac" && isBridge) setKey("other_config", "hwaddr", to);
    else if (first === "mac") columns.Interface.mac = to as string | null;
    else if (second === "peer") operations.push({ do: "set keys", table: "Interface", name, column: "options", entries: { peer: to as string | null } });
    else if (third !== undefined) setKey(second, third, to);
    else columns[own][second] = to as ColumnValue;
  }
  return [
    ...(["Bridge", "Port", "Interface"] as const).flatMap((table): VswitchOperation[] => (Object.keys(columns[table]).length === 0 ? [] : [{ do: "set", table, name, columns: columns[table] }])),
    ...Object.entries(maps).map(([column, entries]): VswitchOperation => ({ do: "set keys", table: own, name, column, entries })),
    ...operations,
  ];
}
