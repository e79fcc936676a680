import { TYPES, type Message } from "./message.ts";
import { MULTIPART } from "./multipart.ts";
import { bufferOf } from "./wire.ts";

/** The OpenFlow messages that change nothing of the bridge: the one list of them (DESIGN.md, Reads). Anything else is a write. */
const READS: readonly number[] = [TYPES.HELLO, TYPES.ECHO_REQUEST, TYPES.ECHO_REPLY, TYPES.FEATURES_REQUEST, TYPES.BARRIER_REQUEST];
/** Of the multipart requests: that for table features can change tables. */
const MULTIPART_READS: readonly number[] = [MULTIPART.FLOW, MULTIPART.PORT_DESC];

/** Whether the message is known to change nothing. */
export function isRead({ type, body }: Pick<Message, "type" | "body">): boolean {
  if (type !== TYPES.MULTIPART_REQUEST) return READS.includes(type);
  return body.length >= 2 && MULTIPART_READS.includes(bufferOf(body).readUInt16BE(0));
}
