import { decodeMessage, encodeMessage, OF14, TYPES, type Message, type Version } from "./message.ts";
import { WireReader, WireWriter } from "./wire.ts";

/*
 * Bundles, whose messages take effect together or not at all: OpenFlow 1.4, 7.3.9 "Bundle Messages"; for 1.3 the ONF's extension EXT-230,
 * which is the same after an experimenter's header. Pure.
 */

/** OFPBCT_: what is asked, and what is answered. */
export const BUNDLE = { OPEN_REQUEST: 0, OPEN_REPLY: 1, COMMIT_REQUEST: 4, COMMIT_REPLY: 5, DISCARD_REQUEST: 6, DISCARD_REPLY: 7 } as const;

export interface BundleControl {
  readonly bundle: number;
  readonly control: number;
  readonly flags: number;
}

/** OFPBF_: all or none, in the order in which they were added. */
export const ATOMIC_AND_ORDERED = 3;
const ONF = 0x4f4e4600;
const [ONF_CONTROL, ONF_ADD_MESSAGE] = [2300, 2301];

export function bundleControl(version: Version, xid: number, { bundle, control, flags }: BundleControl): Message {
  return wrapped({ version, xid, type: TYPES.BUNDLE_CONTROL, body: new WireWriter().u32(bundle).u16(control).u16(flags).bytes() });
}

/** The message in it has the same xid as the one around it: by that an error names it. */
export function bundleAdd(version: Version, bundle: number, message: Message): Message {
  const body = new WireWriter().u32(bundle).skip(2).u16(ATOMIC_AND_ORDERED).put(encodeMessage(message)).bytes();
  return wrapped({ version, xid: message.xid, type: TYPES.BUNDLE_ADD_MESSAGE, body });
}

/** What a bundle's control message says; undefined for any other message. Throws ProtocolViolation. */
export function bundleControlOf({ type, body }: Message): BundleControl | undefined {
  const reader = new WireReader(body);
  if (type === TYPES.EXPERIMENTER) {
    if (reader.u32() !== ONF || reader.u32() !== ONF_CONTROL) return undefined;
  } else if (type !== TYPES.BUNDLE_CONTROL) return undefined;
  return { bundle: reader.u32(), control: reader.u16(), flags: reader.u16() };
}

/** The message that one is put into a bundle by; undefined for any other message. Throws ProtocolViolation. */
export function bundledMessage({ type, body }: Message): { readonly bundle: number; readonly message: Message } | undefined {
  const reader = new WireReader(body);
  if (type === TYPES.EXPERIMENTER) {
    if (reader.u32() !== ONF || reader.u32() !== ONF_ADD_MESSAGE) return undefined;
  } else if (type !== TYPES.BUNDLE_ADD_MESSAGE) return undefined;
  const bundle = reader.u32();
  reader.skip(4);
  const inner = reader.bytes(reader.left);
  return { bundle, message: decodeMessage(inner.subarray(0, Math.min(inner.length, inner.length < 4 ? 0 : inner.readUInt16BE(2)))) };
}

function wrapped(message: Message & { readonly version: Version }): Message {
  if (message.version === OF14) return message;
  const kind = message.type === TYPES.BUNDLE_CONTROL ? ONF_CONTROL : ONF_ADD_MESSAGE;
  return { ...message, type: TYPES.EXPERIMENTER, body: new WireWriter().u32(ONF).u32(kind).put(message.body).bytes() };
}
