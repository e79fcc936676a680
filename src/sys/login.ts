import { readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { BootTime, Proof, Reachability } from "../core/confirmation.ts";
import { lineage, type ProcessStat } from "./process-stat.ts";
import { isLoopback, tcpSockets } from "./tcp-sockets.ts";

/** OpenSSH's own programs: one until 9.7, then one for each stage of a connection. */
const SSHD = new Set(["sshd", "sshd-session", "sshd-auth"]);

/**
 * What the kernel knows of the login that this process belongs to. Nothing that the login itself could say counts (SSH_CONNECTION, a
 * terminal's name): a shell that was there before the change, `screen`, and a second session over an old connection say it as well.
 */
export const login: Reachability = {
  proof: (verified) => proofOf(lineage(process.pid), verified),
};

function proofOf(line: readonly ProcessStat[], verified: BootTime): Proof {
  const console = consoleName(line[0]?.terminal ?? 0);
  if (console !== undefined) return { proven: true, what: `at the console ${console}` };
  const connection = connectionOf(line);
  if (connection === undefined) {
    const top = line.findLast(({ pid }) => pid > 1);
    return { proven: false, what: `it comes from no ssh connection and no console, but from '${top?.name ?? "another namespace"}'${top === undefined ? "" : ` (process ${top.pid})`}` };
  }
  const { pid, startedMs } = connection;
  const socket = tcpSockets(pid).find(({ state }) => state === "connected");
  const named = socket === undefined ? `ssh connection (process ${pid})` : `ssh connection from ${socket.remote} (process ${pid})`;
  if (startedMs <= verified.ms) return { proven: false, what: `the ${named} was there before the change was made` };
  if (socket !== undefined && isLoopback(socket)) return { proven: false, what: `the ${named} comes from this host itself` };
  return { proven: true, what: `by an ${named}, accepted after the change` };
}

/** The first of the processes that sshd made for the connection: the one below the one that listens. */
function connectionOf(line: readonly ProcessStat[]): ProcessStat | undefined {
  const first = line.findIndex(({ pid }) => isSshd(pid));
  if (first < 0) return undefined;
  const others = line.slice(first).findIndex(({ pid }) => !isSshd(pid) || tcpSockets(pid).some(({ state }) => state === "listening"));
  return line[others < 0 ? line.length - 1 : first + others - 1];
}

function isSshd(pid: number): boolean {
  try {
    return SSHD.has(basename(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "")));
  } catch {
    return false;
  }
}

/** Terminals that are wired to the machine, by their device numbers (Linux's devices.txt); a terminal of ssh or screen is a pseudo-terminal. */
function consoleName(device: number): string | undefined {
  const [major, minor] = [(device >> 8) & 0xfff, (device & 0xff) | ((device >>> 12) & 0xfff00)];
  if (major === 4) return minor >= 64 ? `ttyS${minor - 64}` : `tty${minor}`;
  if (major === 5 && minor === 1) return "console";
  if (major === 204) return `the serial line ${minor}`;
  return major === 229 ? `hvc${minor}` : undefined;
}
