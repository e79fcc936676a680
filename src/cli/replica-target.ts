import { resolve } from "node:path";
import { OpError } from "../core/errors.ts";

/** Where a replica is kept: the absolute path of its folder, and the host where that is not this one. */
export interface ReplicaTarget {
  readonly path: string;
  readonly ssh: { readonly user?: string; readonly host: string; readonly port?: number } | undefined;
}

/** A name of a host or of ssh's configuration, or an address in brackets. None of the parts can be taken for a flag. */
const SSH = /^ssh:\/\/(?:(?<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@)?(?:(?<name>[A-Za-z0-9_][A-Za-z0-9._-]*)|\[(?<address>[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?)\])(?::(?<port>[1-9]\d{0,4}))?(?<path>\/[^\0]+)$/;
const MOST_PORT = 65_535;
const FORMS = "A folder, or ssh://[USER@]HOST[:PORT]/PATH; for a folder with a colon in its name ./NAME";

/** Throws kind invalid for what is neither a folder nor a place that ssh reaches; nothing is looked at. */
export function replicaTarget(text: string): ReplicaTarget {
  const { user, name, address, port, path } = SSH.exec(text)?.groups ?? {};
  const host = name ?? address;
  if (host !== undefined && path !== undefined && Number(port ?? 1) <= MOST_PORT) {
    return { path, ssh: { host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port: Number(port) }) } };
  }
  // "host:path" is what scp and rsync would take for another host.
  if (text === "" || text.includes("\0") || /^[^/]+:/.test(text)) throw new OpError("invalid", `'${text}' is no place for a replica`, { hint: FORMS });
  return { path: resolve(text), ssh: undefined };
}
