import { isWireList, isWireObject, parseWire, ProtocolViolation, quoted, wireText, type Wire } from "./json.ts";

/*
 * The envelope: JSON-RPC 1.0 as RFC 7047 4 has it. Pure.
 */

export interface Request {
  readonly method: string;
  readonly params: readonly Wire[];
}

export type Message =
  | ({ readonly kind: "request"; readonly id: Wire } & Request)
  | ({ readonly kind: "notification" } & Request)
  | { readonly kind: "reply"; readonly id: Wire; readonly result: Wire }
  | { readonly kind: "error"; readonly id: Wire; readonly error: Wire };

/** Throws ProtocolViolation for what is no message. */
export function decodeMessage(text: string): Message {
  const value = parseWire(text);
  if (!isWireObject(value)) throw notAMessage(text);
  const { id, method, params, result, error } = value;
  if (typeof method === "string") {
    if (!isWireList(params) || id === undefined || result !== undefined || error !== undefined) throw notAMessage(text);
    return id === null ? { kind: "notification", method, params } : { kind: "request", id, method, params };
  }
  if (method !== undefined || id === undefined) throw notAMessage(text);
  // The RFC has null for what there is not; ovsdb-server leaves the result out where there is an error.
  if (error !== undefined && error !== null && (result ?? null) === null) return { kind: "error", id, error };
  if (result !== undefined && (error ?? null) === null) return { kind: "reply", id, result };
  throw notAMessage(text);
}

/** With its members in ovsdb-server's order. */
export function encodeMessage(message: Message): string {
  switch (message.kind) {
    case "request":
      return wireText({ id: message.id, method: message.method, params: message.params });
    case "notification":
      return wireText({ id: null, method: message.method, params: message.params });
    case "reply":
      return wireText({ id: message.id, result: message.result, error: null });
    case "error":
      return wireText({ id: message.id, error: message.error });
  }
}

function notAMessage(text: string): ProtocolViolation {
  return new ProtocolViolation(`${quoted(text)}, which is no message`);
}
