import { BUNDLE, bundleAdd, bundleControl, bundleControlOf, bundledMessage } from "../../../src/protocols/openflow/bundle.ts";
import { decodeError, describeError, encodeError } from "../../../src/protocols/openflow/errors.ts";
import { decodeFeatures, encodeFeatures } from "../../../src/protocols/openflow/features.ts";
import { printFlow } from "../../../src/protocols/openflow/flow-text.ts";
import { decodeFlowMod, decodeFlowStats, encodeFlowMod, encodeFlowStats, encodeFlowStatsRequest } from "../../../src/protocols/openflow/flow.ts";
import { decodeHello, encodeHello } from "../../../src/protocols/openflow/hello.ts";
import { OF13, OF14, typeName, TYPES, type Message, type Version } from "../../../src/protocols/openflow/message.ts";
import { decodePart, encodePart, MULTIPART } from "../../../src/protocols/openflow/multipart.ts";
import { NUMBERS_ONLY } from "../../../src/protocols/openflow/port-names.ts";
import { decodePorts, encodePorts } from "../../../src/protocols/openflow/port.ts";

/** What a message says, and the same message written again from nothing but that. */
export interface Reading {
  readonly says: unknown;
  readonly again: Message;
}

/** Throws ProtocolViolation. */
export function read(message: Message): Reading {
  const { version, type, xid, body } = message;
  const header = { version, type, xid };
  switch (type) {
    case TYPES.HELLO: {
      const versions = decodeHello(version, body);
      return { says: { versions }, again: { ...header, body: body.length === 0 ? new Uint8Array() : encodeHello(versions) } };
    }
    case TYPES.ERROR: {
      const error = decodeError(body);
      return { says: { error, words: describeError(error) }, again: { ...header, body: encodeError(error) } };
    }
    case TYPES.FEATURES_REPLY: {
      const features = decodeFeatures(body);
      return { says: features, again: { ...header, body: encodeFeatures(features) } };
    }
    case TYPES.FLOW_MOD: {
      const mod = decodeFlowMod(spoken(version), body);
      return { says: { ...mod, text: printFlow(mod.flow, NUMBERS_ONLY) }, again: { ...header, body: encodeFlowMod(spoken(version), mod) } };
    }
    case TYPES.MULTIPART_REQUEST:
    case TYPES.MULTIPART_REPLY:
      return readPart(message);
    case TYPES.BUNDLE_CONTROL:
    case TYPES.BUNDLE_ADD_MESSAGE:
    case TYPES.EXPERIMENTER:
      return readBundle(message);
    default:
      return { says: { body }, again: message };
  }
}

function readPart({ version, type, xid, body }: Message): Reading {
  const part = decodePart(body);
  const again = (inner: Uint8Array) => ({ version, type, xid, body: encodePart({ ...part, body: inner }) });
  if (type === TYPES.MULTIPART_REQUEST) return { says: { part: part.type }, again: again(part.type === MULTIPART.FLOW ? encodeFlowStatsRequest() : new Uint8Array()) };
  if (part.type === MULTIPART.PORT_DESC) {
    const ports = decodePorts(spoken(version), part.body);
    return { says: { part: part.type, more: part.more, ports }, again: again(encodePorts(spoken(version), ports)) };
  }
  const flows = decodeFlowStats(spoken(version), part.body);
  return { says: { part: part.type, more: part.more, flows: flows.map((flow) => ({ ...flow, text: printFlow(flow, NUMBERS_ONLY) })) }, again: again(encodeFlowStats(flows)) };
}

function readBundle(message: Message): Reading {
  const control = bundleControlOf(message);
  if (control !== undefined) return { says: { ...control, what: Object.entries(BUNDLE).find(([, code]) => code === control.control)?.[0] }, again: bundleControl(spoken(message.version), message.xid, control) };
  const added = bundledMessage(message);
  if (added === undefined) throw new TypeError("No bundle's message");
  const inner = read(added.message);
  return { says: { bundle: added.bundle, message: typeName(added.message.type), ...(inner.says as object) }, again: bundleAdd(spoken(message.version), added.bundle, inner.again) };
}

function spoken(version: number): Version {
  if (version !== OF13 && version !== OF14) throw new TypeError(`Version ${version} is not spoken`);
  return version;
}
