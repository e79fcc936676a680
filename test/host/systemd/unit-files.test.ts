import { expect } from "bun:test";
import { hostTest } from "../harness/shared.ts";
import { apply, declare, expectLine, fresh, opDbus, shown, STATE } from "../session.ts";

hostTest("enabled: many units as one step with one Reload", async (host) => {
  await fresh(host);
  const names = Array.from({ length: 20 }, (_, index) => `demo-bulk-${String(index + 1).padStart(3, "0")}.service`);
  const trace = host.spawn(["busctl", "monitor", "--system", "org.freedesktop.systemd1"]);
  await host.waitUntil(() => trace.stderr.includes("Monitoring"), { what: "busctl to monitor" });
  await apply(host, Object.fromEntries(names.map((name) => [name, { enabled: true }])));
  await host.waitUntil(() => trace.stdout.includes("Member=Reload"), { what: "the monitor to have seen the Reload" });
  await trace.kill("SIGTERM");
  await trace.ended();
  for (const name of names) expect(await shown(host, name)).toBe("inactive/enabled");
  const count = (member: string) => trace.stdout.split(`Member=${member}\n`).length + trace.stdout.split(`Member=${member} `).length - 2;
  expect(count("EnableUnitFiles")).toBe(1);
  expect(trace.stdout.match(/Member=Reload$/gm) ?? trace.stdout.match(/Member=Reload\b(?!ing)/g)).toHaveLength(1);
});

hostTest("enabled: Also= is shown, enabled along, and disabled again by rollback; what was enabled before stays", async (host) => {
  await fresh(host);
  await declare(host, { "demo-also.service": { enabled: true } });
  expectLine(await opDbus(host, 3, "plan", STATE), "demo-also-helper.service");
  await opDbus(host, 0, "apply", STATE, "--yes");
  expect(await shown(host, "demo-also-helper.service")).toBe("inactive/enabled");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-also.service")).toBe("inactive/disabled");
  expect(await shown(host, "demo-also-helper.service")).toBe("inactive/disabled");

  await fresh(host);
  await host.must(["systemctl", "enable", "demo-also-helper.service"]);
  await apply(host, { "demo-also.service": { enabled: true } });
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-also.service")).toBe("inactive/disabled");
  expect(await shown(host, "demo-also-helper.service")).toBe("inactive/enabled");
});

hostTest("enabled: Also= of a drop-in, and of what Also= names, is shown and taken back", async (host) => {
  await fresh(host);
  const dropIn = "/etc/systemd/system/demo-notify.service.d/also.conf";
  await host.write(dropIn, "[Install]\n# [not a section]\nAlso=demo-also.service \\\n  demo-exec.service\n");
  await host.must(["systemctl", "daemon-reload"]);
  const along = ["demo-also.service", "demo-also-helper.service", "demo-exec.service"];
  try {
    await declare(host, { "demo-notify.service": { enabled: true } });
    expectLine(await opDbus(host, 3, "plan", STATE), ...along);
    await opDbus(host, 0, "apply", STATE, "--yes");
    for (const name of along) expect(await shown(host, name)).toBe("inactive/enabled");
    await opDbus(host, 0, "rollback", "--yes");
    for (const name of along) expect(await shown(host, name)).toBe("inactive/disabled");
  } finally {
    await host.must(["rm", "-r", "/etc/systemd/system/demo-notify.service.d"]);
    await host.must(["systemctl", "daemon-reload"]);
  }
});

hostTest("enabled: an instance, and a unit with an alias", async (host) => {
  await fresh(host);
  await apply(host, { "demo-instance@a.service": { enabled: true }, "demo-alias.service": { enabled: true } });
  expect(await shown(host, "demo-instance@a.service")).toBe("inactive/enabled");
  expect(await shown(host, "demo-nickname.service")).toBe("inactive/alias");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-instance@a.service")).toBe("inactive/disabled");
});

hostTest("enabled: static, indirect and generated units are refused with the reason", async (host) => {
  await fresh(host);
  expectLine(await apply(host, { "demo-static.service": { enabled: true } }, 2), "no [Install] section");
  expectLine(await apply(host, { "demo-socket.service": { enabled: true } }, 2), "Also=");
  const generated = (await host.must(["sh", "-c", "systemctl list-unit-files --plain --no-legend --state=generated | head -1 | cut -d' ' -f1"])).stdout.trim();
  if (generated !== "") expectLine(await apply(host, { [generated]: { enabled: true } }, 2), "generator");
});

hostTest("masked: masks and unmasks; a masked unit is not started", async (host) => {
  await fresh(host);
  await apply(host, { "demo-simple.service": { masked: true } });
  expect(await shown(host, "demo-simple.service")).toBe("inactive/masked");
  expectLine(await apply(host, { "demo-simple.service": { active_state: "active" } }, 2), "masked");
  await apply(host, { "demo-simple.service": { masked: false, active_state: "active", enabled: true } });
  expect(await shown(host, "demo-simple.service")).toBe("active/enabled");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-simple.service")).toBe("inactive/masked");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-simple.service")).toBe("inactive/disabled");
});

hostTest("masked: a unit whose file lies in /etc is refused before anything is done", async (host) => {
  await fresh(host);
  const result = await apply(host, { "demo-local.service": { masked: true }, "demo-notify.service": { active_state: "active" } }, 2);
  expectLine(result, "/etc/systemd/system/demo-local.service");
  expect(await shown(host, "demo-notify.service")).toBe("inactive/disabled");
  expect(await shown(host, "demo-local.service")).toBe("inactive/disabled");
});

hostTest("masked: a unit that is not there can be masked, and unmasked by rollback", async (host) => {
  await fresh(host);
  await apply(host, { "demo-future.service": { masked: true } });
  expect(await shown(host, "demo-future.service")).toBe("inactive/masked");
  await opDbus(host, 0, "rollback", "--yes");
  expect((await host.run(["test", "-e", "/etc/systemd/system/demo-future.service"])).exit).toBe(1);
});

hostTest("masked: a masked unit is not enabled or disabled, and what it is below its mask counts when it is to be started", async (host) => {
  await fresh(host);
  await host.must(["systemctl", "enable", "--quiet", "demo-simple.service"]);
  await host.must(["systemctl", "mask", "--quiet", "demo-simple.service", "demo-oneshot.service", "demo-flap.service"]);
  expectLine(await apply(host, { "demo-simple.service": { enabled: false } }, 2), "is masked and can be neither enabled nor disabled");
  expectLine(await apply(host, { "demo-oneshot.service": { masked: false, active_state: "active" } }, 2), "RemainAfterExit");
  expect((await host.run(["test", "-e", "/var/lib/demo/oneshot.log"])).exit).toBe(1);
  expectLine(await apply(host, { "demo-flap.service": { masked: false, active_state: "active" } }, 4), "lost its database");
  expect(await shown(host, "demo-flap.service")).toEndWith("/masked");
});

hostTest("masked: an instance, and back", async (host) => {
  await fresh(host);
  await apply(host, { "demo-instance@m.service": { masked: true } });
  expect(await shown(host, "demo-instance@m.service")).toBe("inactive/masked");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-instance@m.service")).toBe("inactive/disabled");
  await host.must(["cp", "/usr/lib/systemd/system/demo-instance@.service", "/etc/systemd/system/demo-instance@own.service"]);
  await host.must(["systemctl", "daemon-reload"]);
  expectLine(await apply(host, { "demo-instance@own.service": { masked: true } }, 2), "/etc/systemd/system/demo-instance@own.service");
  await host.must(["rm", "/etc/systemd/system/demo-instance@own.service"]);
});

hostTest("enabled: survives a reboot", async (host) => {
  await apply(host, { "demo-notify.service": { enabled: true, active_state: "active", properties: { TasksMax: 50 } } });
  await host.reboot();
  expect(await shown(host, "demo-notify.service")).toBe("active/enabled");
  await opDbus(host, 0, "verify", "--current");
}, { pristine: true });

hostTest("masked: an active timer would not survive it, so it is masked only where it is to be inactive", async (host) => {
  await fresh(host);
  await host.must(["systemctl", "start", "demo-timer.timer"]);
  expectLine(await apply(host, { "demo-timer.timer": { masked: true } }, 2), "would not stay active");
  expect(await shown(host, "demo-timer.timer")).toBe("active/disabled");
  await apply(host, { "demo-timer.timer": { masked: true, active_state: "inactive" } });
  expect(await shown(host, "demo-timer.timer")).toBe("inactive/masked");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-timer.timer")).toBe("active/disabled");
});
