import type { Insert, Mutate, Operation, Wait } from "./operation.ts";
import { mapOf, type NamedUuid, type Row, type Value } from "./value.ts";

/*
 * What changes Open vSwitch's database, each as the operations for it: those of several changes, in order, make one transaction. Rows are
 * known by name, so that a change may be of what an earlier one in the same transaction adds. What a change is of must be there: otherwise
 * its wait fails, and with it the transaction. Pure.
 */

/** A table whose rows have names that occur once. */
export type NamedTable = "Bridge" | "Port" | "Interface";

/** A row as it was read: another row that has got its name since is not meant. */
export interface Named {
  readonly uuid: string;
  readonly name: string;
}

export interface PortColumns {
  readonly port?: Row;
  /** Its `type` is "" for a device of the system, "internal", "patch" and so on. */
  readonly interface?: Row;
}

/** A bridge with its local port, an internal interface of the same name. */
export function addBridge(name: string, columns: Row = {}): Operation[] {
  const [local, bridge] = [insertPort(name, { interface: { type: "internal" } }), uuidName("bridge", name)];
  return [
    ...local.inserts,
    { op: "insert", table: "Bridge", uuidName: bridge.namedUuid, row: { name, ports: local.uuid, ...columns } },
    { op: "mutate", table: "Open_vSwitch", where: [], mutations: [["bridges", "insert", bridge]] },
  ];
}

/** The bridge goes, and its ports and interfaces with it: rows that nothing refers to are gone at once. */
export function removeBridge({ uuid, name }: Named): Operation[] {
  return [isThere("Bridge", name, uuid), { op: "mutate", table: "Open_vSwitch", where: [], mutations: [["bridges", "delete", { uuid }]] }];
}

/** A port with one interface of the same name. */
export function addPort(bridge: string, name: string, columns: PortColumns = {}): Operation[] {
  const { inserts, uuid } = insertPort(name, columns);
  return [...inserts, isThere("Bridge", bridge), mutate("Bridge", bridge, [["ports", "insert", uuid]])];
}

/** The port goes from its bridge, and its interfaces with it. */
export function removePort(bridge: string, { uuid, name }: Named): Operation[] {
  const { where, ...hasIt } = isThere("Bridge", bridge);
  return [isThere("Port", name, uuid), { ...hasIt, where: [...where, ["ports", "includes", { uuid }]] }, mutate("Bridge", bridge, [["ports", "delete", { uuid }]])];
}

/** The port goes from one bridge to another with all that is set of it. */
export function movePort(from: string, to: string, { uuid, name }: Named): Operation[] {
  return [...removePort(from, { uuid, name }), isThere("Bridge", to), mutate("Bridge", to, [["ports", "insert", { uuid }]])];
}

/** Other values for columns, whole; EMPTY unsets one. */
export function setColumns(table: NamedTable, name: string, columns: Row): Operation[] {
  return [isThere(table, name), { op: "update", table, where: [["name", "==", name]], row: columns }];
}

/** Other values for some keys of a map, other_config and its like; null takes a key away. Keys that are not named stay. */
export function setKeys(table: NamedTable, name: string, column: string, entries: Readonly<Record<string, string | null>>): Operation[] {
  const values = Object.entries(entries).filter((entry): entry is [string, string] => entry[1] !== null);
  // To insert a key that is there leaves it as it is (RFC 7047 5.1).
  const mutations: Mutate["mutations"] = [
    [column, "delete", { set: Object.keys(entries) }],
    [column, "insert", mapOf(Object.fromEntries(values))],
  ];
  return [isThere(table, name), mutate(table, name, mutations)];
}

/** The bridge's controllers, all of them; those that it had are gone. */
export function setControllers(bridge: string, targets: readonly string[]): Operation[] {
  const inserts = targets.map((target, index): Insert => {
    return { op: "insert", table: "Controller", uuidName: uuidName(`controller_${index}`, bridge).namedUuid, row: { target } };
  });
  const controller: Value = { set: inserts.map(({ uuidName = "" }) => ({ namedUuid: uuidName })) };
  return [...inserts, ...setColumns("Bridge", bridge, { controller })];
}

function insertPort(name: string, columns: PortColumns): { readonly inserts: readonly Insert[]; readonly uuid: NamedUuid } {
  const [uuid, link] = [uuidName("port", name), uuidName("interface", name)];
  return {
    uuid,
    inserts: [
      { op: "insert", table: "Interface", uuidName: link.namedUuid, row: { name, ...columns.interface } },
      { op: "insert", table: "Port", uuidName: uuid.namedUuid, row: { name, interfaces: link, ...columns.port } },
    ],
  };
}

/** Without it, what is done to rows that are not there would be done to none, and succeed. */
function isThere(table: NamedTable, name: string, uuid?: string): Wait {
  const row: Row = { name, ...(uuid === undefined ? {} : { _uuid: { uuid } }) };
  return { op: "wait", table, where: [["name", "==", name]], columns: Object.keys(row), until: "==", rows: [row], timeoutMs: 0 };
}

function mutate(table: NamedTable, name: string, mutations: Mutate["mutations"]): Mutate {
  return { op: "mutate", table, where: [["name", "==", name]], mutations };
}

/** A name for a new row that no other has in the same transaction, whatever the names are made of. */
function uuidName(kind: string, name: string): NamedUuid {
  return { namedUuid: `${kind}_${Buffer.from(name).toString("hex")}` };
}
