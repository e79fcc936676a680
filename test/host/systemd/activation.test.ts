import { expect } from "bun:test";
import { hostTest } from "../harness/shared.ts";
import { apply, declare, expectLine, fresh, opDbus, shown, STATE, withUnits } from "../session.ts";

hostTest("active_state: simple, exec, notify, forking and instance units start and stop, together", async (host) => {
  await fresh(host);
  const names = ["demo-simple.service", "demo-exec.service", "demo-notify.service", "demo-forking.service", "demo-instance@7.service"];
  const all = (state: string) => Object.fromEntries(names.map((name) => [name, { active_state: state }]));
  await apply(host, all("active"));
  for (const name of names) expect(await shown(host, name)).toStartWith("active/");
  await apply(host, all("inactive"));
  for (const name of names) expect(await shown(host, name)).toStartWith("inactive/");
});

hostTest("active_state: a unit that fails to start is reported with its own last words, and the others are taken back", async (host) => {
  await fresh(host);
  const result = await apply(host, { "demo-notify.service": { active_state: "active", enabled: true }, "demo-fails.service": { active_state: "active" } }, 4);
  expectLine(result, "demo-fails.service", "cannot open /etc/demo/missing.conf");
  expect(await shown(host, "demo-notify.service")).toBe("inactive/disabled");
});

hostTest("active_state: a unit that is active and failed after two seconds is not a success", async (host) => {
  await fresh(host);
  const result = await apply(host, { "demo-flap.service": { active_state: "active", enabled: true } }, 4);
  expectLine(result, "demo-flap.service", "lost its database");
  expect(await shown(host, "demo-flap.service")).toEndWith("/disabled");
});

hostTest("active_state: a process that ends at once although its start job succeeded is not a success", async (host) => {
  await fresh(host);
  expectLine(await apply(host, { "demo-fails-later.service": { active_state: "active" } }, 4), "no licence");
});

hostTest("active_state: a unit that ignores SIGTERM is stopped all the same", async (host) => {
  await fresh(host);
  await apply(host, { "demo-stubborn.service": { active_state: "active" } });
  await apply(host, { "demo-stubborn.service": { active_state: "inactive" } });
  expect((await shown(host, "demo-stubborn.service")).split("/")[0]).not.toBe("active");
});

hostTest("active_state: what a unit requires is started with it, shown in the plan, and stopped again by rollback", async (host) => {
  await fresh(host);
  await declare(host, { "demo-app.service": { active_state: "active" } });
  expectLine(await opDbus(host, 3, "plan", STATE), "demo-db.service");
  await opDbus(host, 0, "apply", STATE, "--yes");
  expect(await shown(host, "demo-db.service")).toStartWith("active/");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-app.service")).toStartWith("inactive/");
  expect(await shown(host, "demo-db.service")).toStartWith("inactive/");
});

hostTest("active_state: what requires a stopped unit stops with it, shown in the plan, and is started again by rollback", async (host) => {
  await fresh(host);
  await host.must(["systemctl", "start", "demo-app.service"]);
  await declare(host, { "demo-db.service": { active_state: "inactive" } });
  expectLine(await opDbus(host, 3, "plan", STATE), "demo-app.service");
  await opDbus(host, 0, "apply", STATE, "--yes");
  expect(await shown(host, "demo-app.service")).toStartWith("inactive/");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-app.service")).toStartWith("active/");
  expect(await shown(host, "demo-db.service")).toStartWith("active/");
});

hostTest("active_state: two declarations that contradict each other through a dependency are refused", async (host) => {
  await fresh(host);
  const result = await apply(host, { "demo-app.service": { active_state: "active" }, "demo-db.service": { active_state: "inactive" } }, 2);
  expectLine(result, "demo-db.service, which is declared inactive");
  expect(await shown(host, "demo-app.service")).toStartWith("inactive/");
});

hostTest("active_state: a socket starts its service; stopping the service says that the socket can start it again", async (host) => {
  await fresh(host);
  await apply(host, { "demo-socket.socket": { active_state: "active", enabled: true } });
  await host.must(["systemctl", "start", "demo-socket.service"]);
  await declare(host, { "demo-socket.service": { active_state: "inactive" } });
  expectLine(await opDbus(host, 3, "plan", STATE), "demo-socket.socket can start it again");
  await opDbus(host, 0, "apply", STATE, "--yes");
  expect(await shown(host, "demo-socket.service")).toStartWith("inactive/");
});

hostTest("active_state: a target starts what it wants, shown in the plan, and rollback stops both", async (host) => {
  await fresh(host);
  const units = { "demo-group.target": "[Unit]\nWants=demo-notify.service\n[Install]\nWantedBy=multi-user.target\n" };
  await withUnits(host, units, async () => {
    const declared = { "demo-group.target": { active_state: "active", enabled: true } };
    await declare(host, declared);
    expectLine(await opDbus(host, 3, "plan", STATE), "demo-notify.service");
    await opDbus(host, 0, "apply", STATE, "--yes");
    expect(await shown(host, "demo-group.target")).toBe("active/enabled");
    expect(await shown(host, "demo-notify.service")).toStartWith("active/");
    await opDbus(host, 0, "verify", STATE);
    await opDbus(host, 0, "rollback", "--yes");
    expect(await shown(host, "demo-group.target")).toBe("inactive/disabled");
    expect(await shown(host, "demo-notify.service")).toStartWith("inactive/");
  });
});

hostTest("active_state: a timer", async (host) => {
  await fresh(host);
  await apply(host, { "demo-timer.timer": { active_state: "active", enabled: true } });
  expect(await shown(host, "demo-timer.timer")).toBe("active/enabled");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-timer.timer")).toBe("inactive/disabled");
});

hostTest("one-way: a oneshot that remains is marked in the plan, runs last, once, and its rollback stops it", async (host) => {
  await fresh(host);
  const units = { "demo-oneshot-remain.service": { active_state: "active" }, "demo-notify.service": { active_state: "active" } };
  await declare(host, units);
  expectLine(await opDbus(host, 3, "plan", STATE), "cannot be taken back");
  await opDbus(host, 0, "apply", STATE, "--yes");
  await opDbus(host, 0, "apply", STATE, "--yes");
  expect(await host.read("/var/lib/demo/oneshot.log")).toBe("demo-oneshot-remain.service\n");
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-oneshot-remain.service")).toStartWith("inactive/");
});

hostTest("active_state: a oneshot that does not remain is refused before anything is done", async (host) => {
  await fresh(host);
  expectLine(await apply(host, { "demo-oneshot.service": { active_state: "active" } }, 2), "RemainAfterExit");
  expect((await host.run(["test", "-e", "/var/lib/demo/oneshot.log"])).exit).toBe(1);
});

hostTest("one-way: stopping a transient unit is marked, and done", async (host) => {
  await fresh(host);
  await host.must(["systemd-run", "--unit=demo-passing.service", "sleep", "infinity"]);
  await declare(host, { "demo-passing.service": { active_state: "inactive" } });
  expectLine(await opDbus(host, 3, "plan", STATE), "cannot be taken back");
  await opDbus(host, 0, "apply", STATE, "--yes");
  expect((await host.run(["systemctl", "is-active", "demo-passing.service"])).stdout.trim()).toBe("inactive");
});

hostTest("units that are not there, aliases and templates are refused with the reason and the line", async (host) => {
  await fresh(host);
  await host.must(["systemctl", "enable", "demo-alias.service"]);
  const result = await apply(
    host,
    {
      "demo-nothing.service": { active_state: "active" },
      "demo-nickname.service": { active_state: "active" },
      "demo-notify.service": { active_state: "active" },
    },
    2,
  );
  expectLine(result, "no unit 'demo-nothing.service'", "alias of demo-alias.service", "state.json:7:");
  expectLine(await apply(host, { "demo-instance@.service": { active_state: "active" } }, 2), "template");
  expect(await shown(host, "demo-notify.service")).toStartWith("inactive/");
});

hostTest("active_state: a unit whose condition is not met is reported as such, and the others are taken back", async (host) => {
  await fresh(host);
  await withUnits(host, { "demo-conditional.service": "[Unit]\nConditionPathExists=/nowhere\n[Service]\nExecStart=/bin/sleep infinity\n" }, async () => {
    const result = await apply(host, { "demo-conditional.service": { active_state: "active" }, "demo-notify.service": { active_state: "active" } }, 4);
    expectLine(result, "demo-conditional.service: is inactive: a condition of its unit file is not met", "ConditionPathExists=/nowhere");
    expect(await shown(host, "demo-notify.service")).toStartWith("inactive/");
  });
});

hostTest("active_state: where systemd refuses one job, the others of the step are cancelled and do not begin after the way back", async (host) => {
  await fresh(host);
  const units = {
    "demo-first.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep infinity\n",
    "demo-second.service": "[Unit]\nRequires=demo-first.service\nAfter=demo-first.service\n[Service]\nExecStart=/bin/sleep infinity\n",
    "demo-refused.service": "[Unit]\nRequires=demo-no-such.service\n[Service]\nExecStart=/bin/sleep infinity\n",
  };
  await withUnits(host, units, async () => {
    await apply(host, { "demo-second.service": { active_state: "active" }, "demo-refused.service": { active_state: "active" } }, 4);
    expect((await host.must(["systemctl", "list-jobs", "--no-legend"])).stdout).toBe("");
    expect(await shown(host, "demo-second.service")).toStartWith("inactive/");
    expect(await shown(host, "demo-first.service")).not.toStartWith("activ");
  });
});

hostTest("active_state: a unit whose start job waits its turn is not inactive", async (host) => {
  await fresh(host);
  const units = {
    "demo-first.service": "[Service]\nType=oneshot\nExecStart=/bin/sleep infinity\n",
    "demo-second.service": "[Unit]\nWants=demo-first.service\nAfter=demo-first.service\n[Service]\nExecStart=/bin/sleep infinity\n",
  };
  await withUnits(host, units, async () => {
    await host.must(["systemctl", "start", "--no-block", "demo-second.service"]);
    await declare(host, { "demo-second.service": { active_state: "inactive" } });
    await opDbus(host, 3, "plan", STATE);
    await opDbus(host, 0, "apply", STATE, "--yes");
    expect((await host.must(["systemctl", "list-jobs", "--no-legend"])).stdout).not.toContain("demo-second.service");
  });
});

hostTest("bus: when the connection ends while a job runs, op-dbus says so at once, and the next command takes it back", async (host) => {
  await fresh(host);
  const slow = "[Service]\nType=notify\nTimeoutStartSec=infinity\nExecStart=/bin/sleep infinity\n";
  await withUnits(host, { "demo-slow.service": slow }, async () => {
    await declare(host, { "demo-slow.service": { active_state: "active" } });
    const running = host.spawn(["op-dbus", "apply", STATE, "--yes"]);
    const activating = async () => (await shown(host, "demo-slow.service")).startsWith("activating");
    await host.waitUntil(activating, { what: "the job to run" });
    await host.must(["systemctl", "restart", "dbus.service"]);
    const result = await running.ended();
    expect(result.exit).toBe(5);
    expectLine(result, "connection");
    await host.run(["op-dbus", "rollback", "--yes"]);
    expect(await shown(host, "demo-slow.service")).not.toStartWith("activ");
  });
}, { pristine: true });
