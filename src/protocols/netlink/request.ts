import { parseIp } from "../../core/ip-address.ts";
import { OpError } from "../../core/errors.ts";
import { AF_INET, AF_INET6 } from "./constants.ts";
import type { Request } from "./netlink.ts";

/** A request that answers nothing but that it was done. */
export function change(parts: Omit<Request<void>, "answer">): Request<void> {
  return { ...parts, answer: () => undefined };
}

/** The family of an address's text, and how many bits it has. Throws kind internal: what a user writes has been checked before. */
export function familyOf(address: string, operation: string): { readonly family: number; readonly bits: number } {
  const bytes = parseIp(address);
  if (bytes === undefined) throw new OpError("internal", `Could not ${operation}: ${JSON.stringify(address)} is not an address`, { operation });
  return { family: bytes.length === 4 ? AF_INET : AF_INET6, bits: 8 * bytes.length };
}
