import { OpError } from "../../core/errors.ts";

/** Where an ovsdb-server listens. */
export type Remote =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp" | "ssl"; readonly host: string; readonly port: number };

/** RFC 7047 6. */
const PORT = 6640;
const PORT_LIMIT = 65_535;
const SOCKET = /^unix:(?<path>[^\0]+)$/;
const INTERNET = /^(?<kind>tcp|ssl):(?:\[(?<bracketed>[0-9A-Fa-f:.%]+)\]|(?<name>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?$/;

/** The local server's socket, where Open vSwitch's own tools look for it. */
export function localAddress(runFolder: string | undefined): string {
  return `unix:${runFolder || "/run/openvswitch"}/db.sock`;
}

/** An address as ovs-vsctl's --db has it (ovsdb(7), "Connection Methods"). Throws kind invalid for any other. */
export function remoteOf(address: string): Remote {
  const path = SOCKET.exec(address)?.groups?.["path"];
  if (path !== undefined) return { kind: "unix", path };
  const { kind, bracketed, name, port = String(PORT) } = INTERNET.exec(address)?.groups ?? {};
  const host = bracketed ?? name;
  if (kind === undefined || host === undefined || Number(port) < 1 || Number(port) > PORT_LIMIT) throw notAnAddress(address);
  return { kind: kind === "ssl" ? "ssl" : "tcp", host, port: Number(port) };
}

/** A remote as `remoteOf` reads it. */
export function nameOf(remote: Remote): string {
  if (remote.kind === "unix") return `unix:${remote.path}`;
  return `${remote.kind}:${remote.host.includes(":") ? `[${remote.host}]` : remote.host}:${remote.port}`;
}

function notAnAddress(address: string): OpError {
  return new OpError("invalid", `${JSON.stringify(address)} is not an address of an ovsdb-server`, {
    hint: "It looks like unix:/run/openvswitch/db.sock, tcp:192.0.2.1:6640 or ssl:[2001:db8::1]:6640",
  });
}
