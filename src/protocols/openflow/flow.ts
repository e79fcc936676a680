import { readInstructions, writeInstructions, type Instruction } from "./instruction.ts";
import { readMatch, writeMatch, type Match } from "./match.ts";
import { OF14, type Version } from "./message.ts";
import { ANY } from "./port-names.ts";
import { ProtocolViolation, WireReader, WireWriter } from "./wire.ts";

/*
 * Flows, as they are changed and as they are reported: OpenFlow 1.4, 7.3.4.2 "Modify Flow Entry Message" and 7.3.5.2 "Individual Flow
 * Statistics". 1.3 differs in that it has no importance. Pure.
 */

export interface Flow {
  readonly table: number;
  readonly priority: number;
  readonly match: Match;
  readonly instructions: readonly Instruction[];
  readonly cookie: bigint;
  /** Without a packet for so long, or after so long, it goes by itself; 0 for never. */
  readonly idleTimeoutS: number;
  readonly hardTimeoutS: number;
  /** OFPFF_ bits: FLOW_FLAGS. */
  readonly flags: number;
  /** A flow of less importance may be evicted for one of more. */
  readonly importance: number;
}

/** What a bridge tells of a flow besides. */
export interface FlowStats extends Flow {
  readonly durationMs: number;
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** As ovs-ofctl spells them, in its order. */
export const FLOW_FLAGS = { send_flow_rem: 1, check_overlap: 2, reset_counts: 4, no_packet_counts: 8, no_byte_counts: 16 } as const;

export type FlowCommand = keyof typeof COMMANDS;

/** A change of a table. The strict ones mean the flow with exactly this priority and match. */
export interface FlowMod {
  readonly command: FlowCommand;
  readonly flow: Flow;
}

const COMMANDS = { add: 0, modify: 1, modify_strict: 2, delete: 3, delete_strict: 4 } as const;
const [NO_BUFFER, ANY_GROUP] = [0xffff_ffff, 0xffff_ffff];
const STATS_FIXED_BYTES = 48;

/** The body of an OFPT_FLOW_MOD. */
export function encodeFlowMod(version: Version, { command, flow }: FlowMod): Buffer {
  const writer = new WireWriter().u64(flow.cookie).skip(8).u8(flow.table).u8(COMMANDS[command]);
  writer.u16(flow.idleTimeoutS).u16(flow.hardTimeoutS).u16(flow.priority);
  writer.u32(NO_BUFFER).u32(ANY).u32(ANY_GROUP).u16(flow.flags).u16(version === OF14 ? flow.importance : 0);
  writeMatch(writer, flow.match);
  writeInstructions(writer, command.startsWith("delete") ? [] : flow.instructions);
  return writer.bytes();
}

/** Throws ProtocolViolation. */
export function decodeFlowMod(version: Version, body: Uint8Array): FlowMod {
  const reader = new WireReader(body);
  const cookie = reader.u64();
  reader.skip(8);
  const [table, number, idleTimeoutS, hardTimeoutS, priority] = [reader.u8(), reader.u8(), reader.u16(), reader.u16(), reader.u16()];
  reader.skip(12);
  const [flags, importance, match, instructions] = [reader.u16(), readImportance(version, reader), readMatch(reader), readInstructions(reader)];
  const command = Object.entries(COMMANDS).find(([, code]) => code === number)?.[0] as FlowCommand | undefined;
  if (command === undefined) throw new ProtocolViolation(`a flow mod of command ${number}`);
  return { command, flow: { table, priority, match, instructions, cookie, idleTimeoutS, hardTimeoutS, flags, importance } };
}

/** The body of a request for all flows of all tables. */
export function encodeFlowStatsRequest(): Buffer {
  const writer = new WireWriter().u8(0xff).skip(3).u32(ANY).u32(ANY_GROUP).skip(4).u64(0n).u64(0n);
  writeMatch(writer, []);
  return writer.bytes();
}

/** The flows of one part of the answer. Throws ProtocolViolation. */
export function decodeFlowStats(version: Version, body: Uint8Array): FlowStats[] {
  const reader = new WireReader(body);
  const flows: FlowStats[] = [];
  while (reader.left > 0) {
    const length = reader.u16();
    if (length < STATS_FIXED_BYTES) throw new ProtocolViolation(`a flow of ${length} bytes`);
    flows.push(readFlowStats(version, new WireReader(reader.bytes(length - 2))));
  }
  return flows;
}

export function encodeFlowStats(flows: readonly FlowStats[]): Buffer {
  const writer = new WireWriter();
  for (const flow of flows) {
    const start = writer.at;
    writer.u16(0).u8(flow.table).skip(1).u32(Math.floor(flow.durationMs / 1000)).u32(Math.round((flow.durationMs % 1000) * 1e6));
    writer.u16(flow.priority).u16(flow.idleTimeoutS).u16(flow.hardTimeoutS).u16(flow.flags).u16(flow.importance).skip(2);
    writer.u64(flow.cookie).u64(flow.packets).u64(flow.bytes);
    writeMatch(writer, flow.match);
    writeInstructions(writer, flow.instructions);
    writer.u16At(start, writer.at - start);
  }
  return writer.bytes();
}

function readFlowStats(version: Version, reader: WireReader): FlowStats {
  const table = reader.u8();
  reader.skip(1);
  const durationMs = reader.u32() * 1000 + reader.u32() / 1e6;
  const [priority, idleTimeoutS, hardTimeoutS, flags, importance] = [reader.u16(), reader.u16(), reader.u16(), reader.u16(), readImportance(version, reader)];
  reader.skip(2);
  const [cookie, packets, bytes, match] = [reader.u64(), reader.u64(), reader.u64(), readMatch(reader)];
  return { table, priority, match, instructions: readInstructions(reader), cookie, idleTimeoutS, hardTimeoutS, flags, importance, durationMs, packets, bytes };
}

/** In 1.3 its place is empty. */
function readImportance(version: Version, reader: WireReader): number {
  const importance = reader.u16();
  return version === OF14 ? importance : 0;
}
