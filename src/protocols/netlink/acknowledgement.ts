import { attribute, AttributeTable, ProtocolViolation, type AttributesOf } from "./attribute.ts";
import { string, u32 } from "./form.ts";
import { NLM_F, NLMSG_DONE, type Message } from "./message.ts";
import { aligned } from "./writer.ts";

/*
 * How a request ended: linux/netlink.h, struct nlmsgerr, NLMSGERR_ATTR_*. A dump ends with NLMSG_DONE, which has the error and nothing of
 * the request.
 */

const REQUEST_HEADER_BYTES = 16;

const REMARKS = {
  text: attribute(1, "NLMSGERR_ATTR_MSG", string),
  /** The attribute that is wrong, from the start of the request's message. */
  offset: attribute(2, "NLMSGERR_ATTR_OFFS", u32),
  /** The attribute that is missing. */
  missing: attribute(5, "NLMSGERR_ATTR_MISS_TYPE", u32),
  /** The nest that it is missing in, from the start of the request's message. */
  missingNest: attribute(6, "NLMSGERR_ATTR_MISS_NEST", u32),
};

const TABLE = new AttributeTable(REMARKS);

/** What the kernel says of a request: `errno` is 0 where it was done. */
export type Acknowledgement = { readonly errno: number } & AttributesOf<typeof REMARKS>;

/** Reads the message that ends a request, NLMSG_ERROR or NLMSG_DONE. Throws ProtocolViolation. */
export function decodeAcknowledgement({ type, flags, payload }: Message): Acknowledgement {
  if (type === NLMSG_DONE && payload.length === 0) return { errno: 0 };
  if (payload.length < 4) throw new ProtocolViolation("an acknowledgement without its error");
  const errno = 0 - payload.readInt32LE(0);
  if (errno < 0) throw new ProtocolViolation(`error ${errno}`);
  const remarks = (flags & NLM_F.ACK_TLVS) === 0 ? payload.length : 4 + requestBytes(type, flags, payload);
  if (remarks > payload.length) throw new ProtocolViolation("an acknowledgement that is cut off");
  return { errno, ...TABLE.decode(payload, remarks, payload.length) };
}

/** How much of the request is repeated: all of it with an error, unless the socket has asked for its header alone. */
function requestBytes(type: number, flags: number, payload: Buffer): number {
  if (type === NLMSG_DONE) return 0;
  if (payload.length < 4 + REQUEST_HEADER_BYTES) throw new ProtocolViolation("an acknowledgement without its request");
  const whole = payload.readInt32LE(0) !== 0 && (flags & NLM_F.CAPPED) === 0;
  return whole ? aligned(payload.readUInt32LE(4)) : REQUEST_HEADER_BYTES;
}
