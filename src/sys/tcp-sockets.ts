import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { ipText } from "../core/ip-address.ts";

/** A TCP socket that a process has open, as the kernel lists it (proc_net_tcp(5)). */
export interface TcpSocket {
  readonly state: "listening" | "connected" | "other";
  readonly local: string;
  readonly remote: string;
}

/** What stands before an IPv4 address in a socket for both families. */
const MAPPED = "::ffff:";
const STATES: Readonly<Record<string, TcpSocket["state"]>> = { "01": "connected", "0A": "listening" };

/** The process's TCP sockets, in its own network namespace; none where this user may not look. */
export function tcpSockets(pid: number): TcpSocket[] {
  const inodes = socketInodes(pid);
  if (inodes.size === 0) return [];
  return ["tcp", "tcp6"].flatMap((table) => socketsIn(textOf(`/proc/${pid}/net/${table}`), inodes));
}

/** The lines of a table (proc_net_tcp(5)) for sockets with these inodes. */
export function socketsIn(table: string, inodes: ReadonlySet<string>): TcpSocket[] {
  return table.trimEnd().split("\n").slice(1).flatMap((line) => {
    const [, local = "", remote = "", state = "", , , , , , inode = ""] = line.trim().split(/\s+/);
    return inodes.has(inode) ? [{ state: STATES[state] ?? "other", local: addressOf(local), remote: addressOf(remote) }] : [];
  });
}

/** True where what connects to an address stays on this host. */
export function isLoopback({ local, remote }: TcpSocket): boolean {
  return local === remote || remote.startsWith("127.") || remote === "::1";
}

function socketInodes(pid: number): ReadonlySet<string> {
  try {
    const folder = `/proc/${pid}/fd`;
    return new Set(readdirSync(folder).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(linkIfThere(`${folder}/${fd}`))?.[1] ?? []));
  } catch {
    return new Set();
  }
}

function linkIfThere(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** "0100007F:0016" is 127.0.0.1: words of four bytes in the machine's order, which is little-endian wherever op-dbus runs. */
function addressOf(end: string): string {
  const bytes = Buffer.from(end.slice(0, end.indexOf(":")), "hex");
  if (bytes.length !== 4 && bytes.length !== 16) return "";
  const text = ipText(bytes.swap32());
  return text.startsWith(MAPPED) ? text.slice(MAPPED.length) : text;
}
