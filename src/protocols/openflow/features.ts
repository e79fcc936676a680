import { WireReader, WireWriter } from "./wire.ts";

/** What a bridge says of itself: OpenFlow 1.4, 7.3.1 "Handshake". */
export interface Features {
  /** As 16 hexadecimal digits, as `ovs-vsctl get bridge mesh datapath_id` prints it. */
  readonly datapathId: string;
  readonly buffers: number;
  readonly tables: number;
  readonly auxiliary: number;
  /** OFPC_ bits. */
  readonly capabilities: number;
}

/** Throws ProtocolViolation. */
export function decodeFeatures(body: Uint8Array): Features {
  const reader = new WireReader(body);
  const [datapathId, buffers, tables, auxiliary] = [reader.bytes(8).toString("hex"), reader.u32(), reader.u8(), reader.u8()];
  reader.skip(2);
  return { datapathId, buffers, tables, auxiliary, capabilities: reader.u32() };
}

export function encodeFeatures({ datapathId, buffers, tables, auxiliary, capabilities }: Features): Buffer {
  return new WireWriter().put(Buffer.from(datapathId, "hex")).u32(buffers).u8(tables).u8(auxiliary).skip(2).u32(capabilities).skip(4).bytes();
}
