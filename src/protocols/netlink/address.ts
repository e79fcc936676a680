import { attribute, AttributeTable, type AttributesOf } from "./attribute.ts";
import { ip, s32, string, struct, u32, u8, type ValueOf } from "./form.ts";
import { Payload } from "./payload.ts";

/*
 * Addresses: linux/if_addr.h, struct ifaddrmsg, IFA_*.
 */

const HEADER = struct({ family: u8, prefixLength: u8, flagsByte: u8, scope: u8, index: s32 });

const ATTRIBUTES = {
  /** The peer's where there is one; `localOf` tells the host's own. */
  address: attribute(1, "IFA_ADDRESS", ip),
  local: attribute(2, "IFA_LOCAL", ip),
  label: attribute(3, "IFA_LABEL", string),
  broadcast: attribute(4, "IFA_BROADCAST", ip),
  anycast: attribute(5, "IFA_ANYCAST", ip),
  /** Lifetimes in seconds, FOREVER for ever; the times of making and of the last change in hundredths of a second since the boot. */
  cacheInfo: attribute(6, "IFA_CACHEINFO", struct({ preferred: u32, valid: u32, created: u32, updated: u32 })),
  multicast: attribute(7, "IFA_MULTICAST", ip),
  /** IFA_F_*; `flagsByte` has the lower eight. */
  flags: attribute(8, "IFA_FLAGS", u32),
  priority: attribute(9, "IFA_RT_PRIORITY", u32),
  /** Who made it, since Linux 5.18: IFAPROT_*. */
  protocol: attribute(11, "IFA_PROTO", u8),
};

export const ADDRESS = new Payload(HEADER, new AttributeTable(ATTRIBUTES));

/** An address of a link as RTM_NEWADDR has it. */
export type Address = ValueOf<typeof HEADER> & AttributesOf<typeof ATTRIBUTES>;

/** A lifetime without an end. */
export const FOREVER = 0xffff_ffff;

/** The host's own address: on a link to a single peer `address` is the peer's. */
export function localOf({ local, address }: Pick<Address, "local" | "address">): string | undefined {
  return local ?? address;
}
