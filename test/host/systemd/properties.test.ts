import { expect } from "bun:test";
import { hostTest } from "../harness/shared.ts";
import { apply, declare, expectLine, fresh, opDbus, property, queried, shown, STATE } from "../session.ts";

const CONTROL = "/etc/systemd/system.control/demo-notify.service.d";

hostTest("properties: set at once and for good, read back, and unset by rollback, not set to the default", async (host) => {
  await fresh(host);
  await apply(host, { "demo-notify.service": { active_state: "active", properties: { MemoryMax: "2G", TasksMax: 100 } } });
  expect(await property(host, "demo-notify.service", "MemoryMax")).toBe("2147483648");
  expect((await host.must(["ls", CONTROL])).stdout).toBe("50-MemoryMax.conf\n50-TasksMax.conf\n");
  await host.must(["systemctl", "daemon-reload"]);
  await opDbus(host, 0, "verify", STATE);
  await opDbus(host, 0, "rollback", "--yes");
  expect((await host.run(["test", "-e", CONTROL])).exit).toBe(1);
  expect(await property(host, "demo-notify.service", "MemoryMax")).toBe("infinity");
});

hostTest("properties: '2G' and 2147483648 are the same", async (host) => {
  await fresh(host);
  await apply(host, { "demo-notify.service": { properties: { MemoryMax: "2G" } } });
  for (const same of [2147483648, "2147483648", "2048M", "2G"]) {
    await declare(host, { "demo-notify.service": { properties: { MemoryMax: same } } });
    await opDbus(host, 0, "plan", STATE);
  }
});

hostTest("properties: every one that op-dbus knows is taken by systemd, read back as declared, and unset again", async (host) => {
  await fresh(host);
  const properties = {
    Description: "Declared", CPUAccounting: true, CPUWeight: 200, StartupCPUWeight: 300, CPUQuota: "50%", CPUQuotaPeriodSec: "50ms",
    AllowedCPUs: "0", StartupAllowedCPUs: "0", AllowedMemoryNodes: "0", StartupAllowedMemoryNodes: "0", MemoryAccounting: true, MemoryMin: "1M", MemoryLow: "2M",
    MemoryHigh: "200M", MemoryMax: "300M", MemorySwapMax: 0, TasksAccounting: true, TasksMax: 77, IOAccounting: true,
    IOWeight: 50, StartupIOWeight: 60, IPAccounting: true, DevicePolicy: "closed", ManagedOOMSwap: "kill",
    ManagedOOMMemoryPressure: "kill", ManagedOOMPreference: "avoid",
  };
  await apply(host, { "demo-notify.service": { properties } });
  await host.must(["systemctl", "daemon-reload"]);
  await opDbus(host, 0, "verify", STATE);
  const shownByQuery = (await queried(host))["demo-notify.service"]?.properties as Record<string, unknown>;
  expect(Object.keys(shownByQuery).sort()).toEqual(Object.keys(properties).filter((name) => !already(name)).sort());
  await opDbus(host, 0, "rollback", "--yes");
  expect((await host.run(["test", "-e", CONTROL])).exit).toBe(1);

  /** In force by systemd's own default already, so that there is nothing to set. */
  function already(name: string): boolean {
    return shownByQuery[name] === undefined && ["CPUAccounting", "MemoryAccounting", "TasksAccounting"].includes(name);
  }
});

hostTest("properties: the vendor's and the user's drop-ins stay, and one with the last word is reported", async (host) => {
  await fresh(host);
  await apply(host, { "demo-limited.service": { properties: { MemoryMax: "256M" } } });
  expect(await property(host, "demo-limited.service", "MemoryMax")).toBe("268435456");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await property(host, "demo-limited.service", "MemoryMax")).toBe("536870912");
  await host.write("/etc/systemd/system/demo-limited.service.d/99-mine.conf", "[Service]\nMemoryMax=1G\n");
  await host.must(["systemctl", "daemon-reload"]);
  try {
    expectLine(await apply(host, { "demo-limited.service": { properties: { MemoryMax: "128M" } } }, 2), "99-mine.conf");
    expect((await host.read("/etc/systemd/system/demo-limited.service.d/99-mine.conf"))).toContain("1G");
  } finally {
    await host.must(["rm", "-r", "/etc/systemd/system/demo-limited.service.d"]);
  }
});

hostTest("properties: one that SetUnitProperties does not take is refused by name", async (host) => {
  await fresh(host);
  expectLine(await apply(host, { "demo-notify.service": { properties: { ExecStart: "/bin/true" } } }, 2), "ExecStart");
  expectLine(await apply(host, { "demo-notify.service": { properties: { MemoryMaxx: "1G" } } }, 2), "MemoryMax");
  expectLine(await apply(host, { "demo-timer.timer": { properties: { MemoryMax: "1G" } } }, 2), "MemoryMax");
  expectLine(await apply(host, { "demo-notify.service": { properties: { MemoryMax: "50%" } } }, 2), "percentage");
  // systemd would have 12% after its next reload.
  expectLine(await apply(host, { "demo-notify.service": { properties: { CPUQuota: "12.5%" } } }, 2), "whole percentage");
  expectLine(await apply(host, { "demo-notify.service": { properties: { TasksMax: 0 } } }, 2), "no 0");
  expectLine(await apply(host, { "demo-notify.service": { properties: { CPUQuotaPeriodSec: "infinity" } } }, 2), "null");
});

hostTest("properties: of a slice, and null unsets what systemctl set-property had set", async (host) => {
  await fresh(host);
  await host.must(["systemctl", "set-property", "demo-notify.service", "CPUWeight=50"]);
  await apply(host, { "demo-notify.service": { properties: { CPUWeight: null } }, "demo-x.slice": { properties: { MemoryMax: "1G" } } });
  expect(await property(host, "demo-notify.service", "CPUWeight")).toBe("[not set]");
  expect(await property(host, "demo-x.slice", "MemoryMax")).toBe("1073741824");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await property(host, "demo-notify.service", "CPUWeight")).toBe("50");
});

hostTest("restart: a policy, never a difference; today's properties reach a running unit without one", async (host) => {
  await fresh(host);
  await apply(host, { "demo-notify.service": { active_state: "active" } });
  const pid = await property(host, "demo-notify.service", "MainPID");
  await apply(host, { "demo-notify.service": { active_state: "active", restart: "when-needed", properties: { MemoryMax: "64M" } } });
  expect(await property(host, "demo-notify.service", "MainPID")).toBe(pid);
  await opDbus(host, 0, "plan", STATE);
  expect(await shown(host, "demo-notify.service")).toStartWith("active/");
});
