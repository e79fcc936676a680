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

/** By the nearest of the processes above that is sshd's, or at a console; sudo gives what it runs a terminal of its own. */
function proofOf(line: readonly ProcessStat[], verified: BootTime): Proof {
  for (const [index, stat] of line.entries()) {
    if (isSshd(stat.pid)) return proofOfConnection(connectionOf(stat, line.slice(index + 1)), verified);
    const console = consoleName(stat.terminal);
    if (console !== undefined) return { proven: true, what: `at the console ${console}` };
  }
  const top = line.findLast(({ pid }) => pid > 1);
  const where = top === undefined ? "from another namespace" : `from '${top.name}' (process ${top.pid})`;
  return { proven: false, what: `it comes from no ssh connection and no console, but ${where}` };
}

function proofOfConnection({ pid, startedMs }: ProcessStat, verified: BootTime): Proof {
  const socket = tcpSockets(pid).find(({ state }) => state === "connected");
  const named = `ssh connection ${socket === undefined ? "" : `from ${socket.remote} `}(process ${pid})`;
  if (startedMs <= verified.ms) return { proven: false, what: `the ${named} was there before the change was made` };
  if (socket !== undefined && isLoopback(socket)) return { proven: false, what: `the ${named} comes from this host itself` };
  return { proven: true, what: `by an ${named}, accepted after the change` };
}

/** The topmost of sshd's processes that were made for the connection: the one below the one that listens. */
function connectionOf(nearest: ProcessStat, above: readonly ProcessStat[]): ProcessStat {
  let connection = nearest;
  for (const stat of above) {
    if (!isSshd(stat.pid) || tcpSockets(stat.pid).some(({ state }) => state === "listening")) break;
    connection = stat;
  }
  return connection;
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
  if (major === 204) return `ttyAMA${minor - 64}`;
  return major === 229 ? `hvc${minor}` : undefined;
}
