import { OpError } from "../../core/errors.ts";

const LENGTH = 16;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** RFC 9562 text; undefined for the sixteen zeroes that stand for none. */
export function uuidText(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export function uuidBytes(text: string): Uint8Array {
  const bytes = UUID.test(text) ? Uint8Array.fromHex(text.replaceAll("-", "")) : undefined;
  if (bytes?.length !== LENGTH) throw new OpError("invalid", `${JSON.stringify(text)} is not a UUID`);
  return bytes;
}
