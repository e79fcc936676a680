import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import type { Program } from "../harness/program.ts";
import { hostTest } from "../harness/shared.ts";
import { declare, expectLine, fresh, opDbus, opDbusJson, shown, STATE, withUnits, type Units } from "../session.ts";

const NOTIFY: Units = { "demo-notify.service": { active_state: "active", enabled: true } };
const BEFORE = "inactive/disabled";
const DESIRED = "active/enabled";
const BOOT_UNIT = "/etc/systemd/system/op-dbus-recover.service";
const COPY = "/var/lib/op-dbus/recover/op-dbus";

interface Status {
  readonly waiting: { readonly user: string; readonly seconds_left: number } | null;
  readonly interrupted: unknown;
  readonly rejected: readonly { readonly why: string }[];
}

/** Starts an apply, and returns when it waits to be confirmed. */
async function holding(host: Host, within: string, ...options: string[]): Promise<Program> {
  await fresh(host);
  await declare(host, NOTIFY);
  return await waiting(host, host.spawn(["op-dbus", "apply", STATE, "--yes", "--confirm-within", within, ...options]));
}

async function waiting(host: Host, program: Program): Promise<Program> {
  await host.waitUntil(async () => (await statusOf(host)).waiting, { what: "the apply to wait" }).catch(async (error: unknown) => {
    throw new Error(`The apply does not wait: ${program.stderr}`, { cause: error });
  });
  expect(await shown(host, "demo-notify.service")).toBe(DESIRED);
  return program;
}

function statusOf(host: Host): Promise<Status> {
  return opDbusJson<Status>(host, 0, "status");
}

/** Waits until nothing is open any more, without any command of op-dbus that would change something. */
async function decided(host: Host): Promise<void> {
  await host.waitUntil(async () => (await host.run(["test", "-e", "/var/lib/op-dbus/@state/journal.jsonl"])).exit !== 0, { what: "the change to be decided" });
}

/** Nothing of the guards is left, on the disk or in systemd. */
async function expectUnguarded(host: Host): Promise<void> {
  const left = async () => {
    const files = await host.run(["sh", "-c", `ls -d ${BOOT_UNIT} /var/lib/op-dbus/recover /etc/systemd/system/*/op-dbus-* 2>/dev/null`]);
    const units = await host.must(["systemctl", "list-units", "--all", "--plain", "--no-legend", "op-dbus-*"]);
    return files.stdout + units.stdout;
  };
  await host.waitUntil(async () => (await left()) === "", { what: "the guards to be gone" }).catch(async () => expect(await left()).toBe(""));
}

async function expectTakenBack(host: Host, why: string): Promise<void> {
  await decided(host);
  await expectUnguarded(host);
  expect(await shown(host, "demo-notify.service")).toBe(BEFORE);
  const { waiting, interrupted, rejected } = await statusOf(host);
  expect({ waiting, interrupted }).toEqual({ waiting: null, interrupted: null });
  expect(rejected).toMatchObject([{ why }]);
  expectLine(await opDbus(host, 6, "apply", STATE, "--yes"), "This document was rejected", why);
  expect((await opDbus(host, 0, "audit", "verify")).stdout).toContain("verifies");
}

hostTest("confirm-within: nobody confirms it, and it is taken back at the deadline; exit 4", async (host) => {
  const program = await holding(host, "6s");
  const ended = await program.ended();
  expect({ exit: ended.exit, done: ended.stdout.includes("Done") }).toEqual({ exit: 4, done: false });
  expectLine(ended, "The host was read back and is as declared", "it was not confirmed within 6 s. Everything was taken back");
  await expectTakenBack(host, "it was not confirmed within 6 s");
  expect((await opDbus(host, 0, "audit", "list", "--kind", "confirm")).stdout).toMatch(/confirm +begun +within [\d.]+ s/);
});

hostTest("confirm-within: while it waits, everything else is refused, and both guards are there", async (host) => {
  const program = await holding(host, "60s");
  const refused = await opDbus(host, 6, "apply", STATE, "--yes");
  expectLine(refused, "(root) waits until", "to be confirmed", "op-dbus confirm keeps it, op-dbus rollback takes it back");
  for (const args of [["checkpoint", "create", "x"], ["adopt", "demo-exec.service"], ["recover"]]) expectLine(await opDbus(host, 6, ...args), "waits until");
  expectLine(await opDbus(host, 6, "apply", STATE, "--dry-run"), "waits until");
  const { waiting } = await statusOf(host);
  expect(waiting).toMatchObject({ kind: "apply", user: "root", seconds_left: expect.any(Number) });
  expectLine(await opDbus(host, 0, "status"), "An apply of", "waits to be confirmed until", "'op-dbus confirm' keeps it");
  expect(await host.must(["systemctl", "is-enabled", "op-dbus-recover.service"])).toMatchObject({ stdout: "enabled\n" });
  expect(await host.must(["systemctl", "is-active", "op-dbus-deadline.timer"])).toMatchObject({ stdout: "active\n" });
  expect(await host.must(["systemd-analyze", "verify", BOOT_UNIT])).toMatchObject({ stdout: "", stderr: "" });
  expect(await host.must(["stat", "-c", "%a %U", COPY, "/var/lib/op-dbus/recover"])).toMatchObject({ stdout: "700 root\n700 root\n" });
  await opDbus(host, 0, "confirm", "--here");
  const { exit, stdout } = await program.ended();
  expect({ exit, stdout }).toEqual({ exit: 0, stdout: expect.stringContaining("It was confirmed.") });
  expect(await shown(host, "demo-notify.service")).toBe(DESIRED);
  await expectUnguarded(host);
  expectLine(await opDbus(host, 6, "confirm", "--here"), "Nothing waits to be confirmed");
  expectLine(await opDbus(host, 4, "rollback", "--yes", "--confirm-within", "6s"), "The rollback was not kept, since it was not confirmed. Everything is as it was before it");
  expect(await shown(host, "demo-notify.service")).toBe(DESIRED);
  await expectUnguarded(host);
  await opDbus(host, 0, "rollback", "--yes");
  expect(await shown(host, "demo-notify.service")).toBe(BEFORE);
});

hostTest("confirm-within: what was killed while it waited is taken back at the deadline all the same", async (host) => {
  const program = await holding(host, "8s");
  await host.must(["sh", "-c", "kill -9 $(pidof op-dbus)"]);
  expect((await program.ended()).exit).toBe(137);
  expect((await statusOf(host)).waiting).not.toBeNull();
  await expectTakenBack(host, "it was not confirmed within 8 s");
});

hostTest("confirm-within: a holder of the lock that is stopped is killed at the deadline", async (host) => {
  await fresh(host);
  const slow = "[Service]\nType=notify\nNotifyAccess=all\nExecStart=sh -c 'touch /run/demo-began; sleep infinity'\nTimeoutStartSec=infinity\n";
  await withUnits(host, { "demo-never.service": slow }, async () => {
    await declare(host, { "demo-exec.service": { enabled: true }, "demo-never.service": { active_state: "active" } });
    // What enters a host stops with what it started: a shell in between does not.
    const program = host.spawn(["sh", "-c", `op-dbus apply ${STATE} --yes --confirm-within 3s; echo exit $?`]);
    await host.waitUntil(async () => (await host.run(["test", "-e", "/run/demo-began"])).exit === 0, { what: "the unit to be started" });
    await host.must(["sh", "-c", "kill -STOP $(pidof op-dbus)"]);
    expect((await program.ended()).stdout).toEndWith("exit 137\n");
    await decided(host);
    expect(await shown(host, "demo-exec.service")).toBe(BEFORE);
    expect((await host.run(["systemctl", "is-active", "demo-never.service"])).stdout).toBe("inactive\n");
    await expectUnguarded(host);
  });
});

hostTest("confirm-within: the guards find a state directory by any name", async (host) => {
  await fresh(host);
  await declare(host, NOTIFY);
  const root = "/srv/odd 100%n grün";
  const program = host.spawn(["op-dbus", "--root", root, "apply", STATE, "--yes", "--confirm-within", "6s"]);
  await host.waitUntil(async () => (await host.run(["systemctl", "is-active", "op-dbus-deadline.timer"])).exit === 0, { what: "the timer" });
  expect(await host.must(["systemd-analyze", "verify", BOOT_UNIT])).toMatchObject({ stdout: "", stderr: "" });
  const { stdout: line } = await host.must(["systemctl", "show", "--property=ExecStart", "op-dbus-recover.service"]);
  expect(line).toContain(`--root ${root} ;`);
  await host.must(["sh", "-c", "kill -9 $(pidof op-dbus)"]);
  expect((await program.ended()).exit).toBe(137);
  await expectUnguarded(host);
  expect(await shown(host, "demo-notify.service")).toBe(BEFORE);
  expect(await opDbusJson<Status>(host, 0, "status", "--root", root)).toMatchObject({ waiting: null, interrupted: null });
  await host.must(["rm", "-r", root]);
  expectLine(await opDbus(host, 6, "apply", STATE, "--yes", "--confirm-within", "3s", "--root", "/srv/$HOME"), "systemd would not run a program below /srv/$HOME");
});

hostTest("confirm-within: rollback, and Ctrl-C, take it back at once", async (host) => {
  const rolledBack = await holding(host, "60s");
  expectLine(await opDbus(host, 0, "rollback", "--yes"), "waited to be confirmed", "it was rolled back by root before it was confirmed");
  expect((await rolledBack.ended()).exit).toBe(4);
  await expectTakenBack(host, "it was rolled back by root before it was confirmed");
  const interrupted = await holding(host, "60s");
  await interrupted.kill("SIGINT");
  const { exit, stderr } = await interrupted.ended();
  expect({ exit, stderr }).toEqual({ exit: 4, stderr: expect.stringContaining("Interrupted by SIGINT. Everything was taken back") });
  await expectTakenBack(host, "Interrupted by SIGINT");
});

hostTest("confirm-within: when its terminal goes away it goes on waiting", async (host) => {
  const program = await holding(host, "60s");
  for (let times = 0; times < 2; times += 1) {
    await program.kill("SIGHUP");
    expect((await statusOf(host)).waiting).not.toBeNull();
  }
  await opDbus(host, 0, "confirm", "--here");
  expect((await program.ended()).exit).toBe(0);
  expect(await shown(host, "demo-notify.service")).toBe(DESIRED);
});

hostTest("confirm-within: a reboot takes it back, and another does not bring it again", async (host) => {
  await fresh(host);
  await declare(host, NOTIFY);
  // In a unit, as a session is: a host with anything else in it does not come back from a reboot.
  await waiting(host, host.spawn(["systemd-run", "--quiet", "--unit=applying", "op-dbus", "apply", STATE, "--yes", "--confirm-within", "1h"]));
  await host.reboot();
  await expectTakenBack(host, "the host was started anew before it was confirmed");
  await host.reboot();
  expect(await shown(host, "demo-notify.service")).toBe(BEFORE);
  expectLine(await opDbus(host, 6, "apply", STATE, "--yes"), "This document was rejected");
}, { pristine: true });

hostTest("confirm-within: a power cut takes it back at the next start", async (host) => {
  await holding(host, "1h");
  await host.powerCut();
  await expectTakenBack(host, "the host was started anew before it was confirmed");
}, { pristine: true });

hostTest("probe: tcp confirms when somebody listens, and is no success when nobody does", async (host) => {
  await fresh(host);
  await host.must(["systemctl", "start", "ssh.service"]);
  await declare(host, NOTIFY);
  const kept = await opDbus(host, 0, "apply", STATE, "--yes", "--probe", "tcp:127.0.0.1:22");
  expectLine(kept, "It was confirmed.");
  expect((await opDbus(host, 0, "audit", "list", "--kind", "confirm")).stdout).toContain("by the probe tcp:127.0.0.1:22");
  await expectUnguarded(host);
  await fresh(host);
  await declare(host, NOTIFY);
  await opDbus(host, 4, "apply", STATE, "--yes", "--probe", "tcp:127.0.0.1:1", "--confirm-within", "6s");
  await expectTakenBack(host, "it was not confirmed within 6 s");
  expectLine(await opDbus(host, 2, "apply", STATE, "--yes", "--probe", "smoke:signals"), "'smoke:signals' is no probe");
  expectLine(await opDbus(host, 2, "apply", STATE, "--yes", "--confirm-within", "soon"), "--confirm-within is 'soon'");
});
