import { keyProblem } from "../../core/value-problems.ts";

/** IFNAMSIZ without the end of the text. */
const LONGEST_BYTES = 15;

/** Why a text cannot be an interface's name (dev_valid_name in net/core/dev.c), or undefined when it can. */
export function interfaceNameProblem(name: string): string | undefined {
  if (name === "" || name === "." || name === "..") return `${JSON.stringify(name)} cannot be the name of an interface`;
  const bytes = Buffer.byteLength(name);
  if (bytes > LONGEST_BYTES) return `The name of an interface has at most ${LONGEST_BYTES} bytes; '${name}' has ${bytes}`;
  const bad = /[\s/:\p{Cc}]/u.exec(name);
  if (bad !== null) return `The name of an interface cannot hold ${JSON.stringify(bad[0])}`;
  return keyProblem(name);
}

/** The end of a guest's link on a Proxmox host, or what its firewall puts in between: they come and go with the guest. */
export function isGuestPort(name: string): boolean {
  return /^(tap|veth\d+i|fwpr|fwln|fwbr)/.test(name);
}
