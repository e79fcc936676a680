import { OF14, type Version } from "./message.ts";
import { ProtocolViolation, WireReader, WireWriter } from "./wire.ts";

/*
 * A bridge's ports: OpenFlow 1.4, 7.2.1.1 "Port Description Structures"; 1.3, 7.2.1. Pure.
 */

export interface Port {
  /** The number that flows mean it by: Open vSwitch's ofport. */
  readonly port: number;
  readonly name: string;
  /** As colon-separated hexadecimal. */
  readonly mac: string;
  /** OFPPC_ and OFPPS_ bits. */
  readonly config: number;
  readonly state: number;
  /** Features and speeds, which nothing here needs. */
  readonly rest: Uint8Array;
}

const NAME_BYTES = 16;
const PORT13_BYTES = 64;

/** The ports of one part of the answer. Throws ProtocolViolation. */
export function decodePorts(version: Version, body: Uint8Array): Port[] {
  const reader = new WireReader(body);
  const ports: Port[] = [];
  while (reader.left > 0) {
    const port = reader.u32();
    const length = version === OF14 ? reader.u16() : PORT13_BYTES;
    if (length < 40) throw new ProtocolViolation(`a port of ${length} bytes`);
    reader.skip(version === OF14 ? 2 : 4);
    const mac = reader.bytes(6).toString("hex").replace(/..(?=.)/g, "$&:");
    reader.skip(2);
    const name = reader.bytes(NAME_BYTES);
    const end = name.indexOf(0);
    const [config, state] = [reader.u32(), reader.u32()];
    ports.push({ port, name: name.toString("utf8", 0, end < 0 ? NAME_BYTES : end), mac, config, state, rest: reader.bytes(length - 40) });
  }
  return ports;
}

export function encodePorts(version: Version, ports: readonly Port[]): Buffer {
  const writer = new WireWriter();
  for (const { port, name, mac, config, state, rest } of ports) {
    writer.u32(port);
    if (version === OF14) writer.u16(40 + rest.length).skip(2);
    else writer.skip(4);
    const bytes = Buffer.alloc(NAME_BYTES);
    bytes.write(name);
    writer.put(Buffer.from(mac.replaceAll(":", ""), "hex")).skip(2).put(bytes).u32(config).u32(state).put(rest);
  }
  return writer.bytes();
}
