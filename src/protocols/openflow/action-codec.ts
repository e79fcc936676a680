import { isPlain, PLAIN_ACTIONS, type Action, type Connection, type Plain, type PlainAction, type PlainName, type Subfield } from "./action.ts";
import { knownField } from "./fields.ts";
import { fieldOfNxm, nxmHeader, readEntry, writeEntry } from "./match.ts";
import { ProtocolViolation, WireReader, WireWriter } from "./wire.ts";

/*
 * Actions on the wire: OpenFlow 1.4, 7.2.5; Open vSwitch's own in its include/openflow/nicira-ext.h and lib/ofp-actions.c. Pure.
 */

const [SET_FIELD, VENDOR] = [25, 0xffff];
const NICIRA = 0x2320;
/** Subtypes of Open vSwitch's actions that have more than plain numbers. */
const [MOVE, LOAD, NOTE, OUTPUT_FIELD, CT] = [6, 7, 8, 15, 35];
const [CT_COMMIT, CT_FORCE] = [1, 2];
const NO_TABLE = 0xff;
/** Actions within actions: Open vSwitch itself knows one level. */
const DEPTH_LIMIT = 4;

export function writeActions(writer: WireWriter, actions: readonly Action[]): void {
  for (const action of actions) writeAction(writer, action);
}

/** Whatever could not be written again exactly as it was is kept as its bytes. Throws ProtocolViolation where an action has no end. */
export function readActions(reader: WireReader, depth = 0): Action[] {
  const actions: Action[] = [];
  while (reader.left > 0) actions.push(readAction(reader, depth));
  return actions;
}

function writeAction(writer: WireWriter, action: Action): void {
  const start = writer.at;
  if (isPlain(action)) return writePlain(writer, action);
  switch (action.action) {
    case "raw":
      writer.put(action.bytes);
      return;
    case "set_field":
      writer.u16(SET_FIELD).u16(0);
      writeEntry(writer, { field: action.field, value: action.value });
      break;
    case "load":
      vendorHeader(writer, LOAD).u16(offsetAndBits(action.target)).u32(nxmHeader(knownField(action.target.field))).u64(action.value);
      break;
    case "move":
      vendorHeader(writer, MOVE).u16(action.target.bits).u16(action.source.offset).u16(action.target.offset);
      writer.u32(nxmHeader(knownField(action.source.field))).u32(nxmHeader(knownField(action.target.field)));
      break;
    case "output_field":
      vendorHeader(writer, OUTPUT_FIELD).u16(offsetAndBits(action.source)).u32(nxmHeader(knownField(action.source.field))).u16(action.maxLength).skip(6);
      break;
    case "note":
      vendorHeader(writer, NOTE).put(action.bytes);
      break;
    case "ct":
      writeConnection(writer, action);
  }
  writer.pad8(start).u16At(start + 2, writer.at - start);
}

function writePlain(writer: WireWriter, { action, numbers }: PlainAction): void {
  const plain: Plain = PLAIN_ACTIONS[action];
  const bytes = new Uint8Array(plain.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, plain.vendor ? VENDOR : plain.type);
  view.setUint16(2, plain.length);
  if (plain.vendor) {
    view.setUint32(4, NICIRA);
    view.setUint16(8, plain.type);
  }
  for (const [index, [at, size]] of plain.numbers.entries()) {
    const number = numbers[index] ?? 0;
    if (size === 1) view.setUint8(at, number);
    else if (size === 2) view.setUint16(at, number);
    else view.setUint32(at, number);
  }
  writer.put(bytes);
}

function writeConnection(writer: WireWriter, { commit, force, zone, table, helper, exec }: Connection): void {
  vendorHeader(writer, CT).u16((commit ? CT_COMMIT : 0) | (force ? CT_FORCE : 0));
  if (typeof zone === "number") writer.u32(0).u16(zone);
  else writer.u32(nxmHeader(knownField(zone.field))).u16(offsetAndBits(zone));
  writer.u8(table ?? NO_TABLE).skip(3).u16(helper);
  writeActions(writer, exec);
}

function vendorHeader(writer: WireWriter, subtype: number): WireWriter {
  return writer.u16(VENDOR).u16(0).u32(NICIRA).u16(subtype);
}

function readAction(reader: WireReader, depth: number): Action {
  const [type, length] = [reader.u16(), reader.u16()];
  if (length < 8 || length % 8 !== 0) throw new ProtocolViolation(`an action of ${length} bytes`);
  const bytes = new WireWriter().u16(type).u16(length).put(reader.bytes(length - 4)).bytes();
  const known = depth < DEPTH_LIMIT ? decoded(type, bytes, depth) : undefined;
  return known !== undefined && encoded(known).equals(bytes) ? known : { action: "raw", bytes };
}

/** What the bytes look like; it is believed only when it gives the same bytes again. */
function decoded(type: number, bytes: Buffer, depth: number): Action | undefined {
  const reader = new WireReader(bytes);
  reader.skip(4);
  try {
    if (type === SET_FIELD) {
      const entry = readEntry(reader);
      return "raw" in entry || entry.mask !== undefined ? undefined : { action: "set_field", field: entry.field, value: entry.value };
    }
    if (type !== VENDOR) return plainAction(type, false, bytes);
    if (reader.u32() !== NICIRA) return undefined;
    return vendorAction(reader.u16(), reader, depth) ?? plainAction(bytes.readUInt16BE(8), true, bytes);
  } catch (error) {
    if (error instanceof ProtocolViolation) return undefined;
    throw error;
  }
}

function plainAction(type: number, vendor: boolean, bytes: Buffer): PlainAction | undefined {
  const found = Object.entries<Plain>(PLAIN_ACTIONS).find(([, plain]) => plain.type === type && (plain.vendor ?? false) === vendor);
  if (found === undefined || found[1].length !== bytes.length) return undefined;
  return { action: found[0] as PlainName, numbers: found[1].numbers.map(([at, size]) => bytes.readUIntBE(at, size)) };
}

function vendorAction(subtype: number, reader: WireReader, depth: number): Action | undefined {
  if (subtype === NOTE) return { action: "note", bytes: reader.bytes(reader.left) };
  if (subtype === CT) return readConnection(reader, depth);
  if (subtype === MOVE) {
    const [bits, from, to] = [reader.u16(), reader.u16(), reader.u16()];
    const [source, target] = [subfield(reader.u32(), from, bits), subfield(reader.u32(), to, bits)];
    return source && target && { action: "move", source, target };
  }
  if (subtype !== LOAD && subtype !== OUTPUT_FIELD) return undefined;
  const where = reader.u16();
  const field = subfield(reader.u32(), where >>> 6, (where & 0x3f) + 1);
  if (field === undefined) return undefined;
  return subtype === LOAD ? { action: "load", target: field, value: reader.u64() } : { action: "output_field", source: field, maxLength: reader.u16() };
}

function readConnection(reader: WireReader, depth: number): Connection | undefined {
  const [flags, header, where, table] = [reader.u16(), reader.u32(), reader.u16(), reader.u8()];
  reader.skip(3);
  const [helper, exec] = [reader.u16(), readActions(reader, depth + 1)];
  const zone = header === 0 ? where : subfield(header, where >>> 6, (where & 0x3f) + 1);
  // A part that is not known, nat among them, makes the whole unknown.
  if (zone === undefined || exec.some(({ action }) => action === "raw")) return undefined;
  const marks = { commit: (flags & CT_COMMIT) !== 0, force: (flags & CT_FORCE) !== 0 };
  return { action: "ct", ...marks, ...(table === NO_TABLE ? {} : { table }), zone, helper, exec };
}

function subfield(header: number, offset: number, bits: number): Subfield | undefined {
  const field = fieldOfNxm(header);
  return field !== undefined && offset + bits <= 8 * field.bytes ? { field: field.name, offset, bits } : undefined;
}

function offsetAndBits({ offset, bits }: Subfield): number {
  return (offset << 6) | (bits - 1);
}

function encoded(action: Action): Buffer {
  const writer = new WireWriter();
  writeAction(writer, action);
  return writer.bytes();
}
