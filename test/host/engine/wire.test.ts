import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { apply, declare, fresh, opDbus, STATE } from "../session.ts";

const UNITS = { "demo-notify.service": { active_state: "active", enabled: true, properties: { MemoryMax: "64M" } } };

/**
 * Calls that change nothing, as D-Bus and systemd define them; kept apart from op-dbus's own list on purpose. `Ref` keeps a unit in
 * systemd's memory as long as the caller is connected.
 */
const READS = new Set([
  "Hello", "Get", "GetAll", "ListUnits", "ListUnitsByNames", "ListUnitFiles", "ListUnitFilesByPatterns", "GetUnitFileState", "GetUnitByPID", "Ref",
  "GetNameOwner", "NameHasOwner", "GetConnectionUnixUser", "GetConnectionUnixProcessID", "GetConnectionCredentials",
]);

/** Method calls that op-dbus sends while `work` runs, as seen by the bus itself. */
async function callsDuring(host: Host, work: () => Promise<unknown>): Promise<string[]> {
  const monitor = host.spawn(["busctl", "monitor", "--system"]);
  await host.waitUntil(() => monitor.stderr.includes("Monitoring"), { what: "busctl to monitor" });
  await work();
  await host.must(["busctl", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId"]);
  await host.waitUntil(() => monitor.stdout.includes("Member=GetId"), { what: "the monitor to have caught up" });
  await monitor.kill("SIGTERM");
  await monitor.ended();
  const calls = monitor.stdout.split(/\n(?=\S)/).filter((message) => message.includes("Type=method_call"));
  const own = calls.filter((call) => !/Member=(GetId|AddMatch|RemoveMatch|BecomeMonitor)\b/.test(call));
  return own.map((call) => /Member=(\w+)/.exec(call)?.[1] ?? "");
}

hostTest("purity: query, plan, diff, verify and apply --dry-run send no write", async (host) => {
  await fresh(host);
  await declare(host, UNITS);
  const commands: [number, ...string[]][] = [
    [0, "query"], [3, "plan", STATE], [3, "diff", STATE], [3, "verify", STATE], [0, "apply", "--dry-run", STATE], [0, "status"], [0, "doctor"],
  ];
  for (const [exit, ...args] of commands) {
    const calls = await callsDuring(host, () => opDbus(host, exit, ...args));
    expect({ args, writes: calls.filter((call) => !READS.has(call)) }).toEqual({ args, writes: [] });
  }
});

hostTest("purity: a unit that was only looked at is not loaded any more", async (host) => {
  await fresh(host);
  await declare(host, UNITS);
  const loaded = async () => (await host.must(["systemctl", "list-units", "--all", "--plain", "--no-legend", "demo-notify.service"])).stdout;
  expect(await loaded()).toBe("");
  const calls = await callsDuring(host, () => opDbus(host, 3, "plan", STATE));
  expect(calls).toContain("Ref");
  await host.waitUntil(async () => (await loaded()) === "", { what: "systemd to have let go of the unit" });
});

hostTest("idempotence: the second apply sends no write", async (host) => {
  await fresh(host);
  const first = await callsDuring(host, () => apply(host, UNITS));
  expect(first.filter((call) => !READS.has(call)).sort()).toEqual(["EnableUnitFiles", "EnqueueUnitJob", "Reload", "SetUnitProperties", "Subscribe"]);
  const second = await callsDuring(host, () => opDbus(host, 0, "apply", STATE, "--yes"));
  expect(second.length).toBeGreaterThan(0);
  expect(second.filter((call) => !READS.has(call))).toEqual([]);
});

hostTest("no command lines: apply starts no other program", async (host) => {
  await fresh(host);
  await declare(host, UNITS);
  const traced = await host.must(["strace", "-f", "-qq", "-e", "trace=execve", "-e", "signal=none", "op-dbus", "apply", STATE, "--yes"]);
  expect(traced.stderr.match(/execve\(/g)).toHaveLength(1);
});
