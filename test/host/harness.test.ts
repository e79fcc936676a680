import { expect, test } from "bun:test";
import { Host } from "./harness/host.ts";
import { killTheRunOf } from "./harness/orphan.ts";
import { hostTest, sharedHost } from "./harness/shared.ts";
import { traces } from "./harness/traces.ts";

const PRISTINE = { pristine: { binary: false } } as const;
const MANAGER = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"];

hostTest("Host.boot: systemd, D-Bus and polkit answer, and nothing has failed", async (host) => {
  expect((await host.must(["cat", "/proc/1/comm"])).stdout).toBe("systemd\n");
  expect((await host.must(["hostname"])).stdout).toBe("pristine\n");
  expect((await host.must(["busctl", "get-property", ...MANAGER, "SystemState"])).stdout).toBe('s "running"\n');
  const authority = ["org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority"];
  expect((await host.must(["busctl", "get-property", ...authority, "BackendName"])).stdout).toStartWith('s "');
}, PRISTINE);

hostTest("Host.boot: the demo units are there, none enabled and none started", async (host) => {
  const units = (await host.must(["systemctl", "list-unit-files", "--plain", "--no-legend", "demo-*"])).stdout.trim().split("\n");
  expect(units.filter((line) => line.includes("demo-bulk-"))).toHaveLength(200);
  expect(units.filter((line) => line.split(/\s+/)[1] === "enabled")).toEqual([]);
  expect((await host.must(["systemctl", "list-units", "--plain", "--no-legend", "demo-*"])).stdout).toBe("");
}, PRISTINE);

test("Host.boot: each host is pristine and leaves nothing behind", async () => {
  const ids: string[] = [];
  {
    await using host = await Host.boot({ name: "spoiled", binary: false });
    await host.write("/etc/spoiled", "yes\n");
    await host.must(["systemctl", "enable", "--now", "demo-simple.service"]);
    await using other = await Host.boot({ name: "other", binary: false });
    expect((await other.run(["cat", "/etc/spoiled"])).exit).toBe(1);
    expect((await other.run(["systemctl", "is-enabled", "demo-simple.service"])).stdout).toBe("disabled\n");
    expect((await other.must(["cat", "/etc/machine-id"])).stdout).not.toBe((await host.must(["cat", "/etc/machine-id"])).stdout);
    ids.push(host.id, other.id);
    for (const id of ids) expect(await traces(id)).not.toEqual([]);
  }
  for (const id of ids) expect(await traces(id)).toEqual([]);
}, 120_000);

test("Host.boot: the host goes with the run that booted it, even when that is killed", () => killTheRunOf("Host"), 120_000);

hostTest("Host.reboot: comes back with its files, another boot id and its enabled units", async (host) => {
  const bootId = () => host.must(["cat", "/proc/sys/kernel/random/boot_id"]);
  const before = (await bootId()).stdout;
  await host.must(["systemctl", "enable", "demo-notify.service"]);
  await host.reboot();
  expect((await bootId()).stdout).not.toBe(before);
  expect((await host.must(["systemctl", "is-active", "demo-notify.service"])).stdout).toBe("active\n");
  expect((await host.journal(["--list-boots", "--quiet"])).trim().split("\n")).toHaveLength(2);
}, PRISTINE);

hostTest("Host.powerCut: nothing is told, what was written stays", async (host) => {
  await host.must(["systemctl", "start", "demo-simple.service"]);
  await host.write("/var/lib/demo/before", "written\n");
  await host.powerCut();
  expect(await host.read("/var/lib/demo/before")).toBe("written\n");
  expect((await host.run(["systemctl", "is-active", "demo-simple.service"])).stdout).toBe("inactive\n");
  expect(await host.journal(["--boot=-1", "--identifier=systemd"])).not.toContain("Reached target shutdown.target");
}, PRISTINE);

hostTest("Host.run: exit status, both streams, input, environment, folder and user", async (host) => {
  const script = 'cat; echo "$GREETING $PWD $(id -un)"; echo oops >&2; exit 7';
  const result = await host.run(["sh", "-c", script], { input: "in\n", env: { GREETING: "hello" }, cwd: "/tmp", user: "alice" });
  expect(result).toMatchObject({ exit: 7, stdout: "in\nhello /tmp alice\n", stderr: "oops\n" });
  expect((await host.must(["env"])).stdout).not.toContain("BUN");
  expect((await host.run(["no-such-program"])).exit).toBe(127);
  await expect(host.must(["sh", "-c", "echo why >&2; exit 3"])).rejects.toThrow(/Exit 3 on pristine[^]*why/);
}, PRISTINE);

hostTest("Host.run: a program that does not end is killed inside and reported", async (host) => {
  await expect(host.run(["sleep", "4711"], { timeoutMs: 200 })).rejects.toThrow("Not finished within 200 ms: sleep 4711");
  await host.waitUntil(async () => (await host.run(["pgrep", "-f", "sleep 4711"])).exit === 1, { what: "sleep to be gone" });
}, PRISTINE);

hostTest("Host.run: a terminal of 80x24", async (host) => {
  const result = await host.must(["sh", "-c", "test -t 1 && stty size"], { terminal: true });
  expect(result.stdout.trim()).toBe("24 80");
}, PRISTINE);

hostTest("Host.spawn: signals reach the program itself", async (host) => {
  const program = host.spawn(["sh", "-c", "trap 'echo got it; exit 5' USR1; echo ready; while :; do sleep 0.01; done"]);
  await host.waitUntil(() => program.stdout.includes("ready"), { what: "the program to be ready" });
  expect(await program.kill("SIGUSR1")).toBe(true);
  expect(await program.ended()).toMatchObject({ exit: 5, stdout: "ready\ngot it\n" });
  expect(await program.kill("SIGKILL")).toBe(false);
  const killed = host.spawn(["sleep", "infinity"]);
  await killed.kill("SIGKILL");
  expect((await killed.ended()).exit).toBe(137);
}, PRISTINE);

hostTest("Host: strace works, for counting what is written on the wire", async (host) => {
  const result = await host.must(["strace", "-f", "-e", "trace=connect", "systemctl", "is-active", "dbus.service"]);
  expect(result.stderr).toContain("connect(");
}, PRISTINE);

hostTest("apt source: installs, upgrades with a conffile kept, takes dependencies along", async (host) => {
  await host.must(["apt-get", "update"]);
  await host.must(["apt-get", "install", "--yes", "opdbus-demo=1.0"]);
  expect((await host.must(["opdbus-demo"])).stdout).toBe("opdbus-demo 1.0\n");
  await host.write("/etc/opdbus-demo.conf", "greeting = mine\n");
  await host.must(["apt-get", "install", "--yes", "-o", "Dpkg::Options::=--force-confold", "opdbus-demo"]);
  expect((await host.must(["opdbus-demo"])).stdout).toBe("opdbus-demo 2.0\n");
  expect(await host.read("/etc/opdbus-demo.conf")).toBe("greeting = mine\n");
  await host.must(["apt-get", "purge", "--yes", "opdbus-demo"]);
  await host.must(["apt-get", "install", "--yes", "opdbus-dependent"]);
  expect((await host.must(["dpkg-query", "-W", "opdbus-demo"])).stdout).toBe("opdbus-demo\t2.0\n");
}, PRISTINE);

hostTest("apt source: opdbus-broken fails in its postinst", async (host) => {
  await host.must(["apt-get", "update"]);
  const result = await host.run(["apt-get", "install", "--yes", "opdbus-broken"]);
  expect(result.exit).toBe(100);
  expect(result.stdout + result.stderr).toContain("postinst fails on purpose");
}, PRISTINE);

for (const [unit, active] of [
  ...["simple", "exec", "notify", "forking", "oneshot-remain", "also", "alias", "app", "stubborn", "limited", "bulk-001", "local", "static"].map((name) => [name, "active"] as const),
  ...["oneshot"].map((name) => [name, "inactive"] as const),
]) {
  hostTest(`demo-${unit}.service: starts, is ${active}, stops`, async (host) => {
    const name = `demo-${unit}.service`;
    await host.must(["systemctl", "start", name]);
    expect((await host.run(["systemctl", "is-active", name])).stdout).toBe(`${active}\n`);
    await host.must(["systemctl", "stop", name]);
    expect((await host.run(["systemctl", "is-active", name])).stdout).toMatch(/^(inactive|failed)\n$/);
  });
}

hostTest("demo-fails.service: the start job fails, and says why in the journal", async (host) => {
  expect((await host.run(["systemctl", "start", "demo-fails.service"])).exit).toBe(1);
  expect(await host.journal(["--unit=demo-fails.service"])).toContain("cannot open /etc/demo/missing.conf");
});

hostTest("demo-flap.service: active, then failed", async (host) => {
  await host.must(["systemctl", "start", "demo-flap.service"]);
  const state = () => host.run(["systemctl", "is-active", "demo-flap.service"]);
  expect((await state()).stdout).toBe("active\n");
  await host.waitUntil(async () => (await state()).stdout === "failed\n", { what: "demo-flap.service to fail" });
});

hostTest("demo-socket.service: started by its socket", async (host) => {
  await host.must(["systemctl", "start", "demo-socket.socket"]);
  await host.must(["perl", "-MIO::Socket::UNIX", "-e", 'IO::Socket::UNIX->new("/run/demo-socket.sock") or die $!']);
  await host.waitUntil(async () => (await host.run(["systemctl", "is-active", "demo-socket.service"])).exit === 0, { what: "demo-socket.service" });
});

test("sharedHost: one host for the whole run, with the built binary in its path", async () => {
  expect(await sharedHost()).toBe(await sharedHost());
  expect((await (await sharedHost()).must(["sh", "-c", "command -v op-dbus"])).stdout).toBe("/usr/local/bin/op-dbus\n");
}, 120_000);
