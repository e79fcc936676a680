import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { declare, fresh, shown, STATE } from "../session.ts";

const STRACE = ["strace", "-f", "-qqq", "-o", "/dev/null"];
const GUARDS = `ls -d /etc/systemd/system/op-dbus-recover.service /etc/systemd/system/*/op-dbus-* /var/lib/op-dbus/recover/op-dbus 2>/dev/null; systemctl list-units --all --plain --no-legend 'op-dbus-*'`;

/** Kills a held apply before its n-th such call. False when it has fewer: then it waited, and was taken back in time. */
async function kill(host: Host, call: string, nth: number): Promise<boolean> {
  await fresh(host);
  await declare(host, { "demo-notify.service": { active_state: "active", enabled: true } });
  const { exit } = await host.run([...STRACE, `--trace=${call}`, `--inject=${call}:signal=KILL:when=${nth}`, "op-dbus", "apply", STATE, "--yes", "--confirm-within", "2s"]);
  expect([call, nth, [4, 137].includes(exit)]).toEqual([call, nth, true]);
  return exit === 137;
}

for (const [call, step] of [["fdatasync", 2], ["sendto", 3]] as const) {
  hostTest(`confirm-within: killed before a ${call}, it is taken back with nobody there`, async (host) => {
    const ends = { byTimer: 0, untouched: 0 };
    for (let nth = 1; await kill(host, call, nth); nth += step) {
      // Without a timer nothing was begun: what is left to do is the next boot's, or the next command's.
      const timer = (await host.run(["systemctl", "is-active", "--quiet", "op-dbus-deadline.timer"])).exit === 0;
      if (timer) await host.waitUntil(async () => (await host.run(["sh", "-c", GUARDS])).stdout === "", { what: `the guard (${call} ${nth})`, timeoutMs: 30_000 });
      expect([call, nth, await shown(host, "demo-notify.service")]).toEqual([call, nth, "inactive/disabled"]);
      ends[timer ? "byTimer" : "untouched"] += 1;
      const next = await host.run(["op-dbus", "recover", "--guard"]);
      expect([call, nth, next.exit, (await host.run(["sh", "-c", GUARDS])).stdout]).toEqual([call, nth, 0, ""]);
      if (timer) expect([call, nth, (await host.run(["op-dbus", "audit", "verify"])).exit]).toEqual([call, nth, 0]);
    }
    expect(await shown(host, "demo-notify.service")).toBe("inactive/disabled");
    console.log(`  killed before a ${call}: ${ends.byTimer} times taken back by the timer, ${ends.untouched} times before there was one`);
    expect(ends.byTimer).toBeGreaterThan(1);
  }, { timeoutMs: 300_000 });
}
