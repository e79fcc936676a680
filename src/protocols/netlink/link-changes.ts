import { vlanInfos, type VlanRange } from "./bridge.ts";
import { AF_BRIDGE, AF_UNSPEC, BRIDGE_FLAGS, IFF, RTM } from "./constants.ts";
import { LINK, type LinkAttributes } from "./link.ts";
import { NLM_F } from "./message.ts";
import type { Request } from "./netlink.ts";
import { linkWords, type LinkReference } from "./reads.ts";
import { change } from "./request.ts";

/** What can be set of a link. The kernel sets what it is told in an order of its own, and does not take back what it did before it refused. */
export type LinkSettings = LinkAttributes & { readonly up?: boolean };

/** A new link of a kind; with veth a second one. The kernel's EEXIST where the name is taken. */
export function createLink(settings: LinkSettings & { readonly name: string; readonly linkInfo: { readonly kind: string } }): Request<void> {
  return linkChange({ type: RTM.NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL, operation: `create link ${settings.name}` }, { index: 0, settings });
}

/** Changes a link; `name` in the settings renames the one with that index, which most kinds allow only while it is down. */
export function setLink(reference: LinkReference, settings: LinkSettings): Request<void> {
  return linkChange({ type: RTM.NEWLINK, flags: 0, operation: `set ${linkWords(reference)}` }, { ...reference, settings });
}

export function deleteLink(reference: LinkReference): Request<void> {
  return linkChange({ type: RTM.DELLINK, flags: 0, operation: `delete ${linkWords(reference)}` }, { ...reference, settings: {} });
}

export interface BridgeVlanOptions {
  /** Of the bridge itself, not of a port. */
  readonly self?: boolean;
}

/** Adds VLANs to a bridge's port or to the bridge, or changes them. */
export function setBridgeVlans(index: number, vlans: readonly VlanRange[], options: BridgeVlanOptions = {}): Request<void> {
  return vlanChange({ type: RTM.SETLINK, flags: 0, operation: `set the VLANs of link ${index}` }, { index, vlans, ...options });
}

export function deleteBridgeVlans(index: number, vlans: readonly VlanRange[], options: BridgeVlanOptions = {}): Request<void> {
  return vlanChange({ type: RTM.DELLINK, flags: 0, operation: `remove VLANs of link ${index}` }, { index, vlans, ...options });
}

type Kind = Pick<Request<void>, "type" | "flags" | "operation">;

function linkChange(kind: Kind, { settings: { up, ...attributes }, ...reference }: LinkReference & { readonly settings: LinkSettings }): Request<void> {
  const flags = up === undefined ? { flags: 0, change: 0 } : { flags: up ? IFF.UP : 0, change: IFF.UP };
  const payload = LINK.bytes({ family: AF_UNSPEC, type: 0, index: 0, ...flags, ...reference, ...attributes }, kind.operation);
  return change({ ...kind, form: LINK, payload });
}

function vlanChange(kind: Kind, { index, vlans, self = false }: BridgeVlanOptions & { readonly index: number; readonly vlans: readonly VlanRange[] }): Request<void> {
  const bridge = { ...(self ? { flags: BRIDGE_FLAGS.SELF } : {}), vlans: vlanInfos(vlans) };
  const payload = LINK.bytes({ family: AF_BRIDGE, type: 0, index, flags: 0, change: 0, bridge }, kind.operation);
  return change({ ...kind, form: LINK, payload });
}
