import { OpError } from "../../core/errors.ts";
import type { Select } from "./operation.ts";
import type { Ovsdb } from "./ovsdb.ts";
import { RowReader } from "./row-reader.ts";
import type { Row } from "./value.ts";

/*
 * Open vSwitch as its database describes it: ovs-vswitchd.conf.db(5), whose names the columns keep. Only reading; what to make of it is
 * the plugins' matter.
 */

export interface Vswitch {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly other_config: ReadonlyMap<string, string>;
  /** The release that runs, where ovs-vswitchd has told. */
  readonly ovs_version: string | undefined;
  readonly bridges: readonly Bridge[];
}

export interface Bridge {
  readonly uuid: string;
  readonly name: string;
  readonly datapath_type: string;
  readonly datapath_id: string | undefined;
  readonly fail_mode: string | undefined;
  readonly stp_enable: boolean;
  readonly protocols: readonly string[];
  readonly other_config: ReadonlyMap<string, string>;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly controllers: readonly Controller[];
  readonly ports: readonly Port[];
}

export interface Controller {
  readonly uuid: string;
  readonly target: string;
  readonly is_connected: boolean;
}

export interface Port {
  readonly uuid: string;
  readonly name: string;
  readonly tag: number | undefined;
  readonly trunks: readonly number[];
  readonly vlan_mode: string | undefined;
  readonly bond_mode: string | undefined;
  readonly other_config: ReadonlyMap<string, string>;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly interfaces: readonly Interface[];
}

export interface Interface {
  readonly uuid: string;
  readonly name: string;
  /** "" for a device of the system. */
  readonly type: string;
  readonly options: ReadonlyMap<string, string>;
  /** What is asked for; what is, is `mac_in_use`. */
  readonly mac: string | undefined;
  readonly mac_in_use: string | undefined;
  readonly mtu_request: number | undefined;
  readonly mtu: number | undefined;
  readonly ofport_request: number | undefined;
  /** -1 where it could not be made. */
  readonly ofport: number | undefined;
  readonly ifindex: number | undefined;
  readonly admin_state: string | undefined;
  readonly link_state: string | undefined;
  /** Why ovs-vswitchd could not make it. */
  readonly error: string | undefined;
  readonly other_config: ReadonlyMap<string, string>;
  readonly external_ids: ReadonlyMap<string, string>;
}

const INTERFACE_COLUMNS = [
  ...["_uuid", "name", "type", "options", "mac", "mac_in_use", "mtu_request", "mtu", "ofport_request", "ofport", "ifindex"],
  ...["admin_state", "link_state", "error", "other_config", "external_ids"],
];

const SELECTS: readonly Select[] = [
  all("Open_vSwitch", ["external_ids", "other_config", "ovs_version", "bridges"]),
  all("Bridge", [
    ...["_uuid", "name", "datapath_type", "datapath_id", "fail_mode", "stp_enable", "protocols", "other_config", "external_ids"],
    ...["controller", "ports"],
  ]),
  all("Port", ["_uuid", "name", "tag", "trunks", "vlan_mode", "bond_mode", "other_config", "external_ids", "interfaces"]),
  all("Interface", INTERFACE_COLUMNS),
  all("Controller", ["_uuid", "target", "is_connected"]),
];

/** All bridges with what is on them, as they were at one instant; sorted by name. */
export async function readVswitch(ovsdb: Ovsdb): Promise<Vswitch> {
  const results = await ovsdb.transact(SELECTS);
  const [vswitches = [], bridges = [], ports = [], interfaces = [], controllers = []] = results.map(({ rows = [] }) => rows);
  const [first] = vswitches;
  if (first === undefined) {
    throw new OpError("unavailable", "Open vSwitch's database is empty", { hint: "Start Open vSwitch with 'systemctl start openvswitch-switch'" });
  }
  const interfaceOf = byUuid("Interface", interfaces, readInterface);
  const portOf = byUuid("Port", ports, (row) => readPort(row, interfaceOf));
  const controllerOf = byUuid("Controller", controllers, readController);
  const bridgeOf = byUuid("Bridge", bridges, (row) => readBridge(row, portOf, controllerOf));
  const row = new RowReader("Open_vSwitch", first);
  return {
    external_ids: row.map("external_ids"),
    other_config: row.map("other_config"),
    ovs_version: row.optionalString("ovs_version"),
    bridges: byName(row.uuids("bridges").map(bridgeOf)),
  };
}

function readBridge(row: RowReader, portOf: (uuid: string) => Port, controllerOf: (uuid: string) => Controller): Bridge {
  return {
    uuid: row.uuid.uuid,
    name: row.string("name"),
    datapath_type: row.string("datapath_type"),
    datapath_id: row.optionalString("datapath_id"),
    fail_mode: row.optionalString("fail_mode"),
    stp_enable: row.boolean("stp_enable"),
    protocols: row.strings("protocols"),
    other_config: row.map("other_config"),
    external_ids: row.map("external_ids"),
    controllers: row.uuids("controller").map(controllerOf).sort((a, b) => (a.target < b.target ? -1 : 1)),
    ports: byName(row.uuids("ports").map(portOf)),
  };
}

function readController(row: RowReader): Controller {
  return { uuid: row.uuid.uuid, target: row.string("target"), is_connected: row.boolean("is_connected") };
}

function readPort(row: RowReader, interfaceOf: (uuid: string) => Interface): Port {
  return {
    uuid: row.uuid.uuid,
    name: row.string("name"),
    tag: row.optionalNumber("tag"),
    trunks: row.numbers("trunks"),
    vlan_mode: row.optionalString("vlan_mode"),
    bond_mode: row.optionalString("bond_mode"),
    other_config: row.map("other_config"),
    external_ids: row.map("external_ids"),
    interfaces: byName(row.uuids("interfaces").map(interfaceOf)),
  };
}

function readInterface(row: RowReader): Interface {
  return {
    uuid: row.uuid.uuid,
    name: row.string("name"),
    type: row.string("type"),
    options: row.map("options"),
    mac: row.optionalString("mac"),
    mac_in_use: row.optionalString("mac_in_use"),
    mtu_request: row.optionalNumber("mtu_request"),
    mtu: row.optionalNumber("mtu"),
    ofport_request: row.optionalNumber("ofport_request"),
    ofport: row.optionalNumber("ofport"),
    ifindex: row.optionalNumber("ifindex"),
    admin_state: row.optionalString("admin_state"),
    link_state: row.optionalString("link_state"),
    error: row.optionalString("error"),
    other_config: row.map("other_config"),
    external_ids: row.map("external_ids"),
  };
}

function all(table: string, columns: readonly string[]): Select {
  return { op: "select", table, where: [], columns };
}

/** The rows by their uuids: the database lets no reference go nowhere, and all were read in one transaction. */
function byUuid<T>(table: string, rows: readonly Row[], read: (row: RowReader) => T): (uuid: string) => T {
  const readers = rows.map((row) => new RowReader(table, row));
  const things = new Map(readers.map((row) => [row.uuid.uuid, read(row)]));
  return (uuid) => {
    const thing = things.get(uuid);
    if (thing === undefined) throw new OpError("failed", `Open vSwitch's table ${table} has no row ${uuid} although another refers to it`);
    return thing;
  };
}

function byName<T extends { readonly name: string }>(things: readonly T[]): readonly T[] {
  return things.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
