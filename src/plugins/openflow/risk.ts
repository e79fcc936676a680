import { parseFlow } from "../../protocols/openflow/flow-text.ts";
import { draftOf } from "../../protocols/openflow/match-text.ts";
import type { Bits } from "../../protocols/openflow/values.ts";
import { anyNames } from "./names.ts";

const [IP, IPV6, TCP] = [0x0800n, 0x86ddn, 6n];
const [SSH, FIRST_CLIENTS, ALL] = [22n, 1024n, 0xffffn];

/** Whether a printed flow drops packets of which some could be ssh's, there or back. Addresses and ports of the bridge are not looked at. */
export function dropsSsh(text: string): boolean {
  const { instructions, match } = parseFlow(text, anyNames());
  if (instructions.length > 0) return false;
  const draft = draftOf(match);
  const [type, protocol, source, target] = ["eth_type", "nw_proto", "tcp_src", "tcp_dst"].map((field) => draft.get(field));
  if (type !== undefined && type.value !== IP && type.value !== IPV6) return false;
  if (protocol !== undefined && protocol.value !== TCP) return false;
  return (mayBe(target, isSsh) && mayBe(source, isClients)) || (mayBe(source, isSsh) && mayBe(target, isClients));
}

/** Whether a port that is matched so could be one of those. */
function mayBe(port: Bits | undefined, those: (bits: Required<Bits>) => boolean): boolean {
  return port === undefined || those({ value: port.value, mask: port.mask ?? ALL });
}

function isSsh({ value, mask }: Required<Bits>): boolean {
  return (SSH & mask) === value;
}

/** The end that has connected has no port below 1024, but for old programs. */
function isClients({ value, mask }: Required<Bits>): boolean {
  return mask !== ALL || value >= FIRST_CLIENTS;
}
