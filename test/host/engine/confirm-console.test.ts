import { expect } from "bun:test";
import { virtualHostTest } from "../harness/shared.ts";
import { declare, expectLine, opDbus, opDbusJson, shown, STATE } from "../session.ts";

// A container has neither consoles nor a clock of its own.
const virtualTest = virtualHostTest(async () => ({ name: "alder" }));

virtualTest("confirm: from a login at a console, and not before the deadline is the wall clock's word for it", async (host) => {
  await declare(host, { "demo-notify.service": { active_state: "active", enabled: true } });
  const applying = host.spawn(["op-dbus", "apply", STATE, "--yes", "--confirm-within", "10m"]);
  const waits = async () => (await opDbusJson<{ waiting: unknown }>(host, 0, "status")).waiting;
  await host.waitUntil(waits, { what: "the apply to wait", timeoutMs: 90_000 });

  // As when a machine wakes: the timer is told, and what it runs finds that it is too early.
  await host.must(["date", "--set", "+1 hour"]);
  const early = async () => (await host.run(["systemctl", "is-active", "op-dbus-deadline.service"])).stdout.trim() === "activating";
  await host.waitUntil(early, { what: "the guard to look", timeoutMs: 60_000 });
  expect(await waits()).not.toBeNull();
  const refused = await opDbus(host, 6, "confirm");
  expectLine(refused, "That does not show that the host can still be reached");

  await host.write("/root/.bash_profile", "op-dbus confirm >/root/said 2>&1; echo \"exit $?\" >>/root/said\n");
  await host.must(["systemd-run", "--quiet", "--unit=console", "agetty", "--autologin", "root", "--noclear", "tty9", "linux"]);
  await host.waitUntil(async () => (await host.run(["grep", "-q", "^exit", "/root/said"])).exit === 0, { what: "the confirmation from the console", timeoutMs: 60_000 });
  expect(await host.read("/root/said")).toMatch(/^The apply of \S+ is confirmed, and stays\nexit 0\n$/);
  const ended = await applying.ended();
  expect(ended.exit).toBe(0);
  expect(await shown(host, "demo-notify.service")).toBe("active/enabled");
  expect((await opDbus(host, 0, "audit", "list", "--kind", "confirm", "--json")).stdout).toContain('"by root, at the console tty9"');
  await host.waitUntil(async () => (await host.run(["systemctl", "is-active", "op-dbus-deadline.service"])).exit !== 0, { what: "the guard to go", timeoutMs: 60_000 });
  expect((await host.run(["ls", "/var/lib/op-dbus/recover", "/etc/systemd/system/op-dbus-recover.service"])).stdout).toBe("");
}, { timeoutMs: 300_000 });
