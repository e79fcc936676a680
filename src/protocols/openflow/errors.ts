import { OpError, type ErrorKind } from "../../core/errors.ts";
import { errorWords, niciraWords, onfWords } from "./error-words.ts";
import { typeName } from "./message.ts";
import { WireReader, WireWriter } from "./wire.ts";

/*
 * OpenFlow 1.4, 7.4.4 "Error Message". Pure.
 */

/** What a bridge answers instead of a reply. */
export interface ErrorReply {
  readonly type: number;
  readonly code: number;
  /** Set for an extension's error, where `type` is 0xffff. */
  readonly experimenter?: number;
  /** At least the first 64 bytes of what it is about. */
  readonly data: Uint8Array;
}

const EXPERIMENTER = 0xffff;
const [NICIRA, ONF] = [0x2320, 0x4f4e4600];
const [BAD_REQUEST, EPERM_REQUEST, IS_SLAVE, FLOW_MOD_FAILED, EPERM_FLOW] = [1, 5, 10, 5, 4];

/** Throws ProtocolViolation. */
export function decodeError(body: Uint8Array): ErrorReply {
  const reader = new WireReader(body);
  const [type, code] = [reader.u16(), reader.u16()];
  return { type, code, ...(type === EXPERIMENTER ? { experimenter: reader.u32() } : {}), data: reader.bytes(reader.left) };
}

export function encodeError({ type, code, experimenter, data }: ErrorReply): Buffer {
  const writer = new WireWriter().u16(type).u16(code);
  if (experimenter !== undefined) writer.u32(experimenter);
  return writer.put(data).bytes();
}

/** The error in words: "OFPBAC_BAD_OUT_PORT: an action's port cannot be output to". */
export function describeError({ type, code, experimenter, data }: ErrorReply): string {
  const known = experimenter === NICIRA ? niciraWords(code) : experimenter === ONF ? onfWords(code) : experimenter === undefined ? errorWords(type, code) : undefined;
  if (known !== undefined) return `${known.words} (${known.name})`;
  const offending = data.length > 1 ? ` to ${typeName(data[1] ?? 0)}` : "";
  return `error of type ${type}, code ${code}${experimenter === undefined ? "" : `, experimenter 0x${experimenter.toString(16)}`}${offending}`;
}

/** What an error means for op-dbus, about what was being done: "add table=0,priority=5,tcp actions=output:9". */
export function openflowError(reply: ErrorReply, operation: string): OpError {
  const denied = (reply.type === BAD_REQUEST && (reply.code === EPERM_REQUEST || reply.code === IS_SLAVE)) || (reply.type === FLOW_MOD_FAILED && reply.code === EPERM_FLOW);
  const kind: ErrorKind = denied && reply.experimenter === undefined ? "refused" : "failed";
  return new OpError(kind, `${operation}: ${describeError(reply)}`, { operation });
}
