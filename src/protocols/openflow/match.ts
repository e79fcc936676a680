import { fieldAt, knownField, type Field, type Place } from "./fields.ts";
import { ProtocolViolation, WireReader, WireWriter } from "./wire.ts";

/*
 * A flow's match: OpenFlow 1.4, 7.2.3 "Flow Match Structures". Pure.
 */

/** One field that a packet must have. What is not known here is kept as its bytes. */
export type MatchEntry = FieldValue | { readonly raw: Uint8Array };

export interface FieldValue {
  /** A name of fields.ts. */
  readonly field: string;
  readonly value: bigint;
  /** The bits that count; all of them where it is left out. */
  readonly mask?: bigint;
}

/** In the order of the wire. None matches every packet. */
export type Match = readonly MatchEntry[];

const OFPMT_OXM = 1;
const EXPERIMENTER_CLASS = 0xffff;

export function writeMatch(writer: WireWriter, match: Match): void {
  const start = writer.at;
  writer.u16(OFPMT_OXM).u16(0);
  for (const entry of match) writeEntry(writer, entry);
  writer.u16At(start + 2, writer.at - start);
  writer.pad8(start);
}

/** Throws ProtocolViolation. */
export function readMatch(reader: WireReader): Match {
  const [type, length] = [reader.u16(), reader.u16()];
  if (type !== OFPMT_OXM) throw new ProtocolViolation(`a match of type ${type}`);
  const entries = new WireReader(reader.bytes(length - 4));
  reader.skip(-length & 7);
  const match: MatchEntry[] = [];
  while (entries.left > 0) match.push(readEntry(entries));
  return match;
}

export function writeEntry(writer: WireWriter, entry: MatchEntry): void {
  if ("raw" in entry) return void writer.put(entry.raw);
  const field = knownField(entry.field);
  writeHeader(writer, field, field.oxm, entry.mask !== undefined);
  writer.integer(entry.value, field.bytes);
  if (entry.mask !== undefined) writer.integer(entry.mask, field.bytes);
}

/** Takes one field (7.2.3.2 "Flow Match Field Structures"). Throws ProtocolViolation where it has no end. */
export function readEntry(reader: WireReader): MatchEntry {
  const header = reader.u32();
  const body = reader.bytes(header & 0xff);
  const raw = { raw: new WireWriter().u32(header).put(body).bytes() };
  const content = new WireReader(body);
  const oxmClass = header >>> 16;
  if (oxmClass === EXPERIMENTER_CLASS && content.left < 4) return raw;
  const place: Place = { oxmClass, number: (header >>> 9) & 0x7f, ...(oxmClass === EXPERIMENTER_CLASS ? { experimenter: content.u32() } : {}) };
  const field = fieldAt(place, "oxm");
  const masked = (header & 0x100) !== 0;
  if (field === undefined || content.left !== (masked ? 2 : 1) * field.bytes) return raw;
  const value = content.integer(field.bytes);
  return masked ? { field: field.name, value, mask: content.integer(field.bytes) } : { field: field.name, value };
}

/** The four bytes, and an experimenter's eight, that name a field in load and move. */
export function nxmHeader({ nxm, bytes }: Field): number {
  return ((nxm.oxmClass << 16) | (nxm.number << 9) | bytes) >>> 0;
}

/** The field that load and move name; undefined for one that is not known here. */
export function fieldOfNxm(header: number): Field | undefined {
  const field = fieldAt({ oxmClass: header >>> 16, number: (header >>> 9) & 0x7f }, "nxm");
  return field !== undefined && nxmHeader(field) === header ? field : undefined;
}

function writeHeader(writer: WireWriter, { bytes }: Field, { oxmClass, number, experimenter }: Place, masked: boolean): void {
  const length = (masked ? 2 : 1) * bytes + (experimenter === undefined ? 0 : 4);
  writer.u16(oxmClass).u8((number << 1) | (masked ? 1 : 0)).u8(length);
  if (experimenter !== undefined) writer.u32(experimenter);
}
