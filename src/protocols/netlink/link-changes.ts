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
  const operation = `create link ${settings.name}`;
  return change({ type: RTM.NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL, form: LINK, operation, payload: payloadOf({ index: 0 }, settings, operation) });
}

/** Changes a link; `name` in the settings renames the one with that index, which most kinds allow only while it is down. */
export function setLink(reference: LinkReference, settings: LinkSettings): Request<void> {
  const operation = `set ${linkWords(reference)}`;
  return change({ type: RTM.NEWLINK, flags: 0, form: LINK, operation, payload: payloadOf(reference, settings, operation) });
}

export function deleteLink(reference: LinkReference): Request<void> {
  const operation = `delete ${linkWords(reference)}`;
  return change({ type: RTM.DELLINK, flags: 0, form: LINK, operation, payload: payloadOf(reference, {}, operation) });
}

/** Adds VLANs to a bridge's port, or changes them; with `self` to the bridge itself. */
export function setBridgeVlans(index: number, vlans: readonly VlanRange[], { self = false }: { readonly self?: boolean } = {}): Request<void> {
  const operation = `set the VLANs of link ${index}`;
  return change({ type: RTM.SETLINK, flags: 0, form: LINK, operation, payload: vlansPayload(index, vlans, self, operation) });
}

export function deleteBridgeVlans(index: number, vlans: readonly VlanRange[], { self = false }: { readonly self?: boolean } = {}): Request<void> {
  const operation = `remove VLANs of link ${index}`;
  return change({ type: RTM.DELLINK, flags: 0, form: LINK, operation, payload: vlansPayload(index, vlans, self, operation) });
}

function payloadOf(reference: LinkReference, { up, ...attributes }: LinkSettings, operation: string): Buffer {
  const flags = up === undefined ? { flags: 0, change: 0 } : { flags: up ? IFF.UP : 0, change: IFF.UP };
  const index = "index" in reference ? reference.index : 0;
  const name = "name" in reference ? { name: reference.name } : {};
  return LINK.bytes({ family: AF_UNSPEC, type: 0, index, ...flags, ...name, ...attributes }, operation);
}

function vlansPayload(index: number, ranges: readonly VlanRange[], self: boolean, operation: string): Buffer {
  const bridge = { ...(self ? { flags: BRIDGE_FLAGS.SELF } : {}), vlans: vlanInfos(ranges) };
  return LINK.bytes({ family: AF_BRIDGE, type: 0, index, flags: 0, change: 0, bridge }, operation);
}
