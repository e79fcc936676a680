import type { Operator } from "../core/ports.ts";
import { lineage } from "./process-stat.ts";
import { isLoopback, tcpSockets } from "./tcp-sockets.ts";

/** This process and those above it, up to PID 1, whether it is root, and whether and where they came in over the network. */
export function readOperator(environment: Readonly<Record<string, string | undefined>>): Operator {
  const pids = lineage(process.pid).map(({ pid }) => pid).filter((pid) => pid > 1);
  let sessions: readonly string[] | undefined;
  return {
    isRoot: process.geteuid?.() === 0,
    pids,
    overSsh: environment.SSH_CONNECTION !== undefined || environment.SSH_TTY !== undefined,
    get sessionAddresses() {
      sessions ??= localEnds(pids);
      return sessions;
    },
  };
}

/** This host's ends of the TCP connections that processes hold, but those that stay on it. */
function localEnds(pids: readonly number[]): string[] {
  const connected = pids.flatMap(tcpSockets).filter((socket) => socket.state === "connected" && !isLoopback(socket));
  return [...new Set(connected.map(({ local }) => local))];
}
