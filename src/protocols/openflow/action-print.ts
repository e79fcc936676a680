import { isPlain, type Action, type Connection, type PlainAction, type Subfield } from "./action.ts";
import { knownField } from "./fields.ts";
import type { Instruction } from "./instruction.ts";
import { CONTROLLER, IN_PORT, longPort, printPort, type PortNames } from "./port-names.ts";
import { printValue } from "./values.ts";

/*
 * Actions as `ovs-ofctl -O OpenFlow14 dump-flows` prints them. Pure.
 */

const ALL_METADATA = 0xffff_ffff_ffff_ffffn;
const NO_TABLE = 0xff;
const LAST_PORT = 0xfeff;
export const HELPERS: Readonly<Record<number, string>> = { 21: "ftp", 69: "tftp" };

/** One text for each action and instruction; `drop` for a flow that does nothing. */
export function printInstructions(instructions: readonly Instruction[], names: PortNames): string[] {
  const texts = instructions.flatMap((instruction) => printInstruction(instruction, names));
  return texts.length === 0 ? ["drop"] : texts;
}

function printInstruction(instruction: Instruction, names: PortNames): string[] {
  switch (instruction.instruction) {
    case "apply_actions":
      return instruction.actions.map((action) => printAction(action, names));
    case "write_actions":
      return [`write_actions(${printList(instruction.actions, names)})`];
    case "write_metadata":
      return [`write_metadata:${hex(instruction.value)}${instruction.mask === ALL_METADATA ? "" : `/${hex(instruction.mask)}`}`];
    case "goto_table":
      return [`goto_table:${instruction.table}`];
    case "meter":
      return [`meter:${instruction.meter}`];
    case "clear_actions":
      return ["clear_actions"];
    case "raw":
      return [`raw_instruction:${Buffer.from(instruction.bytes).toString("hex")}`];
  }
}

function printList(actions: readonly Action[], names: PortNames): string {
  return actions.length === 0 ? "drop" : actions.map((action) => printAction(action, names)).join(",");
}

function printAction(action: Action, names: PortNames): string {
  if (isPlain(action)) return printPlain(action, names);
  switch (action.action) {
    case "set_field":
      return `set_field:${printValue(knownField(action.field), { value: action.value }, names)}->${action.field.replace("in_port_oxm", "in_port")}`;
    case "load":
      return `load:${hex(action.value)}->${printSubfield(action.target)}`;
    case "move":
      return `move:${printSubfield(action.source)}->${printSubfield(action.target)}`;
    case "output_field":
      return `output:${printSubfield(action.source)}`;
    case "note":
      return `note:${Buffer.from(action.bytes).toString("hex").replace(/..(?=.)/g, "$&.")}`;
    case "ct":
      return `ct(${printConnection(action, names)})`;
    case "raw":
      return `raw:${Buffer.from(action.bytes).toString("hex")}`;
  }
}

function printPlain({ action, numbers: [first = 0, second = 0, third = 0] }: PlainAction, names: PortNames): string {
  switch (action) {
    case "output":
      return `${first <= LAST_PORT ? "output:" : ""}${printPort(first, names)}${first === CONTROLLER ? `:${second}` : ""}`;
    case "output_truncated":
      return `output(port=${printPort(longPort(first), names)},max_len=${second})`;
    case "push_vlan":
      return `push_vlan:${hex(BigInt(first))}`;
    case "push_mpls":
    case "pop_mpls":
      return `${action}:0x${first.toString(16).padStart(4, "0")}`;
    case "set_mpls_ttl":
      return `set_mpls_ttl(${first})`;
    case "set_queue":
    case "group":
    case "mod_nw_ttl":
      return `${action}:${first}`;
    case "resubmit":
      return printResubmit(first, NO_TABLE, names);
    case "resubmit_table":
      return printResubmit(first, second, names);
    case "resubmit_ct":
      return `resubmit(${resubmitted(first, second, names)},ct)`;
    case "conjunction":
      return `conjunction(${third},${first + 1}/${second})`;
    default:
      return action;
  }
}

function printResubmit(short: number, table: number, names: PortNames): string {
  return table === NO_TABLE && longPort(short) !== IN_PORT ? `resubmit:${printPort(longPort(short), names)}` : `resubmit(${resubmitted(short, table, names)})`;
}

function resubmitted(short: number, table: number, names: PortNames): string {
  const port = longPort(short);
  return `${port === IN_PORT ? "" : printPort(port, names)},${table === NO_TABLE ? "" : table}`;
}

function printConnection({ commit, force, table, zone, helper, exec }: Connection, names: PortNames): string {
  const parts = [
    ...(commit ? ["commit"] : []),
    ...(force ? ["force"] : []),
    ...(table === undefined ? [] : [`table=${table}`]),
    ...(typeof zone !== "number" ? [`zone=${printSubfield(zone)}`] : zone === 0 ? [] : [`zone=${zone}`]),
    ...(exec.length === 0 ? [] : [`exec(${printList(exec, names)})`]),
    ...(helper === 0 ? [] : [`alg=${HELPERS[helper] ?? helper}`]),
  ];
  return parts.join(",");
}

/** `NXM_NX_REG0[]`, `NXM_NX_REG0[3]`, `NXM_NX_REG0[0..3]`. */
function printSubfield({ field, offset, bits }: Subfield): string {
  const { nxmName, bits: all } = knownField(field);
  const range = offset === 0 && bits === all ? "" : bits === 1 ? String(offset) : `${offset}..${offset + bits - 1}`;
  return `${nxmName}[${range}]`;
}

function hex(value: bigint): string {
  return value === 0n ? "0" : `0x${value.toString(16)}`;
}
