import { expect, test } from "bun:test";
import { virtualHostTest } from "./harness/shared.ts";
import { killTheRunOf } from "./harness/orphan.ts";

const virtualTest = virtualHostTest(async () => ({ name: "alder" }));

virtualTest("VirtualHost.boot: its own kernel, BTRFS, two NUMA nodes, no network but lo, and nothing has failed", async (host) => {
  const words = async (script: string) => (await host.must(["sh", "-c", script])).stdout.trim().split(/\s+/);
  expect(await words("hostname; systemctl is-system-running")).toEqual(["alder", "running"]);
  expect(await words("systemd-detect-virt; findmnt -n -o FSTYPE /; ls /sys/class/net")).toEqual(["qemu", "btrfs", "lo"]);
  expect(await words("cat /sys/devices/system/node/node0/cpulist /sys/devices/system/node/node1/cpulist")).toEqual(["0", "1"]);
  for (const total of await words("cat /sys/devices/system/node/node*/meminfo | sed -n 's/.*MemTotal: *//p' | cut -d' ' -f1")) {
    expect(Number(total)).toBeGreaterThan(400_000);
  }
  expect(await words("command -v op-dbus")).toEqual(["/usr/local/bin/op-dbus"]);
});

virtualTest("VirtualHost.run: exit status, both streams, input, environment, folder and user", async (host) => {
  const script = 'cat; echo "$GREETING $PWD $(id -un)"; echo oops >&2; exit 7';
  const result = await host.run(["sh", "-c", script], { input: "in\n", env: { GREETING: "it's me" }, cwd: "/tmp", user: "alice" });
  expect(result).toMatchObject({ exit: 7, stdout: "in\nit's me /tmp alice\n", stderr: "oops\n" });
  expect((await host.must(["env"])).stdout).not.toMatch(/BUN|SSH/);
  expect((await host.run(["no-such-program"])).exit).toBe(127);
  expect((await host.must(["sh", "-c", "test -t 1 && stty size"], { terminal: true })).stdout.trim()).toBe("24 80");
});

virtualTest("VirtualHost.spawn: signals reach the program itself; one that does not end is killed inside", async (host) => {
  const program = host.spawn(["sh", "-c", "trap 'echo got it; exit 5' USR1; echo ready; while :; do sleep 0.1; done"]);
  await host.waitUntil(() => program.stdout.includes("ready"), { what: "the program to be ready", timeoutMs: 30_000 });
  expect(await program.kill("SIGUSR1")).toBe(true);
  expect(await program.ended()).toMatchObject({ exit: 5, stdout: "ready\ngot it\n" });
  expect(await program.kill("SIGKILL")).toBe(false);
  await expect(host.run(["sleep", "4711"], { timeoutMs: 2000 })).rejects.toThrow("Not finished within 2000 ms: sleep 4711");
  await host.waitUntil(async () => (await host.run(["pgrep", "-f", "sleep 4711"])).exit === 1, { what: "sleep to be gone", timeoutMs: 30_000 });
});

virtualTest("VirtualHost.powerCut: what was synced stays, what was not is lost, nothing is told, and the serial line outlives it", async (host) => {
  await host.write("/root/synced", "yes\n");
  await host.must(["sync", "/root/synced", "/root"]);
  await host.write("/root/unsynced", "no\n");
  await host.must(["sh", "-c", "echo before >/dev/ttyS1"]);
  await host.powerCut();
  expect(await host.read("/root/synced")).toBe("yes\n");
  expect((await host.run(["test", "-e", "/root/unsynced"])).exit).toBe(1);
  await host.must(["sh", "-c", "echo after >/dev/ttyS1"]);
  expect(await host.serialLine()).toBe("before\nafter\n");
}, { timeoutMs: 300_000 });

virtualTest("VirtualHost.reboot: comes back with its files and another boot id", async (host) => {
  const bootId = () => host.read("/proc/sys/kernel/random/boot_id");
  const before = await bootId();
  await host.write("/root/unsynced", "yes\n");
  await host.reboot();
  expect(await bootId()).not.toBe(before);
  expect(await host.read("/root/unsynced")).toBe("yes\n");
}, { timeoutMs: 300_000 });

test.skipIf(process.arch !== "x64")("VirtualHost.boot: the host goes with the run that booted it, even when that is killed", () => killTheRunOf("VirtualHost"), 300_000);
