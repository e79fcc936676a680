import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { ipText } from "../core/ip-address.ts";

const ESTABLISHED = "01";

/** This host's ends of the TCP connections that processes hold, loopback's not; those of processes that may not be looked into are missing. */
export function localAddresses(pids: readonly number[]): string[] {
  const sockets = new Set(pids.flatMap(socketsOf));
  if (sockets.size === 0) return [];
  const addresses = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) => addressesIn(textOf(path), sockets));
  return [...new Set(addresses)].filter((address) => !address.startsWith("127.") && address !== "::1");
}

/** Lines of proc_pid_net(5), tcp: local address, state in hex, and in the tenth place the socket's inode. */
export function addressesIn(table: string, sockets: ReadonlySet<string>): string[] {
  return table.split("\n").slice(1).flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    const address = state === ESTABLISHED && sockets.has(inode) ? addressOf(local) : undefined;
    return address === undefined ? [] : [address];
  });
}

/** "0100007F:0016": words of four bytes, each as a number of this machine's order, which is little-endian. */
function addressOf(local: string): string | undefined {
  const bytes = Buffer.from(local.slice(0, local.indexOf(":")), "hex");
  if (bytes.length !== 4 && bytes.length !== 16) return undefined;
  bytes.swap32();
  const text = ipText(bytes);
  return text.startsWith("::ffff:") ? text.slice("::ffff:".length) : text;
}

function socketsOf(pid: number): string[] {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`${folder}/${fd}`))?.[1] ?? []);
  } catch {
    return [];
  }
}

/** A descriptor may be closed while it is looked at. */
function linkOf(path: string): string {
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
