import { readActions, writeActions } from "./action-codec.ts";
import type { Action } from "./action.ts";
import { ProtocolViolation, WireReader, WireWriter } from "./wire.ts";

/*
 * Flow instructions: OpenFlow 1.4, 7.2.4 "Flow Instruction Structures". Pure.
 */

export type Instruction =
  | { readonly instruction: "meter"; readonly meter: number }
  | { readonly instruction: "apply_actions"; readonly actions: readonly Action[] }
  | { readonly instruction: "clear_actions" }
  | { readonly instruction: "write_actions"; readonly actions: readonly Action[] }
  | { readonly instruction: "write_metadata"; readonly value: bigint; readonly mask: bigint }
  | { readonly instruction: "goto_table"; readonly table: number }
  | RawInstruction;

/** What is not known here, as its bytes. */
export interface RawInstruction {
  readonly instruction: "raw";
  readonly bytes: Uint8Array;
}

const TYPES = { goto_table: 1, write_metadata: 2, write_actions: 3, apply_actions: 4, clear_actions: 5, meter: 6 } as const;

export function writeInstructions(writer: WireWriter, instructions: readonly Instruction[]): void {
  for (const instruction of instructions) {
    if (instruction.instruction === "raw") writer.put(instruction.bytes);
    else writeKnown(writer, instruction);
  }
}

/** Whatever could not be written again exactly as it was is kept as its bytes. Throws ProtocolViolation where an instruction has no end. */
export function readInstructions(reader: WireReader): Instruction[] {
  const instructions: Instruction[] = [];
  while (reader.left > 0) {
    const [type, length] = [reader.u16(), reader.u16()];
    if (length < 8 || length % 8 !== 0) throw new ProtocolViolation(`an instruction of ${length} bytes`);
    const body = reader.bytes(length - 4);
    const bytes = new WireWriter().u16(type).u16(length).put(body).bytes();
    const known = decoded(type, new WireReader(body));
    instructions.push(known !== undefined && encoded(known).equals(bytes) ? known : { instruction: "raw", bytes });
  }
  return instructions;
}

function writeKnown(writer: WireWriter, instruction: Exclude<Instruction, RawInstruction>): void {
  const start = writer.at;
  writer.u16(TYPES[instruction.instruction]).u16(0);
  if (instruction.instruction === "goto_table") writer.u8(instruction.table);
  else if (instruction.instruction === "meter") writer.u32(instruction.meter);
  else writer.skip(4);
  if (instruction.instruction === "write_metadata") writer.u64(instruction.value).u64(instruction.mask);
  else if ("actions" in instruction) writeActions(writer, instruction.actions);
  writer.pad8(start).u16At(start + 2, writer.at - start);
}

/** What the bytes look like; it is believed only when it gives the same bytes again. */
function decoded(type: number, reader: WireReader): Instruction | undefined {
  if (type === TYPES.goto_table) return { instruction: "goto_table", table: reader.u8() };
  if (type === TYPES.meter) return { instruction: "meter", meter: reader.u32() };
  reader.skip(4);
  if (type === TYPES.clear_actions) return { instruction: "clear_actions" };
  if (type === TYPES.apply_actions) return { instruction: "apply_actions", actions: readActions(reader) };
  if (type === TYPES.write_actions) return { instruction: "write_actions", actions: readActions(reader) };
  return type === TYPES.write_metadata ? { instruction: "write_metadata", value: reader.u64(), mask: reader.u64() } : undefined;
}

function encoded(instruction: Instruction): Buffer {
  const writer = new WireWriter();
  writeInstructions(writer, [instruction]);
  return writer.bytes();
}
