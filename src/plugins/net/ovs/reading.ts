import { OpError } from "../../../core/errors.ts";
import type { Json, JsonObject } from "../../../core/json.ts";
import type { Reading, ResourceReading } from "../../../core/plugin.ts";
import type { Resource, Resources } from "../../../core/resource.ts";
import type { Ovsdb } from "../../../protocols/ovsdb/ovsdb.ts";
import { readVswitch, type Bridge, type Interface, type Port, type Vswitch } from "../../../protocols/ovsdb/vswitch.ts";
import { interfaceNameProblem } from "../interface-name.ts";
import { isOvsType } from "./declared.ts";

/** Open vSwitch's database on this host. */
export interface VswitchSource {
  /** A connection for one use, or undefined where no Open vSwitch has left a socket. */
  openVswitch(): Ovsdb | undefined;
}

/** The datapaths' own devices, which are there as long as any bridge is. */
const DATAPATHS = ["ovs-system", "ovs-netdev"];

/**
 * Open vSwitch, or undefined where there is none. Rejects with kind unavailable where it does not answer although the scope names
 * something of it.
 */
export async function readVswitchIn(scope: Resources | undefined, source: VswitchSource): Promise<Vswitch | undefined> {
  const named = Object.entries(scope ?? {}).find(([, resource]) => isOfVswitch(resource))?.[0];
  const ovsdb = source.openVswitch();
  if (ovsdb === undefined && named === undefined) return undefined;
  if (ovsdb === undefined) throw new OpError("unavailable", `'${named}' is Open vSwitch's, which does not run on this host`, { hint: "Start it with 'systemctl start openvswitch-switch'" });
  try {
    return await readVswitch(ovsdb);
  } catch (error) {
    if (named === undefined && error instanceof OpError && error.kind === "unavailable") return undefined;
    throw error;
  } finally {
    ovsdb.close();
  }
}

function isOfVswitch({ type, ovs, controller }: Resource): boolean {
  return type === "ovs-port" || (typeof type === "string" && isOvsType(type)) || ovs !== undefined || controller !== undefined;
}

/** What the kernel told, and what Open vSwitch tells of the same and of what it has besides. */
export function withVswitch({ resources }: Reading, vswitch: Vswitch | undefined): Reading {
  const merged: Record<string, ResourceReading> = { ...resources };
  for (const name of DATAPATHS) delete merged[name];
  const named = (name: string) => interfaceNameProblem(name) === undefined;
  for (const bridge of (vswitch?.bridges ?? []).filter(({ name }) => named(name))) {
    const ports = bridge.ports.filter(({ name }) => named(name) && name !== bridge.name);
    merged[bridge.name] = readBridge(bridge, ports, merged[bridge.name]);
    for (const port of ports) merged[port.name] = readPort(port, bridge, merged[port.name]);
  }
  return { resources: merged };
}

function readBridge(bridge: Bridge, ports: readonly Port[], link: ResourceReading | undefined): ResourceReading {
  const { hwaddr, ...others } = Object.fromEntries(bridge.other_config);
  const local = bridge.ports.find(({ name }) => name === bridge.name)?.interfaces[0];
  const [controller, ...more] = bridge.controllers;
  const state = {
    type: "ovs-bridge",
    ...linkState(link, { mac: hwaddr !== undefined, mtu: local?.mtu_request !== undefined }),
    ...(ports.length === 0 ? {} : { ports: Object.fromEntries(ports.map(({ name }) => [name, { state: "present" }])) }),
    ovs: {
      datapath_type: bridge.datapath_type === "" ? "system" : bridge.datapath_type,
      ...(bridge.fail_mode === undefined ? {} : { fail_mode: bridge.fail_mode }),
      ...keysOf("other_config", others), ...keysOf("external_ids", Object.fromEntries(bridge.external_ids)),
    },
    ...(controller === undefined || more.length > 0 ? {} : { controller: controller.target }),
  };
  const special = [
    ...(bridge.protocols.length > 0 ? ["protocols"] : []), ...(bridge.stp_enable ? ["stp_enable"] : []), ...(more.length > 0 ? ["several controllers"] : []),
  ];
  const observed = { ...followed(link, state), ...(more.length === 0 ? {} : { controllers: bridge.controllers.map(({ target }) => target) }) };
  return overlaid(link, { state, observed, identity: `ovs ${bridge.uuid}`, uuid: bridge.uuid, special });
}

function readPort(port: Port, bridge: Bridge, link: ResourceReading | undefined): ResourceReading {
  const [own, ...more] = port.interfaces;
  const type = own === undefined || more.length > 0 ? undefined : typeOf(own);
  const { tag, trunks, vlan_mode } = port;
  const peer = own?.options.get("peer");
  const ovs: JsonObject = {
    ...(tag === undefined ? {} : { tag }), ...(trunks.length === 0 ? {} : { trunks: trunks.toSorted((a, b) => a - b) }), ...(vlan_mode === undefined ? {} : { vlan_mode }),
    ...(type !== "ovs-patch" || peer === undefined ? {} : { peer }),
    ...keysOf("other_config", Object.fromEntries(port.other_config)), ...keysOf("external_ids", Object.fromEntries(port.external_ids)),
  };
  const kernels = type === undefined || type === "ovs-internal";
  const state = {
    ...(type === undefined ? {} : { type }),
    ...(type === "ovs-internal" ? linkState(link, { mac: own?.mac !== undefined, mtu: own?.mtu_request !== undefined }) : kernels ? link?.state : {}),
    ...(Object.keys(ovs).length === 0 ? {} : { ovs }),
  };
  const observed = { ...followed(link, state), bridge: bridge.name, ...(own?.error === undefined ? {} : { error: own.error }) };
  const identity = type === undefined && link?.identity !== undefined ? link.identity : `ovs ${port.uuid}`;
  return overlaid(link, { state, observed, identity, uuid: port.uuid, special: specialOf(port, type === undefined) });
}

function typeOf({ type }: Interface): "ovs-internal" | "ovs-patch" | undefined {
  return type === "internal" ? "ovs-internal" : type === "patch" ? "ovs-patch" : undefined;
}

/** What would be lost with the port. */
function specialOf({ interfaces, bond_mode }: Port, system: boolean): string[] {
  const [own, ...more] = interfaces;
  if (own === undefined || more.length > 0 || bond_mode !== undefined) return ["a bond"];
  const options = [...own.options.keys()].filter((key) => key !== "peer" || typeOf(own) !== "ovs-patch");
  return [
    ...(system && own.type !== "" && own.type !== "system" ? [`type ${own.type}`] : []),
    ...(options.length > 0 ? ["options"] : []), ...(typeOf(own) === "ovs-patch" && !own.options.has("peer") ? ["no peer"] : []), ...(own.ofport_request === undefined ? [] : ["ofport_request"]),
    ...(own.other_config.size > 0 || own.external_ids.size > 0 ? ["other_config or external_ids of its interface"] : []),
  ];
}

/** Until it is told an address and an MTU of its own, Open vSwitch's link follows its ports. */
function linkState(link: ResourceReading | undefined, own: { readonly mac: boolean; readonly mtu: boolean }): Resource {
  const { type: _, mac, mtu, ...others } = link?.state ?? { up: false };
  return { ...others, ...(own.mac && mac !== undefined ? { mac } : {}), ...(own.mtu && mtu !== undefined ? { mtu } : {}) };
}

/** What a link has of its ports. */
function followed(link: ResourceReading | undefined, state: Resource): JsonObject {
  return Object.fromEntries(["mac", "mtu"].flatMap((key) => (link?.state[key] === undefined || state[key] !== undefined ? [] : [[key, link.state[key]]])));
}

interface Overlay {
  readonly state: Resource;
  readonly observed: JsonObject;
  readonly identity: string;
  readonly uuid: string;
  readonly special: readonly string[];
}

function overlaid(link: ResourceReading | undefined, { state, observed, identity, uuid, special }: Overlay): ResourceReading {
  const facts = { ...(link?.facts as JsonObject | undefined), vswitch: { uuid, ...(special.length === 0 ? {} : { special: [...special] }) } };
  return {
    state: { ...state }, observed: { ...link?.observed, ...observed }, identity, facts: facts as Json,
    ...(link?.advice === undefined ? {} : { advice: link.advice }),
  };
}

function keysOf(column: string, entries: Readonly<Record<string, string>>): JsonObject {
  return Object.keys(entries).length === 0 ? {} : { [column]: entries };
}
