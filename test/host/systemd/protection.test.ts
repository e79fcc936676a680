import { expect } from "bun:test";
import { hostTest } from "../harness/shared.ts";
import { apply, declare, document, expectLine, fresh, opDbus, shown, STATE } from "../session.ts";

hostTest("gate: dbus and systemd-logind are not stopped without --force", async (host) => {
  await fresh(host);
  for (const unit of ["dbus.service", "dbus.socket", "systemd-logind.service"]) {
    await host.run(["systemctl", "start", unit]);
    const before = await shown(host, unit);
    expectLine(await apply(host, { [unit]: { active_state: "inactive" }, "demo-notify.service": { enabled: true } }, 6), unit, "--force");
    expect(await shown(host, unit)).toBe(before);
  }
  expect(await shown(host, "demo-notify.service")).toBe("inactive/disabled");
});

hostTest("gate: with --force systemd-logind is stopped, and rollback starts it again", async (host) => {
  await fresh(host);
  await host.must(["systemctl", "start", "systemd-logind.service"]);
  await apply(host, { "systemd-logind.service": { active_state: "inactive" } }, 0, "--force");
  expect(await shown(host, "systemd-logind.service")).toStartWith("inactive/");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "systemd-logind.service")).toStartWith("active/");
});

hostTest("gate: the unit that op-dbus itself runs in is not stopped, nor one that would take it along", async (host) => {
  await fresh(host);
  await host.write("/root/self.json", document({ "demo-self.service": { active_state: "inactive" } }));
  const run = await host.run(["systemd-run", "--unit=demo-self.service", "--pipe", "--wait", "--quiet", "--collect", "op-dbus", "apply", "/root/self.json", "--yes"]);
  expect(run.exit).toBe(6);
  expectLine(run, "op-dbus itself runs in it");
  const nested = await host.run(["systemd-run", "--unit=demo-self.service", "--pipe", "--wait", "--quiet", "--collect", "sh", "-c", "op-dbus apply /root/self.json --yes; echo exit $?"]);
  expectLine(nested, "exit 6");
});

hostTest("gate: what conflicts with everything by what it requires is not started without --force", async (host) => {
  await fresh(host);
  await declare(host, { "poweroff.target": { active_state: "active" } });
  expectLine(await opDbus(host, 3, "plan", STATE), "dbus.service", "the system bus ends with it");
  expectLine(await opDbus(host, 6, "apply", STATE, "--yes"), "--force");
});

hostTest("gate: the sshd in use is not stopped", async (host) => {
  await fresh(host);
  await host.must(["systemctl", "start", "ssh.service"]);
  await declare(host, { "ssh.service": { active_state: "inactive" } });
  const overSsh = await host.run(["op-dbus", "apply", STATE, "--yes"], { env: { SSH_CONNECTION: "10.0.0.1 50000 10.0.0.2 22" } });
  expect(overSsh.exit).toBe(6);
  expectLine(overSsh, "connected over SSH");
  expect(await shown(host, "ssh.service")).toStartWith("active/");
  await opDbus(host, 0, "apply", STATE, "--yes");
  expect(await shown(host, "ssh.service")).toStartWith("inactive/");
});

hostTest("bus: works over systemd's private socket when the bus daemon is down", async (host) => {
  await host.must(["systemctl", "stop", "dbus.socket", "dbus.service"]);
  expect((await host.run(["busctl", "status"])).exit).not.toBe(0);
  await apply(host, { "demo-notify.service": { active_state: "active", enabled: true, properties: { TasksMax: 9 } } });
  expect(await host.read("/etc/systemd/system.control/demo-notify.service.d/50-TasksMax.conf")).toContain("TasksMax=9");
  await opDbus(host, 0, "verify", STATE);
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-notify.service")).toBe("inactive/disabled");
}, { pristine: true });

hostTest("polkit: a user without rights can look, and can change nothing", async (host) => {
  await fresh(host);
  await host.write("/tmp/state.json", document({ "demo-notify.service": { active_state: "active" } }));
  const plan = await host.run(["op-dbus", "plan", "/tmp/state.json"], { user: "alice" });
  expect(plan.exit).toBe(3);
  const direct = await host.run(["op-dbus", "apply", "/tmp/state.json", "--yes"], { user: "alice" });
  expect(direct.exit).toBe(6);
  const ownRoot = await host.run(["op-dbus", "apply", "/tmp/state.json", "--yes", "--root", "/tmp/alice"], { user: "alice" });
  expect([4, 6]).toContain(ownRoot.exit);
  expect(await shown(host, "demo-notify.service")).toBe("inactive/disabled");
  await host.must(["rm", "-rf", "/tmp/alice"]);
});
