import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { declare, expectLine, fresh, opDbus, opDbusJson, STATE } from "../session.ts";

const NAMES = ["demo-exec.service", "demo-notify.service", "demo-forking.service"];
const DESIRED_UNITS = {
  "demo-exec.service": { active_state: "inactive" },
  "demo-notify.service": { active_state: "active", enabled: true, properties: { MemoryMax: "64M" } },
  "demo-forking.service": { active_state: "active", masked: false },
};
const BEFORE = "active disabled infinity; inactive disabled infinity; inactive masked infinity";
const DESIRED = "inactive disabled infinity; active enabled 67108864; active disabled infinity";

/** A few system calls that a crash can fall before; each is walked call by call. */
const BOUNDARIES = ["fsync", "fdatasync", "rename", "ftruncate", "unlink", "sendto"];

async function atBefore(host: Host): Promise<void> {
  await host.must(["sh", "-c", `
    rm -rf /etc/systemd/system.control /var/lib/op-dbus
    systemctl --quiet disable demo-notify.service
    systemctl --quiet mask demo-forking.service
    systemctl stop demo-notify.service demo-forking.service
    systemctl start demo-exec.service`]);
  expect(await stateOf(host)).toBe(BEFORE);
}

/** What systemd says of the three units. */
async function stateOf(host: Host): Promise<string> {
  const { stdout } = await host.must(["systemctl", "show", "--property=ActiveState,UnitFileState,MemoryMax", ...NAMES]);
  return stdout.trim().split("\n\n").map((unit) => {
    const property = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1];
    return `${property("ActiveState")} ${property("UnitFileState")} ${property("MemoryMax")}`;
  }).join("; ");
}

interface Status {
  readonly interrupted: unknown;
}

interface Log {
  readonly entries: readonly { readonly kind: string; readonly open?: boolean }[];
}

/** Runs the next command after a crash and holds host, message, exit code and log to each other. */
async function expectRecovered(host: Host, what: string): Promise<"before" | "desired"> {
  const { interrupted } = await opDbusJson<Status>(host, 0, "status");
  const next = await host.run(["op-dbus", "apply", STATE, "--yes"]);
  const state = await stateOf(host);
  const seen = { what, interrupted: interrupted !== null, exit: next.exit, state };
  if (interrupted !== null) expectLine(next, "interrupted");
  if (next.exit === 6) expect({ ...seen, text: next.stderr }).toEqual({ ...seen, state: BEFORE, text: expect.stringContaining("rejected") });
  else expect(seen).toEqual({ ...seen, exit: 0, state: DESIRED });
  expect(await opDbusJson<Status>(host, 0, "status")).toMatchObject({ interrupted: null });
  const { entries } = await opDbusJson<Log>(host, 0, "audit", "list", "--limit", "0");
  const recovered = entries.some(({ kind }) => kind === "recovery");
  const open = entries.filter((entry) => entry.open === true).length;
  expect({ what, recovered, open: recovered ? 0 : open }).toEqual({ what, recovered: interrupted !== null, open: 0 });
  return state === BEFORE ? "before" : "desired";
}

for (const call of BOUNDARIES) {
  hostTest(`recovery: killed before each ${call} of an apply`, async (host) => {
    await fresh(host);
    await declare(host, DESIRED_UNITS);
    const ends = { before: 0, desired: 0 };
    for (let nth = 1; ; nth += 1) {
      await atBefore(host);
      const inject = [`--trace=${call}`, `--inject=${call}:signal=KILL:when=${nth}`];
      const killed = await host.run(["strace", "-f", "-qqq", "-o", "/dev/null", ...inject, "op-dbus", "apply", STATE, "--yes"]);
      if (killed.exit === 0) break;
      expect({ call, nth, exit: killed.exit }).toEqual({ call, nth, exit: 137 });
      ends[await expectRecovered(host, `${call} ${nth}`)] += 1;
    }
    console.log(`  killed before each ${call}: ${ends.before} times back in the before-state, ${ends.desired} times in the desired state`);
    if (call === "fsync" || call === "sendto") expect(ends.before + ends.desired).toBeGreaterThan(8);
    await host.must(["systemctl", "unmask", "--quiet", "demo-forking.service"]);
  }, { timeoutMs: 600_000 });
}

hostTest("recovery: killed at a hundred random instants of an apply", async (host) => {
  await fresh(host);
  await declare(host, DESIRED_UNITS);
  await atBefore(host);
  const { ms } = await opDbus(host, 0, "apply", STATE, "--yes");
  const seed = Number(process.env.SEED ?? Date.now() % 100_000);
  let random = seed;
  const ends = { before: 0, desired: 0 };
  for (let run = 0; run < 100; run += 1) {
    await atBefore(host);
    random = (random * 16_807) % 2_147_483_647;
    const after = 5 + ((random % 1000) / 1000) * ms;
    const program = host.spawn(["op-dbus", "apply", STATE, "--yes"]);
    await Bun.sleep(after);
    await program.kill("SIGKILL");
    await program.ended();
    ends[await expectRecovered(host, `run ${run}, ${after.toFixed(1)} ms, seed ${seed}`)] += 1;
  }
  console.log(`  a hundred kills within ${ms.toFixed(0)} ms (seed ${seed}): ${ends.before} ended in the before-state, ${ends.desired} in the desired state`);
  await host.must(["systemctl", "unmask", "--quiet", "demo-forking.service"]);
}, { timeoutMs: 900_000 });

hostTest("recovery: killed again while it recovers", async (host) => {
  await fresh(host);
  await declare(host, DESIRED_UNITS);
  for (let nth = 1; ; nth += 2) {
    await atBefore(host);
    const strace = (when: number) => ["strace", "-f", "-qqq", "-o", "/dev/null", "--trace=fdatasync", `--inject=fdatasync:signal=KILL:when=${when}`];
    expect((await host.run([...strace(9), "op-dbus", "apply", STATE, "--yes"])).exit).toBe(137);
    expect(await opDbusJson<Status>(host, 0, "status")).not.toMatchObject({ interrupted: null });
    const again = await host.run([...strace(nth), "op-dbus", "rollback", "--yes"]);
    if (again.exit !== 137) break;
    const { interrupted } = await opDbusJson<Status>(host, 0, "status");
    if (interrupted === null) break;
    await expectRecovered(host, `killed again at fdatasync ${nth}`);
  }
  await host.must(["systemctl", "unmask", "--quiet", "demo-forking.service"]);
}, { timeoutMs: 600_000 });

hostTest("recovery: forward over a oneshot that had begun, and the host reboots in between", async (host) => {
  await declare(host, { "demo-notify.service": { active_state: "active", enabled: true }, "demo-oneshot-remain.service": { active_state: "active" } });
  const program = host.spawn(["op-dbus", "apply", STATE, "--yes"]);
  await host.waitUntil(async () => (await host.run(["test", "-s", "/var/lib/demo/oneshot.log"])).exit === 0, { what: "the oneshot to run" });
  await program.kill("SIGKILL");
  await program.ended();
  await host.powerCut();
  await opDbus(host, 0, "apply", STATE, "--yes");
  const { interrupted } = await opDbusJson<Status>(host, 0, "status");
  expect(interrupted).toBeNull();
  expect((await host.must(["systemctl", "is-active", "demo-notify.service", "demo-oneshot-remain.service"])).stdout).toBe("active\nactive\n");
  expect(await host.read("/var/lib/demo/oneshot.log")).not.toBe("");
}, { pristine: true });
