import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A TCP socket that a process has open, as the kernel lists it (proc_net_tcp(5)). */
export interface TcpSocket {
  readonly state: "listening" | "connected" | "other";
  readonly local: string;
  readonly remote: string;
}

const STATES: Readonly<Record<string, TcpSocket["state"]>> = { "01": "connected", "0A": "listening" };

/** The process's TCP sockets, in its own network namespace; none where this user may not look. */
export function tcpSockets(pid: number): TcpSocket[] {
  const inodes = socketInodes(pid);
  if (inodes.size === 0) return [];
  return ["tcp", "tcp6"].flatMap((table) =>
    linesOf(`/proc/${pid}/net/${table}`).flatMap((line) => {
      const [, local = "", remote = "", state = "", , , , , , inode = ""] = line.trim().split(/\s+/);
      return inodes.has(inode) ? [{ state: STATES[state] ?? "other", local: addressOf(local), remote: addressOf(remote) }] : [];
    }),
  );
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

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n").slice(1);
  } catch {
    return [];
  }
}

/** "0100007F:0016" is 127.0.0.1: words of four bytes in the machine's order, which is little-endian wherever op-dbus runs. */
function addressOf(text: string): string {
  const words = (text.split(":")[0] ?? "").match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => Buffer.from(word, "hex").reverse().toJSON().data);
  const mapped = bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff;
  if (bytes.length === 4 || mapped) return bytes.slice(-4).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16));
  // URL knows how to shorten it (RFC 5952).
  return new URL(["http://[", "]"].join(groups.join(":"))).hostname.slice(1, -1);
}
