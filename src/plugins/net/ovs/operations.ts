import type { Operation } from "../../../protocols/ovsdb/operation.ts";
import { EMPTY, type Row, type Value } from "../../../protocols/ovsdb/value.ts";
import type { Bridge, Port, Vswitch } from "../../../protocols/ovsdb/vswitch.ts";
import { addBridge, addPort, movePort, removeBridge, removePort, setColumns, setControllers, setKeys, type NamedTable } from "../../../protocols/ovsdb/vswitch-operations.ts";

/** One thing that Open vSwitch is told. Those of a step are one transaction. Rows that it removes or moves go by uuid as well. */
export type VswitchOperation =
  | { readonly do: "add bridge"; readonly bridge: string; readonly datapath_type?: string }
  | { readonly do: "remove bridge"; readonly bridge: string; readonly uuid: string }
  | { readonly do: "add port"; readonly bridge: string; readonly port: string; readonly type: "" | "internal" | "patch" }
  | { readonly do: "move port"; readonly bridge: string; readonly port: string; readonly uuid: string; readonly from: string }
  | { readonly do: "remove port"; readonly bridge: string; readonly port: string; readonly uuid: string }
  | { readonly do: "set"; readonly table: NamedTable; readonly name: string; readonly columns: Readonly<Record<string, ColumnValue>> }
  | { readonly do: "set keys"; readonly table: NamedTable; readonly name: string; readonly column: string; readonly entries: Readonly<Record<string, string | null>> }
  | { readonly do: "set controller"; readonly bridge: string; readonly target: string | null };

/** null: unset. */
export type ColumnValue = string | number | readonly number[] | null;

/** The operations of the database, for what is not so already. */
export function operationsFor(operations: readonly VswitchOperation[], vswitch: Vswitch): Operation[] {
  return operations.filter((operation) => !isSo(operation, vswitch)).flatMap(operationsOf);
}

/** Whether the database says so already. Of settings that is not asked: setting them again does no harm. */
export function isSo(operation: VswitchOperation, vswitch: Vswitch): boolean {
  const bridge = "bridge" in operation ? bridgeNamed(operation.bridge, vswitch) : undefined;
  switch (operation.do) {
    case "add bridge":
      return bridge !== undefined;
    case "remove bridge":
      return bridge === undefined;
    case "add port":
    case "move port":
      return portOf(bridge, operation.port) !== undefined;
    case "remove port":
      return portOf(bridge, operation.port) === undefined;
    case "set controller": {
      const targets = bridge?.controllers.map(({ target }) => target) ?? [];
      return bridge !== undefined && targets.length <= 1 && (targets[0] ?? null) === operation.target;
    }
    case "set":
    case "set keys":
      return false;
  }
}

function operationsOf(operation: VswitchOperation): Operation[] {
  switch (operation.do) {
    case "add bridge":
      return addBridge(operation.bridge, operation.datapath_type === undefined ? {} : { datapath_type: operation.datapath_type });
    case "remove bridge":
      return removeBridge({ uuid: operation.uuid, name: operation.bridge });
    case "add port":
      return addPort(operation.bridge, operation.port, { interface: { type: operation.type } });
    case "move port":
      return movePort(operation.from, operation.bridge, { uuid: operation.uuid, name: operation.port });
    case "remove port":
      return removePort(operation.bridge, { uuid: operation.uuid, name: operation.port });
    case "set":
      return setColumns(operation.table, operation.name, rowOf(operation.columns));
    case "set keys":
      return setKeys(operation.table, operation.name, operation.column, operation.entries);
    case "set controller":
      return setControllers(operation.bridge, operation.target === null ? [] : [operation.target]);
  }
}

function rowOf(columns: Readonly<Record<string, ColumnValue>>): Row {
  return Object.fromEntries(Object.entries(columns).map(([column, value]): [string, Value] => [column, value === null ? EMPTY : typeof value === "object" ? { set: value } : value]));
}

function bridgeNamed(name: string, vswitch: Vswitch): Bridge | undefined {
  return vswitch.bridges.find((bridge) => bridge.name === name);
}

function portOf(bridge: Bridge | undefined, name: string): Port | undefined {
  return bridge?.ports.find((port) => port.name === name);
}
