import { expect } from "bun:test";
import { hostTest } from "../harness/shared.ts";
import { apply, declare, expectLine, fresh, opDbus, opDbusJson, property, queried, shown, STATE } from "../session.ts";

interface CheckpointRow {
  readonly name: string;
}

async function checkpoints(host: Parameters<typeof opDbus>[0]): Promise<string[]> {
  const listed = await opDbusJson<{ checkpoints: CheckpointRow[] }>(host, 0, "checkpoint", "list");
  return listed.checkpoints.map(({ name }) => name);
}

hostTest("rollback: from the very first apply, and query is as it was before", async (host) => {
  await fresh(host);
  const before = await queried(host);
  await apply(host, { "demo-notify.service": { active_state: "active", enabled: true, properties: { MemoryMax: "64M" } } });
  expect(await queried(host)).not.toEqual(before);
  await opDbus(host, 0, "rollback", "--yes");
  expect(await queried(host)).toEqual(before);
  expectLine(await opDbus(host, 6, "rollback", "--yes"), "no apply left");
});

hostTest("rollback: again goes one further, and --to-checkpoint goes to any listed checkpoint", async (host) => {
  await fresh(host);
  const states = [await queried(host)];
  for (const [index, weight] of [100, 200, 300].entries()) {
    await apply(host, { "demo-notify.service": { enabled: index !== 1, properties: { CPUWeight: weight } } });
    states.push(await queried(host));
  }
  await opDbus(host, 0, "rollback", "--yes");
  expect(await queried(host)).toEqual(states[2]!);
  await opDbus(host, 0, "rollback", "--yes");
  expect(await queried(host)).toEqual(states[1]!);

  for (const target of [0, 1, 2]) {
    await fresh(host);
    for (const [index, weight] of [100, 200, 300].entries()) {
      await apply(host, { "demo-notify.service": { enabled: index !== 1, properties: { CPUWeight: weight } } });
    }
    const names = await checkpoints(host);
    expect(names).toHaveLength(3);
    await opDbus(host, 0, "rollback", "--to-checkpoint", names[target]!, "--yes");
    expect(await queried(host)).toEqual(states[target]!);
  }
});

hostTest("rollback: a key that somebody changed since is shown and needs --force", async (host) => {
  await fresh(host);
  await apply(host, { "demo-notify.service": { properties: { CPUWeight: 200 } } });
  await host.must(["systemctl", "set-property", "demo-notify.service", "CPUWeight=333"]);
  expectLine(await opDbus(host, 6, "rollback", "--yes"), "333", "--force");
  expect(await property(host, "demo-notify.service", "CPUWeight")).toBe("333");
  await opDbus(host, 0, "rollback", "--yes", "--force");
  expect(await property(host, "demo-notify.service", "CPUWeight")).toBe("[not set]");
});

hostTest("rejected: a document that was rolled back is refused until it is changed or --force is given", async (host) => {
  await fresh(host);
  const units = { "demo-notify.service": { enabled: true } };
  await apply(host, units);
  await opDbus(host, 0, "rollback", "--yes");
  expectLine(await apply(host, units, 6), "rejected", "rolled back");
  await apply(host, { "demo-notify.service": { enabled: true, active_state: "active" } });
  await opDbus(host, 0, "rollback", "--yes");
  await apply(host, units, 0, "--force");
  await opDbus(host, 0, "apply", STATE, "--yes");
});

hostTest("rejected: a document whose apply failed is refused the next time", async (host) => {
  await fresh(host);
  const units = { "demo-fails.service": { active_state: "active" } };
  await apply(host, units, 4);
  expectLine(await apply(host, units, 6), "rejected");
});

hostTest("saved plan: applied once, then spent", async (host) => {
  await fresh(host);
  await declare(host, { "demo-notify.service": { enabled: true } });
  await opDbus(host, 3, "plan", STATE, "--out", "/root/plan.json");
  await opDbus(host, 0, "apply", "/root/plan.json", "--yes");
  expect(await shown(host, "demo-notify.service")).toBe("inactive/enabled");
  await host.must(["systemctl", "disable", "--quiet", "demo-notify.service"]);
  expectLine(await opDbus(host, 6, "apply", "/root/plan.json", "--yes"), "applied already");
  expect(await shown(host, "demo-notify.service")).toBe("inactive/disabled");
});

hostTest("saved plan: refused when the host moved, with what moved", async (host) => {
  await fresh(host);
  await declare(host, { "demo-notify.service": { enabled: true, active_state: "active" } });
  await opDbus(host, 3, "plan", STATE, "--out", "/root/plan.json");
  await host.must(["systemctl", "enable", "--quiet", "demo-notify.service"]);
  expectLine(await opDbus(host, 6, "apply", "/root/plan.json", "--yes"), "moved", "demo-notify.service enabled");
  expect(await shown(host, "demo-notify.service")).toBe("inactive/enabled");
});

hostTest("ownership: what is no longer declared is listed, left alone, and only --prune returns it", async (host) => {
  await fresh(host);
  await apply(host, { "demo-notify.service": { enabled: true, properties: { CPUWeight: 200 } }, "demo-exec.service": { enabled: true } });
  const less = { "demo-exec.service": { enabled: true } };
  await declare(host, less);
  expectLine(await opDbus(host, 0, "plan", STATE), "no longer declared", "demo-notify.service");
  await opDbus(host, 0, "apply", STATE, "--yes");
  expect(await shown(host, "demo-notify.service")).toBe("inactive/enabled");
  await apply(host, less, 0, "--prune");
  expect(await shown(host, "demo-notify.service")).toBe("inactive/disabled");
  expect(await property(host, "demo-notify.service", "CPUWeight")).toBe("[not set]");
  expect((await opDbus(host, 0, "plan", STATE)).stdout).not.toContain("no longer declared");
});

hostTest("ownership: release lets go, adopt takes charge of what systemctl set-property did", async (host) => {
  await fresh(host);
  await apply(host, { "demo-notify.service": { enabled: true } });
  await opDbus(host, 0, "release", "demo-notify.service");
  await apply(host, {}, 0, "--prune");
  expect(await shown(host, "demo-notify.service")).toBe("inactive/enabled");
  await host.must(["systemctl", "set-property", "demo-exec.service", "TasksMax=5"]);
  await opDbus(host, 0, "adopt", "systemd:demo-exec.service");
  await apply(host, {}, 0, "--prune");
  expect((await host.run(["test", "-e", "/etc/systemd/system.control/demo-exec.service.d"])).exit).toBe(1);
});

hostTest("restraint: units that the document does not name are as they were", async (host) => {
  await fresh(host);
  const others = async () => {
    const { "demo-notify.service": _, ...rest } = await queried(host);
    return rest;
  };
  const before = await others();
  await apply(host, { "demo-notify.service": { active_state: "active", enabled: true } });
  expect(await others()).toEqual(before);
});

hostTest("round trip: what query prints is a valid document, and planning it gives no action", async (host) => {
  await fresh(host);
  await apply(host, { "demo-notify.service": { active_state: "active", enabled: true, properties: { MemoryMax: "64M" } }, "demo-simple.service": { masked: true } });
  const { stdout } = await opDbus(host, 0, "query", "--json");
  await host.write("/root/all.json", stdout);
  const plan = await host.run(["op-dbus", "plan", "/root/all.json"]);
  expect(plan).toMatchObject({ exit: 0 });
});

hostTest("drift: verify shows what moved, exit 3, and apply mends it", async (host) => {
  await fresh(host);
  await apply(host, { "demo-notify.service": { active_state: "active" } });
  await opDbus(host, 0, "verify", "--current");
  await host.must(["systemctl", "stop", "demo-notify.service"]);
  expectLine(await opDbus(host, 3, "verify", "--current"), "demo-notify.service");
  await opDbus(host, 0, "apply", STATE, "--yes");
  await opDbus(host, 0, "verify", STATE);
});

hostTest("lock: a second writer is told who holds it and since when", async (host) => {
  await fresh(host);
  await declare(host, { "demo-exec.service": { active_state: "active" } });
  const first = host.spawn(["op-dbus", "apply", STATE, "--yes"]);
  await host.waitUntil(async () => (await host.run(["op-dbus", "status", "--json"])).stdout.includes('"purpose"'), { what: "the first apply to hold the lock" });
  const second = await opDbus(host, 6, "apply", STATE, "--yes");
  expectLine(second, "apply", "since", "pid");
  expect((await first.ended()).exit).toBe(0);
});

hostTest("audit: each action before and after, by whom, in order, and nothing is open", async (host) => {
  await fresh(host);
  await apply(host, { "demo-notify.service": { active_state: "active", enabled: true } });
  await opDbus(host, 0, "rollback", "--yes");
  const { entries } = await opDbusJson<{ entries: { kind: string; outcome?: string; resource?: string; actor: { uid: number } }[] }>(host, 0, "audit", "list");
  expect(entries.every(({ actor }) => actor.uid === 0)).toBe(true);
  const actions = entries.filter(({ kind, resource }) => kind === "action" && resource === "demo-notify.service");
  expect(actions.map(({ outcome }) => outcome)).toEqual(["begun", "done", "begun", "done", "begun", "done", "begun", "done"]);
  expect(entries.map(({ kind }) => kind)).toContain("commit");
  expect(entries.map(({ kind }) => kind)).toContain("rollback");
});
