import { attribute, AttributeTable, type AttributesOf } from "./attribute.ts";
import { ip, string, struct, u16, u32, u8, type ValueOf } from "./form.ts";
import { Payload } from "./payload.ts";

/*
 * Policy rules: linux/fib_rules.h, struct fib_rule_hdr, FRA_*.
 */

const HEADER = struct({ family: u8, destinationLength: u8, sourceLength: u8, tos: u8, tableByte: u8, unused1: u8, unused2: u8, action: u8, flags: u32 });

const PORTS = struct({ first: u16, last: u16 });

const ATTRIBUTES = {
  destination: attribute(1, "FRA_DST", ip),
  source: attribute(2, "FRA_SRC", ip),
  inInterface: attribute(3, "FRA_IIFNAME", string),
  /** The priority of the rule to go on with. */
  goto: attribute(4, "FRA_GOTO", u32),
  priority: attribute(6, "FRA_PRIORITY", u32),
  mark: attribute(10, "FRA_FWMARK", u32),
  flow: attribute(11, "FRA_FLOW", u32),
  /** 0xffffffff for none. */
  suppressGroup: attribute(13, "FRA_SUPPRESS_IFGROUP", u32),
  /** 0xffffffff for none. */
  suppressPrefixLength: attribute(14, "FRA_SUPPRESS_PREFIXLEN", u32),
  table: attribute(15, "FRA_TABLE", u32),
  mask: attribute(16, "FRA_FWMASK", u32),
  outInterface: attribute(17, "FRA_OIFNAME", string),
  l3mdev: attribute(19, "FRA_L3MDEV", u8),
  uidRange: attribute(20, "FRA_UID_RANGE", struct({ first: u32, last: u32 })),
  protocol: attribute(21, "FRA_PROTOCOL", u8),
  ipProtocol: attribute(22, "FRA_IP_PROTO", u8),
  sourcePorts: attribute(23, "FRA_SPORT_RANGE", PORTS),
  destinationPorts: attribute(24, "FRA_DPORT_RANGE", PORTS),
};

export const RULE = new Payload(HEADER, new AttributeTable(ATTRIBUTES));

/** What can be said of a rule beside its header. */
export type RuleAttributes = AttributesOf<typeof ATTRIBUTES>;

/** A rule as RTM_NEWRULE has it. `tableByte` is the table where it is below 256. */
export type Rule = ValueOf<typeof HEADER> & RuleAttributes;
