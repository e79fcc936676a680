import { expect, test } from "bun:test";
import { login } from "../../../src/sys/login.ts";
import { lineage, processStat } from "../../../src/sys/process-stat.ts";
import { isLoopback, tcpSockets } from "../../../src/sys/tcp-sockets.ts";
import { systemClock } from "../../../src/sys/clock.ts";

test("processStat: when a process began is on the clock that bootTime is on", async () => {
  const before = systemClock.bootTime();
  const child = Bun.spawn(["sleep", "60"]);
  const stat = processStat(child.pid);
  const after = systemClock.bootTime();
  child.kill("SIGKILL");
  await child.exited;
  expect(stat).toMatchObject({ pid: child.pid, parent: process.pid });
  expect(stat?.startedMs).toBeGreaterThan(before.ms - 10);
  expect(stat?.startedMs).toBeLessThanOrEqual(after.ms);
  expect(after.boot).toBe(before.boot);
  expect(processStat(child.pid)).toBeUndefined();
});

test("lineage goes from the process up, and ends where nothing more is seen", () => {
  const line = lineage(process.pid);
  expect(line[0]?.pid).toBe(process.pid);
  expect(line[1]?.pid).toBe(process.ppid);
  expect(line.slice(1).map(({ pid }) => pid)).toEqual(line.slice(0, -1).map(({ parent }) => parent));
});

test.each([["127.0.0.1", "127.0.0.1"], ["::1", "::1"], ["::", "127.0.0.1"]])("tcpSockets names both ends of a connection to a socket bound to %s", async (bound, address) => {
  using server = Bun.listen({ hostname: bound, port: 0, socket: { data: () => undefined } });
  const client = await Bun.connect({ hostname: address, port: server.port, socket: { data: () => undefined } });
  const sockets = tcpSockets(process.pid);
  client.terminate();
  expect(sockets).toContainEqual({ state: "listening", local: bound, remote: bound.includes(":") ? "::" : "0.0.0.0" });
  expect(sockets.filter(({ state }) => state === "connected")).toContainEqual({ state: "connected", local: address, remote: address });
});

test.each([
  ["192.0.2.1", "192.0.2.1", true],
  ["192.0.2.1", "127.0.0.9", true],
  ["2001:db8::1", "::1", true],
  ["192.0.2.1", "192.0.2.2", false],
] as const)("isLoopback: from %s to %s is %p", (local, remote, so) => {
  expect(isLoopback({ state: "connected", local, remote })).toBe(so);
});

test("proof: a process that no sshd and no console is above proves nothing, and says what is there instead", () => {
  const { proven, what } = login.proof({ boot: "any", ms: 0 });
  const sshd = lineage(process.pid).some(({ name }) => name.startsWith("sshd"));
  if (!sshd) expect({ proven, what }).toEqual({ proven: false, what: expect.stringMatching(/^it comes from no ssh connection and no console, but from '.+' \(process \d+\)$/) });
  expect(login.proof({ boot: "any", ms: Number.MAX_SAFE_INTEGER }).proven).toBe(false);
});
